"""Files of a run are replaced whole or not at all: full disks, links in the way, leftovers of killed processes."""

import errno
import os
import secrets
import subprocess
import sys

import numpy as np
import pytest
import torch

import fastdaae as fd
from fastdaae import run_folder
from fastdaae.cli import runs
from tests.runs.small import build, fit, metrics, parameters

OWN = ["checkpoint.safetensors", "config.json", "metrics.jsonl", "evaluation.json", "lock"]


def test_partial_files_are_new_regular_files_and_links_are_not_followed(tmp_path, monkeypatch):
    precious, path = tmp_path / "precious", tmp_path / "run" / "config.json"
    precious.write_text("kept")
    path.parent.mkdir()
    for name in (".config.json.partial", ".config.json.0000.partial"):
        (path.parent / name).symlink_to(precious)
    run_folder.write_text(path, "new")
    assert path.read_text() == "new" and precious.read_text() == "kept" and not path.is_symlink()
    monkeypatch.setattr(secrets, "token_hex", lambda count: "0000")
    with pytest.raises(OSError, match="config.json could not be written"):
        run_folder.write_text(path, "newer")
    assert path.read_text() == "new" and precious.read_text() == "kept"


def test_a_partial_file_that_a_crash_left_is_removed_and_a_living_one_stays(tmp_path):
    path = tmp_path / "config.json"
    for left in (".config.json.partial", ".config.json.12ab.partial", ".metrics.jsonl.12ab.partial"):
        (tmp_path / left).write_text("left")

    def write_another_meanwhile(temporary):
        run_folder.write_text(path, "theirs")
        temporary.write_text("ours")

    run_folder.replace_atomically(path, write_another_meanwhile)
    assert path.read_text() == "ours"
    assert sorted(p.name for p in tmp_path.iterdir()) == [".metrics.jsonl.12ab.partial", "config.json"]


def test_strange_things_named_like_partial_files_are_left_alone(tmp_path):
    os.mkfifo(tmp_path / ".a.txt.00.partial")
    (tmp_path / ".a.txt.01.partial").mkdir()
    run_folder.write_text(tmp_path / "a.txt", "text")
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError, OSError(errno.ENOSPC, "No space left on device")])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(failure, tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def fail(temporary):
        temporary.write_text("ne")
        raise failure

    with pytest.raises(failure if isinstance(failure, type) else OSError) as caught:
        run_folder.replace_atomically(path, fail)
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["file"]
    if isinstance(failure, OSError):
        told = f"{path} could not be written (No space left on device); what was there before is untouched; free some"
        assert str(caught.value).startswith(told) and caught.value.errno == errno.ENOSPC


def test_written_files_have_the_usual_permissions(tmp_path):
    fit(build(), run_dir=tmp_path / "run")
    (tmp_path / "usual").touch()
    usual = (tmp_path / "usual").stat().st_mode
    for name in (run_folder.CHECKPOINT, run_folder.CONFIG, run_folder.METRICS):
        assert (tmp_path / "run" / name).stat().st_mode == usual, name


@pytest.mark.parametrize("failing", ["write", "fsync"])
def test_a_disk_that_fills_up_keeps_the_last_checkpoint(failing, tmp_path, monkeypatch):
    from fastdaae.run_folder import atomic

    straight = build()
    fit(straight, epochs=3)
    fit(build(), epochs=1, run_dir=tmp_path)
    before = (tmp_path / run_folder.CHECKPOINT).read_bytes()
    original = atomic._sync if failing == "fsync" else run_folder.tensors.Path.write_bytes

    def full(path, *arguments):
        if run_folder.CHECKPOINT in path.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return original(path, *arguments)

    with monkeypatch.context() as patched:
        owner, name = (atomic, "_sync") if failing == "fsync" else (run_folder.tensors.Path, "write_bytes")
        patched.setattr(owner, name, full)
        with pytest.raises(OSError, match=r"checkpoint.safetensors could not be written \(No space left on device\)"):
            fit(build(), epochs=3, run_dir=tmp_path)
    assert (tmp_path / run_folder.CHECKPOINT).read_bytes() == before and not list(tmp_path.glob(".*"))
    assert run_folder.checkpoint_state(tmp_path).epoch == 1 == len(metrics(tmp_path))
    resumed = build()
    fit(resumed, epochs=3, run_dir=tmp_path)
    assert torch.equal(parameters(resumed), parameters(straight))


SMALL_DISK = """
import subprocess, sys
from pathlib import Path
folder = Path(sys.argv[1])
if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + sys.argv[2], "tmpfs", str(folder)]).returncode:
    sys.exit(77)
sys.path[:0] = sys.argv[3].split(":")
from fastdaae import run_folder
from fastdaae.cli import runs
from tests.runs.small import build, fit, metrics
fit(build(), epochs=1, run_dir=folder)
ballast = folder / "ballast"
try:
    with open(ballast, "wb", buffering=0) as file:
        while file.write(bytes(1024)):
            pass
except OSError:
    pass
before = (folder / run_folder.CHECKPOINT).read_bytes()
try:
    fit(build(), epochs=2, run_dir=folder)
except OSError as error:
    print(error)
assert (folder / run_folder.CHECKPOINT).read_bytes() == before
assert not list(folder.glob(".*")), list(folder.iterdir())
ballast.unlink()
fit(build(), epochs=2, run_dir=folder)
assert len(metrics(folder)) == 2 and run_folder.checkpoint_state(folder).epoch == 2
print("went on")
"""


def test_a_disk_that_is_really_full(tmp_path):
    command = ["unshare", "-rm", sys.executable, "-c", SMALL_DISK, str(tmp_path), "128k", ":".join(sys.path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"a file system of one's own cannot be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout + done.stderr
    told, went_on = done.stdout.splitlines()
    assert "could not be written (No space left on device)" in told and went_on == "went on"


@pytest.mark.parametrize("name", OWN)
def test_a_run_s_own_files_are_no_place_for_output(name, tmp_path, monkeypatch):
    run, other = tmp_path / "run", tmp_path / "other"
    for folder in (run, other):
        fit(build(), epochs=1, run_dir=folder)
        (folder / "evaluation.json").write_text("{}")
    (tmp_path / "link").symlink_to(run / name)
    os.link(run / name, tmp_path / "hard")
    monkeypatch.chdir(run)
    ways = [run / name, other / name, run / "." / ".." / "run" / name, tmp_path / "link", tmp_path / "hard", name]
    for path in ways:
        with pytest.raises(ValueError, match=f"out must not be a run's own file, got .*{name}|link|hard"):
            run_folder.refuse_own_files(path, run)
    run_folder.refuse_own_files(run / "samples.npz", run)
    run_folder.refuse_own_files(tmp_path / name, run)


def test_samples_do_not_overwrite_a_checkpoint(tmp_path):
    fit(build(), epochs=1, run_dir=tmp_path)
    path = tmp_path / run_folder.CHECKPOINT
    before = path.read_bytes()
    with pytest.raises(ValueError, match="out must not be a run's own file"):
        runs.sample(tmp_path, n=4, steps=1, out=path)
    assert path.read_bytes() == before and len(fd.load(tmp_path).sample(2)) == 2


def test_a_large_history_and_strange_names_survive(tmp_path):
    tensors = {"ä/é": torch.zeros(2), "a.b": torch.ones(1, dtype=torch.bfloat16), "scalar": torch.tensor(3)}
    facts = {"text": "ü" * 100, "list": [1, 2.5, None]}
    run_folder.save_tensors(tmp_path / "x", tensors, facts)
    loaded, read = run_folder.load_tensors(tmp_path / "x")
    assert read == facts and all(torch.equal(loaded[name], tensor) for name, tensor in tensors.items())
    assert np.array_equal(loaded["scalar"], 3) and loaded["scalar"].shape == ()
