"""Edited JSON files of a run: each wrong key is named, in one line, by every reader of the file."""

import json

import pytest
import torch

import fastdaae as fd
from fastdaae import run_config, run_folder
from fastdaae.training.checkpoint import read_metrics
from tests.cli.edited_runs import changed, refused

METRICS = {"epoch": 1, "step": 5, "seconds": 0.1, "samples_per_second": 9.0, "losses": {"reconstruction": 0.7}}


@pytest.mark.parametrize(
    ("key", "new", "words"),
    [
        ("model", [], "config.json: model must be an object, got a list of 0"),
        ("model.model", 7, "model.model must be a text, got 7"),
        ("model.encoder.sizes", "64", "model.encoder.sizes must be at least two whole numbers >= 1, got '64'"),
        ("model.encoder.sizes.1", "wide", "model.encoder.sizes[1] must be a whole number in 1..2147483647, got 'wide'"),
        ("model.encoder.sizes.1", True, "model.encoder.sizes[1] must be a whole number in 1..2147483647, got True"),
        ("model.encoder.sizes.1", 10**300, "model.encoder.sizes[1] must be a whole number in 1..2147483647, got 100"),
        ("model.encoder.sizes.1", 2**31 - 1, "encoder.1.weight has the shape [2147483647, 64]"),
        ("model.encoder.sizes", [2**31 - 1] * 2, "model.encoder cannot be built (Storage size"),
        ("model.encoder", {}, "model.encoder.network is missing"),
        ("model.encoder", 3, "model.encoder must be a torch.nn.Module, got 3"),
        ("model.encoder.network", "cnn", "model.encoder.network must be one of 'mlp', 'cae_block_encoder'"),
        ("model.encoder.output", {}, "model.encoder.output must be None or one of 'sigmoid', 'tanh', 'relu', got {}"),
        ("model.decoder.sizes.2", 63, "must have images of one number of pixels, got encoder 64, decoder 63"),
        ("model.decoder.sizes.1", 15, "decoder.1.weight has the shape [15, 3]"),
        ("model.prior", {"name": "Cauchy"}, "model.prior.name must be one of 'Normal', 'RingMixture', got 'Cauchy'"),
        ("model.prior.dim", 4, "must have codes of one size, got encoder 3, decoder 3, discriminator 3, prior 4"),
        ("model.prior.dim", 10**20, "must have codes of one size, got encoder 3, decoder 3, discriminator 3, prior 10"),
        ("model.prior.skew", 1, "model.prior.skew is unknown; known are name, dim"),
        ("model.corruption.sigma", None, "model.corruption.sigma must be a finite number >= 0, got None"),
        ("model.corruption.sigma", float("nan"), "model.corruption.sigma must be a finite number >= 0, got nan"),
        ("model.corruption.clip", [1], "model.corruption.clip must be (low, high) or None, got [1]"),
        ("model.copies", 1 << 20, "model.copies must be a whole number in 1..65536, got 1048576"),
        ("model.loss", ["bce"], "model.loss must be one of 'bce', 'mse', got a list of 1"),
        ("model.loss", {}, "model.loss must be one of 'bce', 'mse', got an object of 0"),
        ("model.skew", 1, "model.skew is unknown; known are model, encoder, decoder"),
        ("model.model", "AAE", "model.corruption is unknown; known are model, encoder"),
        ("model.model", "DAAE", "model.fresh_corruption is missing"),
        ("model.form", "x" * 999, "model.form must be one of 'paper', 'released', got 'xxx"),
        ("trainer", "fast", "trainer must be an object, got 'fast'"),
        ("notes", None, "notes must be an object, got None"),
    ],
)
def test_wrong_values_of_a_configuration(run, key, new, words):
    path = run / run_folder.CONFIG
    path.write_text(json.dumps(changed(json.loads(path.read_text()), key, new)))
    refused(lambda: fd.load(run), str(path), words, "restore")


@pytest.mark.parametrize(
    "key",
    ["model", "model.model", "model.encoder", "model.prior.dim", "model.corruption", "model.copies", "model.loss"],
)
def test_missing_keys_of_a_configuration(run, key):
    path = run / run_folder.CONFIG
    path.write_text(json.dumps(changed(json.loads(path.read_text()), key, drop=True)))
    refused(lambda: fd.load(run), f"{path}: {key} is missing")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe{}", b"[" * 100_000, b"1" * 10_000, b"[]", b"null", b"3"])
def test_a_configuration_that_is_no_object(run, content):
    (run / run_folder.CONFIG).write_bytes(content)
    refused(lambda: fd.load(run), "config.json")


@pytest.mark.parametrize(
    ("notes", "words"),
    [
        ({}, "was trained from Python"),
        ({"data": 7}, "notes.data must be a text, got 7"),
        ({"data": "digits", "root": 7}, "notes.root must be a text, got 7"),
        ({"data": "digits", "data_options": 7}, "notes.data_options must be an object, got 7"),
    ],
)
def test_notes_are_one_s_own_until_a_command_reads_them(run, notes, words):
    path = run / run_folder.CONFIG
    path.write_text(json.dumps(changed(json.loads(path.read_text()), "notes", notes)))
    fd.load(run)
    refused(lambda: run_config.read_data_notes(run, run_config.read_config(run, "this")), words)


def test_a_run_with_a_clipped_corruption_is_resumed(tmp_path):
    mlp = fd.networks.mlp
    images = torch.rand(40, 6)

    def fit(epochs: int) -> int:
        model = fd.DAAE(
            *(mlp([6, 2]), mlp([2, 6], output="sigmoid"), mlp([2, 1])),
            prior=fd.priors.Normal(2),
            corruption=fd.corruptions.Gaussian(0.5, clip=(0, 1)),
        )
        return len(fd.Trainer(model, epochs=epochs, batch_size=8, run_dir=tmp_path).fit(images, progress=False))

    torch.manual_seed(0)
    assert fit(1) == 1 and fit(2) == 2
    assert fd.load(tmp_path).corruption == fd.corruptions.Gaussian(0.5, clip=(0, 1))


def test_loading_leaves_the_random_state_alone(run):
    before = torch.get_rng_state()
    fd.load(run)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("key", "new", "words"),
    [
        ("losses", None, "losses must be an object, got None"),
        ("losses.reconstruction", "low", "losses.reconstruction must be a number, got 'low'"),
        ("losses.reconstruction", 10**400, "losses.reconstruction must be a number, got a whole number of more than"),
        ("step", 1.5, "step must be a whole number >= 1, got 1.5"),
        ("seconds", float("inf"), "seconds must be a finite number in 0..inf, got inf"),
    ],
)
def test_wrong_values_of_metrics(run, key, new, words):
    path = run / run_folder.METRICS
    lines = [METRICS, changed({**METRICS, "epoch": 2}, key, new)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    refused(lambda: read_metrics(run), f"{path}, line 2: {words}")


def test_every_epoch_has_the_losses_of_the_last(tmp_path):
    history = [METRICS, changed(METRICS, "losses.prior", 1.0)]
    refused(lambda: run_config.require_losses(history, tmp_path), "line 1: losses.prior is missing")
    refused(lambda: run_config.require_losses([{**METRICS, "losses": {}}], tmp_path), "losses.reconstruction is miss")
    run_config.require_losses([], tmp_path)
    run_config.require_losses([METRICS, METRICS], tmp_path)


def test_a_run_id_of_any_kind_is_told_in_one_line(run):
    path = run / run_folder.CONFIG
    for new in ("a\nb\x1b[31m", "x" * 3000, 7, [1], None):
        path.write_text(json.dumps(changed(json.loads(path.read_text()), "run_id", new)))
        refused(lambda: fd.load(run), "belongs to the run")
