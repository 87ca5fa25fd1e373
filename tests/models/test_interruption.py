"""Kill -9 in training and while a checkpoint is written: the resumed run ends bit for bit like an unbroken one."""

import signal
import time

import pytest

from fastdaae import run_folder
from tests import nursery
from tests.runs.small import metrics, require_same_run

TRAIN = """
import os, signal, sys
import torch
import fastdaae as fd

run_dir, fatal_sync = sys.argv[1], int(sys.argv[2])
synced = 0

def kill_while_writing(descriptor, sync=os.fsync):
    global synced
    synced += 1
    if synced == fatal_sync:
        os.kill(os.getpid(), signal.SIGKILL)
    sync(descriptor)

os.fsync = kill_while_writing
torch.manual_seed(0)
mlp = fd.networks.mlp
networks = [mlp([64, 128, 4]), mlp([4, 128, 64], output="sigmoid"), mlp([4, 128, 1])]
model = fd.IDAAE(*networks, prior=fd.priors.Normal(4), corruption=fd.corruptions.Gaussian(0.5), copies=3)
fd.Trainer(model, epochs=6, batch_size=32, lr=1e-3, run_dir=run_dir).fit(fd.data.load("digits"), progress=False)
"""


def train(run_dir, fatal_sync: int = 0) -> nursery.Child:
    return nursery.start(TRAIN, run_dir, fatal_sync, OMP_NUM_THREADS="1")


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    assert train(folder).wait(120) == 0
    return folder


def require_same_end(run_dir, unbroken) -> None:
    assert train(run_dir).wait(120) == 0
    assert run_folder.checkpoint_state(run_dir)[1:] == (6, 240) and len(metrics(run_dir)) == 6
    require_same_run(run_dir, unbroken)


def test_kill_in_the_middle_of_training(tmp_path, unbroken):
    process = train(tmp_path)
    deadline = time.monotonic() + 60
    while not (tmp_path / run_folder.CHECKPOINT).exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL
    require_same_end(tmp_path, unbroken)


# each file is synced, then its folder: 1-2 config, 3-6 checkpoint and metrics of the first epoch, 7-10 of the second
@pytest.mark.parametrize("fatal_sync", [1, 3, 4, 5, 7, 9])
def test_kill_while_a_file_is_written(fatal_sync, tmp_path, unbroken):
    process = train(tmp_path, fatal_sync)
    assert process.wait(120) == -signal.SIGKILL
    require_same_end(tmp_path, unbroken)
