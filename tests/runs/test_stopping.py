"""Ctrl-C at any moment, the first ones included: the folder is clean, or the same command goes on to the same end."""

import os
import signal

import pytest

from fastdaae import run_folder
from fastdaae.training import batches
from fastdaae.training.step import TrainingStep
from tests import nursery
from tests.runs.small import build, fit, require_same_run

# each file is synced, then its folder: 1-2 config, 3-6 checkpoint and metrics of the first epoch, 7-10 of the second
MOMENTS = ["data", "first step", "fourth step", *(f"sync {place}" for place in range(1, 9))]


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard():
    """A test runner in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    fit(build(), epochs=3, run_dir=folder)
    return folder


def interrupt_at(call: int, function):
    """The function, with Ctrl-C pressed as it is called for the given time (counted from 1)."""
    calls = 0

    def wrapped(*arguments):
        nonlocal calls
        calls += 1
        if calls == call:
            signal.raise_signal(signal.SIGINT)
        return function(*arguments)

    return wrapped


@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_leaves_a_clean_folder_or_one_that_goes_on(moment, tmp_path, unbroken):
    run = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patched:
        if moment == "data":
            patched.setattr(batches, "training_examples", interrupt_at(1, batches.training_examples))
        elif moment.endswith("step"):
            call = 1 if moment == "first step" else 4
            patched.setattr(TrainingStep, "__call__", interrupt_at(call, TrainingStep.__call__))
        else:
            patched.setattr(os, "fsync", interrupt_at(int(moment.split()[1]), os.fsync))
        with pytest.raises(KeyboardInterrupt):
            fit(build(), epochs=3, run_dir=run)
    assert run.exists() == (moment != "data")
    left = {path.name for path in run.iterdir()} if run.exists() else set()
    assert left <= {run_folder.CONFIG, run_folder.CHECKPOINT, run_folder.METRICS, run_folder.LOCK}
    fit(build(), epochs=3, run_dir=run)
    require_same_run(run, unbroken)


INTERRUPTED_IMPORT = """
import signal, sys
out, interrupted = sys.argv[1:]
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == interrupted:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
from fastdaae.cli import main
sys.argv[1:] = ["train", "--out", out, "--hidden", "8", "--epochs", "1"]
main()
"""


def test_ctrl_c_during_imports_leaves_no_folder(tmp_path):
    done = nursery.run(INTERRUPTED_IMPORT, tmp_path / "run", "fastdaae.training.run")
    assert done.returncode != 0 and not (tmp_path / "run").exists()
