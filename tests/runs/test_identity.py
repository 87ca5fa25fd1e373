"""A run's id in its files: a checkpoint of another run is refused, and a run of an earlier version is read."""

import json
import re
import shutil

import pytest
import torch

import fastdaae as fd
from fastdaae import run_folder
from tests.runs.small import build, fit, metrics, parameters


def config(run_dir) -> dict:
    return json.loads((run_dir / run_folder.CONFIG).read_text())


def test_configuration_checkpoint_and_metrics_carry_one_id(tmp_path):
    fit(build(), run_dir=tmp_path)
    run = config(tmp_path)["run_id"]
    assert re.fullmatch("[0-9a-f]{32}", run)
    assert run_folder.checkpoint_state(tmp_path) == (run, 2, 6)
    lines = (tmp_path / run_folder.METRICS).read_text().splitlines()
    assert [json.loads(line)["run_id"] for line in lines] == [run, run]
    fit(build(), epochs=3, run_dir=tmp_path)
    assert config(tmp_path)["run_id"] == run and run_folder.checkpoint_state(tmp_path) == (run, 3, 9)


def test_runs_have_ids_of_their_own(tmp_path):
    for name in "ab":
        fit(build(), epochs=1, run_dir=tmp_path / name)
    assert config(tmp_path / "a")["run_id"] != config(tmp_path / "b")["run_id"]


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    for name in "ab":
        fit(build(), run_dir=tmp_path / name)
    whole = (tmp_path / "b" / run_folder.METRICS).read_bytes()
    shutil.copy(tmp_path / "a" / run_folder.CHECKPOINT, tmp_path / "b")
    of_a = config(tmp_path / "a")["run_id"]
    model = build()
    before = parameters(model)
    for call in (lambda: fit(model, epochs=3, run_dir=tmp_path / "b"), lambda: fd.load(tmp_path / "b")):
        with pytest.raises(ValueError, match=f"belongs to the run {of_a}, and config.json .*; put .* back"):
            call()
    assert torch.equal(parameters(model), before) and (tmp_path / "b" / run_folder.METRICS).read_bytes() == whole


def test_a_whole_copy_of_a_run_goes_on(tmp_path):
    fit(build(), run_dir=tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    straight = build()
    fit(straight, epochs=3)
    fit(build(), epochs=3, run_dir=tmp_path / "b")
    assert torch.equal(parameters(fd.load(tmp_path / "b")), parameters(straight))


def strip_to_old(run_dir) -> None:
    """Make a run as earlier versions wrote it: no id, and no history in the checkpoint."""
    path = run_dir / run_folder.CHECKPOINT
    tensors, facts = run_folder.load_tensors(path)
    del tensors["history"], facts["run_id"]
    run_folder.save_tensors(path, tensors, facts)
    old = config(run_dir)
    del old["run_id"]
    run_folder.write_json(run_dir / run_folder.CONFIG, old)
    lines = [json.loads(line) for line in (run_dir / run_folder.METRICS).read_text().splitlines()]
    text = "".join(json.dumps({k: v for k, v in line.items() if k != "run_id"}) + "\n" for line in lines)
    run_folder.write_text(run_dir / run_folder.METRICS, text)


def test_an_old_run_without_an_id_is_loaded_and_resumed(tmp_path):
    fit(build(), run_dir=tmp_path)
    strip_to_old(tmp_path)
    assert run_folder.checkpoint_state(tmp_path) == (None, 2, 6)
    straight = build()
    history = fit(straight, epochs=3)
    assert len(fd.load(tmp_path).sample(3)) == 3
    resumed = build()
    assert len(fit(resumed, epochs=3, run_dir=tmp_path)) == 3
    assert torch.equal(parameters(resumed), parameters(straight)) and len(metrics(tmp_path)) == len(history) == 3
    assert torch.equal(parameters(fd.load(tmp_path)), parameters(straight))


def test_an_old_run_whose_metrics_are_short_is_not_trained_twice(tmp_path):
    fit(build(), run_dir=tmp_path)
    strip_to_old(tmp_path)
    (tmp_path / run_folder.METRICS).unlink()
    straight, resumed = build(), build()
    fit(straight, epochs=3)
    assert [line["epoch"] for line in fit(resumed, epochs=3, run_dir=tmp_path)] == [3]
    assert torch.equal(parameters(resumed), parameters(straight))


def test_someone_else_s_config_json_is_not_overwritten(tmp_path):
    (tmp_path / run_folder.CONFIG).write_text('{"name": "my project"}')
    with pytest.raises(ValueError, match=r"config.json .* is not a run's; use another run_dir"):
        fit(build(), run_dir=tmp_path)
    assert (tmp_path / run_folder.CONFIG).read_text() == '{"name": "my project"}'


def test_notes_stay_when_a_run_is_resumed_without_any(tmp_path):
    from tests.runs.small import images, trainer

    trainer(build(), run_dir=tmp_path).fit(images(), progress=False, notes={"data": "mine.npy"})
    fit(build(), epochs=3, run_dir=tmp_path)
    assert config(tmp_path)["notes"] == {"data": "mine.npy"}


def test_a_checkpoint_that_lacks_what_a_training_needs_is_told(tmp_path):
    fit(build(), run_dir=tmp_path)
    tensors, facts = run_folder.load_tensors(tmp_path / run_folder.CHECKPOINT)
    del tensors["noise"]
    run_folder.save_tensors(tmp_path / run_folder.CHECKPOINT, tensors, facts)
    with pytest.raises(run_folder.DamagedFile, match="lacks noise; restore it from a copy"):
        fit(build(), epochs=3, run_dir=tmp_path)


def test_the_state_of_a_checkpoint_is_read_without_its_tensors(tmp_path, monkeypatch):
    fit(build(), run_dir=tmp_path)
    path = tmp_path / run_folder.CHECKPOINT
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    path.write_bytes(whole[:header] + bytes(len(whole) - header))
    assert run_folder.checkpoint_state(tmp_path).epoch == 2
    path.write_bytes(whole.replace(b'\\"epoch\\": 2', b'\\"epoch\\": 7'))
    for call in (lambda: run_folder.checkpoint_state(tmp_path), lambda: fd.load(tmp_path)):
        with pytest.raises(run_folder.DamagedFile, match="checksum"):
            call()
    with pytest.raises(FileNotFoundError, match="train first"):
        run_folder.checkpoint_state(tmp_path / "nothing")
