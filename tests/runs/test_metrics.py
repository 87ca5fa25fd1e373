"""metrics.jsonl follows the checkpoint: whatever became of it, a resumed run ends with the lines of an unbroken one."""

import json

import pytest
import torch

import fastdaae as fd
from fastdaae import run_folder
from fastdaae.training.checkpoint import read_history
from tests.runs.small import build, fit, images, metrics, parameters, timeless

DAMAGE = {
    "missing": lambda text: None,
    "empty": lambda text: "",
    "one line short": lambda text: "".join(text.splitlines(keepends=True)[:-1]),
    "torn": lambda text: text[:-9],
    "torn in the middle": lambda text: text[:40] + "\n" + "".join(text.splitlines(keepends=True)[1:]),
    "longer": lambda text: text + text.splitlines()[-1].replace('"epoch": 3', '"epoch": 4') + "\n",
    "repeated": lambda text: text + text,
    "numbers": lambda text: "5\n6\n7\n",
}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    model = build()
    fit(model, epochs=5, run_dir=folder)
    return model, metrics(folder)


@pytest.mark.parametrize("damage", DAMAGE)
def test_metrics_are_mended_from_the_checkpoint(damage, tmp_path, unbroken):
    fit(build(), epochs=3, run_dir=tmp_path)
    path = tmp_path / run_folder.METRICS
    text = DAMAGE[damage](path.read_text())
    path.unlink() if text is None else path.write_text(text)
    assert [timeless(line) for line in read_history(tmp_path)] == unbroken[1][:3]
    resumed = build()
    history = fit(resumed, epochs=5, run_dir=tmp_path)
    assert torch.equal(parameters(resumed), parameters(unbroken[0]))
    assert metrics(tmp_path) == [timeless(line) for line in history] == unbroken[1]


def test_a_finished_run_s_metrics_are_mended_too(tmp_path):
    history = fit(build(), run_dir=tmp_path)
    (tmp_path / run_folder.METRICS).unlink()
    assert fit(build(), run_dir=tmp_path) == history
    lines = (tmp_path / run_folder.METRICS).read_text().splitlines()
    assert [json.loads(line) for line in lines] == history


def test_metrics_of_a_run_whose_checkpoint_is_gone_do_not_stay(tmp_path, unbroken):
    fit(build(), epochs=5, run_dir=tmp_path)
    (tmp_path / run_folder.CHECKPOINT).unlink()

    class Stops(fd.IDAAE):
        def step(self, x, noise, update, *, row_offset=0):
            raise KeyboardInterrupt

    model = build()
    model.__class__ = Stops
    Stops.__name__ = "IDAAE"
    with pytest.raises(KeyboardInterrupt):
        fit(model, epochs=5, run_dir=tmp_path)
    assert not (tmp_path / run_folder.METRICS).exists()
    fit(build(), epochs=5, run_dir=tmp_path)
    assert metrics(tmp_path) == unbroken[1]


def test_a_validation_loss_that_is_not_finite_stops_the_run_and_is_not_written(tmp_path):
    class Overflows(fd.IDAAE):
        def validation_losses(self, x, noise, *, row_offset=0):
            losses = super().validation_losses(x, noise, row_offset=row_offset)
            return {**losses, "mse": losses["mse"] * torch.inf}

    split = fd.data.Split(images(), None)
    data = fd.data.Dataset(split, split, split, "random")
    model = build()
    model.__class__ = Overflows
    with pytest.raises(fd.training.TrainingDiverged, match="the validation loss 'mse' is inf at step 3"):
        fit(model, data, run_dir=tmp_path)
    assert not (tmp_path / run_folder.METRICS).exists()
    fit(build(), data, run_dir=tmp_path / "finite", seed=1)
    assert [sorted(line["validation"]) for line in metrics(tmp_path / "finite")] == [["mse", "reconstruction"]] * 2


def test_lines_are_written_with_each_checkpoint(tmp_path):
    fit(build(), epochs=4, checkpoint_every=3, run_dir=tmp_path)
    resumed = fit(build(), epochs=5, checkpoint_every=3, run_dir=tmp_path)
    assert [line["epoch"] for line in resumed] == [1, 2, 3, 4, 5] == [line["epoch"] for line in metrics(tmp_path)]
