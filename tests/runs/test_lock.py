"""One training a folder at a time: the second one is told who is at work; readers are never in the way."""

import errno
import json
import os
import platform
import signal
import subprocess
import sys
import time

import pytest
import torch

import fastdaae as fd
from fastdaae import run_folder
from tests import nursery
from tests.runs.small import build, fit, images, metrics, parameters

HOLD = """
import sys, time
from pathlib import Path
from fastdaae import run_folder
with run_folder.training_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(120)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait(30)
    process.stdout.close()


def test_a_second_training_is_told_who_is_at_work_and_touches_nothing(tmp_path, holder):
    model = build()
    before = parameters(model)
    with pytest.raises(run_folder.RunFolderBusy) as caught:
        fit(model, run_dir=tmp_path)
    told = str(caught.value)
    assert f"process {holder.pid} on {platform.node()}" in told and "since 20" in told and str(tmp_path) in told
    assert "wait for it to end, stop it, or use another run_dir" in told and "\n" not in told
    assert sorted(path.name for path in tmp_path.iterdir()) == [run_folder.LOCK]
    assert torch.equal(parameters(model), before)


def test_the_lock_of_a_killed_training_is_free(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait(30)
    assert len(fit(build(), run_dir=tmp_path)) == 2


def test_the_command_line_ends_with_code_2(tmp_path, holder):
    arguments = ["train", "--out", str(tmp_path), "--hidden", "8", "--epochs", "1"]
    done = nursery.run(nursery.COMMAND_LINE, *arguments, TERM="dumb")
    assert done.returncode == 2 and f"process {holder.pid} on" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_lock_is_held_for_the_whole_fit_and_readers_are_let_in(tmp_path):
    fit(build(), epochs=1, run_dir=tmp_path)
    seen = []

    class Watched(fd.IDAAE):
        def validation_losses(self, x, noise, *, row_offset=0):
            with pytest.raises(run_folder.RunFolderBusy):
                fit(build(), run_dir=tmp_path)
            seen.append(len(fd.load(tmp_path).sample(2)) + run_folder.checkpoint_state(tmp_path).epoch)
            return super().validation_losses(x, noise, row_offset=row_offset)

    model = build()
    model.__class__ = Watched
    Watched.__name__ = "IDAAE"
    split = fd.data.Split(images(), None)
    fit(model, fd.data.Dataset(split, split, split, "random"), epochs=3, run_dir=tmp_path)
    assert seen == [3, 4]
    assert len(fit(build(), epochs=4, run_dir=tmp_path)) == 4


def test_the_lock_is_released_when_training_fails(tmp_path):
    with pytest.raises(fd.training.TrainingDiverged):
        fit(build(), epochs=1, lr=1e38, optimizer="sgd", run_dir=tmp_path)
    assert len(fit(build(), run_dir=tmp_path)) == 2


@pytest.mark.parametrize("lacking", ["fcntl", "file system"])
def test_where_nothing_can_be_locked_training_goes_on_and_says_so(lacking, tmp_path, monkeypatch):
    from fastdaae.run_folder import flock

    if lacking == "fcntl":
        monkeypatch.setattr(flock, "fcntl", None)
    else:
        monkeypatch.setattr(flock.fcntl, "flock", _no_locks)
    with pytest.warns(RuntimeWarning, match=r"run_dir .* cannot be locked \(.*\); make sure that no other training"):
        fit(build(), run_dir=tmp_path)
    assert len(metrics(tmp_path)) == 2 and not list(tmp_path.glob(".*partial"))


def _no_locks(descriptor, operation):
    raise OSError(errno.ENOLCK, "No locks available")


def test_two_processes_that_start_at_once_train_one_after_the_other_or_not_at_all(tmp_path):
    code = f"""
import sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
from tests import nursery
from tests.runs.small import build, fit
from fastdaae import run_folder
try:
    fit(build(), epochs=20, run_dir=Path(sys.argv[1]))
except run_folder.RunFolderBusy:
    sys.exit(7)
"""
    processes = [nursery.start(code, tmp_path) for _ in range(2)]
    codes = sorted(process.wait(120) for process in processes)
    assert codes in ([0, 0], [0, 7])
    straight = build()
    fit(straight, epochs=20)
    assert torch.equal(parameters(fd.load(tmp_path)), parameters(straight)) and len(metrics(tmp_path)) == 20


def test_a_symlinked_lock_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / run_folder.LOCK).symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="lock"):
        fit(build(), run_dir=tmp_path / "run")
    assert (tmp_path / "precious").read_text() == "kept"


def test_the_holder_s_note_is_json_and_gone_afterwards(tmp_path):
    started = time.time()
    with run_folder.training_lock(tmp_path):
        note = json.loads((tmp_path / run_folder.LOCK).read_text())
    assert note["pid"] == os.getpid() and note["host"] == platform.node() and note["since"] and time.time() > started
    assert (tmp_path / run_folder.LOCK).read_text() == ""
