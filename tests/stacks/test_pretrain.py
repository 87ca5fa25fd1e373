"""Training block by block: what each block sees, the runs that it makes, and that kills change nothing."""

import os
import signal
import time

import pytest
import torch

import fastdaae as fd
from fastdaae import run_folder
from fastdaae.corruptions import Gaussian
from fastdaae.models import Autoencoder, StackedAutoencoder
from fastdaae.training import batches, layerwise
from fastdaae.training.checkpoint import read_history
from fastdaae.training.step import TrainingStep
from tests import nursery
from tests.runs.small import require_same_run, timeless
from tests.runs.test_stopping import interrupt_at
from tests.stacks.small import block, dataset, images, mlp, moved, refused, stack, state

SETTINGS = {"epochs": 2, "batch_size": 32, "lr": 1e-2, "optimizer": {"name": "adam", "weight_decay": 1e-7}}
SIZES = (16, 10, 8, 4)


def pretrain(model, data=None, **more):
    return fd.training.pretrain(model, dataset() if data is None else data, progress=False, **{**SETTINGS, **more})


def times_left_out(histories):
    return [[timeless(line) for line in history] for history in histories]


def require_same_runs(run, other):
    for folder in (".", "block-1", "block-2"):
        require_same_run(run / folder, other / folder)


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard():
    """A test runner in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    pretrain(stack(), run_dir=folder)
    return folder


def test_a_stack_of_one_block_is_trained_as_the_block():
    whole, alone = stack(sizes=(16, 8)), stack(sizes=(16, 8)).blocks[0]
    (history,) = pretrain(whole)
    expected = fd.Trainer(alone, **SETTINGS).fit(dataset(), progress=False)
    assert times_left_out([history]) == times_left_out([expected])
    assert not moved(whole.blocks[0], state(alone))


def test_each_block_is_trained_on_the_clean_codes_of_the_block_below():
    model, by_hand = stack(sizes=SIZES), stack(sizes=SIZES)
    histories = pretrain(model)
    seen = {"train": dataset().train.images, "validation": dataset().validation.images}
    for one, history in zip(by_hand.blocks, histories, strict=True):
        data = fd.data.Dataset(*(fd.data.Split(x) for x in seen.values()), None, "codes")
        assert times_left_out([fd.Trainer(one, **SETTINGS).fit(data, progress=False)]) == times_left_out([history])
        with torch.no_grad():
            seen = {name: one.encode(x) for name, x in seen.items()}
    assert not moved(model, state(by_hand))
    assert [one.image_shape for one in model.blocks] == [(4, 4), (10,), (8,)]


def test_blocks_below_do_not_move(monkeypatch):
    model, seen = stack(sizes=SIZES), []
    before, fit = state(model), fd.Trainer.fit

    def watched(self, *arguments, **more):
        result = fit(self, *arguments, **more)
        seen.append(moved(model, before))
        return result

    monkeypatch.setattr(fd.Trainer, "fit", watched)
    pretrain(model)
    blocks = [{name.split(".")[1] for name in names} for names in seen[:3]]
    assert blocks == [{"0"}, {"0", "1"}, {"0", "1", "2"}]


@pytest.mark.parametrize("chunk", [5, 96, 4096])
def test_codes_are_made_in_chunks_and_stay_on_the_device(chunk, monkeypatch):
    handed, fit = [], fd.Trainer.fit
    monkeypatch.setattr(layerwise, "_CHUNK", chunk)
    monkeypatch.setattr(fd.Trainer, "fit", lambda self, x, **more: (handed.append(x), fit(self, x, **more))[1])
    model = stack()
    pretrain(model)
    codes = handed[-1]
    with torch.no_grad():
        for given, x in ((codes.train, dataset().train.images), (codes.validation, dataset().validation.images)):
            assert torch.allclose(given, model.blocks[0].encode(x), atol=1e-6)
            assert given.dtype == torch.float32 and not given.requires_grad
            assert given.device == next(model.parameters()).device


def test_the_stack_stands_in_the_folder_as_a_run(unbroken, tmp_path):
    model = stack()
    histories = pretrain(model, run_dir=tmp_path)
    loaded = fd.load(tmp_path)
    assert not moved(loaded, state(model)) and type(loaded) is StackedAutoencoder and loaded.image_shape == (4, 4)
    for k, one in enumerate(loaded.blocks, start=1):
        assert not moved(one, state(fd.load(tmp_path / f"block-{k}")))
    lines = read_history(tmp_path)
    assert [(line["block"], line["epoch"], line["step"]) for line in lines] == [
        (1, 1, 3),
        (1, 2, 6),
        (2, 3, 9),
        (2, 4, 12),
    ]
    assert [line["losses"] for line in lines] == [line["losses"] for history in histories for line in history]
    assert all(set(line["validation"]) == {"reconstruction", "mse"} for line in lines)
    assert len({line["run_id"] for line in lines}) == 1
    require_same_runs(tmp_path, unbroken)
    assert fd.report(tmp_path, data=dataset()).exists()


def test_a_finished_pretraining_is_not_done_again(tmp_path):
    model, again = stack(), stack(seed=9)
    histories = pretrain(model, run_dir=tmp_path)
    checkpoints = {path: path.stat().st_mtime_ns for path in tmp_path.rglob(run_folder.CHECKPOINT)}
    assert pretrain(again, run_dir=tmp_path) == histories and not moved(again, state(model))
    assert {path: path.stat().st_mtime_ns for path in checkpoints} == checkpoints and len(checkpoints) == 3


MOMENTS = ["step 2", "step 7", "step 12", "codes 1", "codes 2", *(f"fsync {n}" for n in range(1, 27, 5)), "save"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_pretraining_stopped_at_any_moment_goes_on_to_the_bit(moment, unbroken, tmp_path):
    what, _, number = moment.partition(" ")
    owner, name = {
        "step": (TrainingStep, "__call__"),
        "codes": (layerwise._Layerwise, "_encoded"),
        "fsync": (os, "fsync"),
        "save": (layerwise, "_joined"),
    }[what]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(owner, name, interrupt_at(int(number or 1), getattr(owner, name)))
        with pytest.raises(KeyboardInterrupt):
            pretrain(stack(), run_dir=tmp_path)
    pretrain(stack(), run_dir=tmp_path)
    require_same_runs(tmp_path, unbroken)


CODE = """
import sys
from tests.stacks.test_pretrain import pretrain, stack
pretrain(stack(), run_dir={folder!r}, epochs=12)
"""


def test_a_killed_pretraining_goes_on_to_the_bit(tmp_path):
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    pretrain(stack(), run_dir=straight, epochs=12)
    for place in ("block-1", "block-2"):
        process = nursery.start(CODE.format(folder=str(killed)))
        while not (killed / place / run_folder.CHECKPOINT).exists() and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert not (killed / run_folder.CHECKPOINT).exists()
    pretrain(stack(), run_dir=killed, epochs=12)
    require_same_runs(killed, straight)


def test_losses_that_only_some_blocks_have_stay_in_their_own_runs(tmp_path):
    class Told(Autoencoder):
        def step(self, x, noise, update, **where):
            losses = super().step(x, noise, update, **where)
            return {**losses, "size": losses["reconstruction"].detach() * 0 + 3.0}

    torch.manual_seed(0)
    told = Told(mlp([16, 8], "sigmoid"), mlp([8, 16], "sigmoid"), loss="mse")
    first, second = pretrain(StackedAutoencoder([told, block(8, 4)]), run_dir=tmp_path)
    assert first[0]["losses"]["size"] == 3.0 and set(second[0]["losses"]) == {"reconstruction"}
    assert {name for line in read_history(tmp_path) for name in line["losses"]} == {"reconstruction"}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda run: pretrain(block(16, 8), run_dir=run),
            "stack must be a fastdaae.models.StackedAutoencoder, got Auto",
        ),
        (lambda run: pretrain(stack(), run_dir=run, epochs=0), "epochs must be a whole number >= 1"),
        (lambda run: pretrain(stack(), images()[:, :3], run_dir=run), "dataset must hold images that the model takes"),
        (lambda run: pretrain(stack(), "digits", run_dir=run), "pass fd.data.load('digits')"),
        (lambda run: pretrain(stack(loss="bce"), images() * 1.0, run_dir=run), "dataset must hold floats in [0, 1]"),
    ],
)
def test_what_cannot_be_pretrained_is_refused_before_any_work(call, words, tmp_path):
    refused(lambda: call(tmp_path / "run"), words)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda run: pretrain(stack(), run_dir=run, epochs=3), "holds a run with epochs=2, and this one has 3"),
        (lambda run: pretrain(stack(), images(50), run_dir=run), "holds a run with data="),
        (lambda run: pretrain(stack(corruption=Gaussian(0.1)), run_dir=run), "holds a run with blocks="),
        (lambda run: fd.Trainer(stack(), run_dir=run, **SETTINGS).fit(dataset()), "holds a run with layerwise=True"),
        (lambda run: pretrain(stack(), run_dir=run / "block-1"), "holds a run with model='Autoencoder'"),
    ],
)
def test_another_run_s_folder_is_refused(call, words, unbroken):
    before = {path: path.read_bytes() for path in unbroken.rglob(run_folder.CHECKPOINT)}
    refused(lambda: call(unbroken), words)
    assert {path: path.read_bytes() for path in before} == before


def test_two_cannot_train_in_one_folder(tmp_path):
    with run_folder.training_lock(tmp_path), pytest.raises(run_folder.RunFolderBusy):
        pretrain(stack(), run_dir=tmp_path)
    assert batches.fingerprint(images()) and not (tmp_path / "block-1").exists()
