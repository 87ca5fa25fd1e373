"""The command line as a person uses it: each command in its own process, on real images, errors as one line."""

import json
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

import fastdaae as fd
from fastdaae import run_folder
from tests import nursery

WIDE = {"COLUMNS": "200", "TERM": "dumb"}


def run(*arguments, **environment) -> subprocess.CompletedProcess:
    return nursery.run(nursery.COMMAND_LINE, *arguments, **WIDE, **environment)


def succeed(*arguments, **environment) -> str:
    done = run(*arguments, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def train(out: Path, *more) -> str:
    return succeed("train", "--out", out, "--epochs", 2, "--hidden", "64", "--code", 4, "--lr", 1e-3, *more)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    train(folder)
    return folder


def test_train_sample_evaluate_report(trained):
    assert "10 samples each, [N, 8, 8]," in succeed("sample", trained, "--n", 10, "--steps", 2)
    with np.load(trained / run_folder.SAMPLES) as samples:
        assert samples.files == ["x0", "x2"] and samples["x0"].shape == (10, 8, 8)
        expected = fd.load(trained).sample(10, steps=2, keep=(0, 2)).numpy()
        assert np.array_equal(samples["x0"], expected[0]) and np.array_equal(samples["x2"], expected[1])
    assert (trained / "samples-x0.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    printed = succeed("evaluate", trained, "--samples", 200, "--k", 20)
    result = json.loads((trained / run_folder.EVALUATION).read_text())
    values = {(one["name"], one["of"]): one["value"] for one in result["measures"]}
    for value in (
        f"{values['reconstruction MSE', 'corrupted input']:.4f}",
        f"{values['log-likelihood', 'real training images']:,.1f}".replace("-", "−"),
        f"{values['test accuracy', 'SVM on codes']:.2%}",
        f"{values['intrinsic dimension', 'x(0)']:.2f}",
        "real training images",
    ):
        assert value in printed
    page = trained / "report" / "report.html"
    assert str(page) in succeed("report", trained)
    assert "IDAAE" in page.read_text() and len(list((trained / "report" / "figures").glob("*.png"))) >= 8


def test_the_same_command_gives_the_same_numbers(tmp_path):
    first, second = train(tmp_path / "a", "--model", "daae"), train(tmp_path / "b", "--model", "daae")
    assert first.splitlines()[-2] == second.splitlines()[-2] and "reconstruction" in first.splitlines()[-2]
    one, two = (fd.load(tmp_path / name).state_dict() for name in "ab")
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert first.splitlines()[-2] == train(tmp_path / "a", "--model", "daae").splitlines()[-2]


@pytest.mark.parametrize("model", ["aae", "daae", "idaae"])
@pytest.mark.parametrize("prior", ["normal", "ring"])
def test_every_model_and_prior_trains(model, prior, tmp_path):
    train(tmp_path, "--model", model, "--prior", prior, "--epochs", 1, "--adversarial-loss", "non_saturating")
    loaded = fd.load(tmp_path)
    assert type(loaded).__name__.lower() == model and loaded.adversarial_loss == "non_saturating"
    assert type(loaded.prior).__name__ == {"normal": "Normal", "ring": "RingMixture"}[prior]


def test_likelihood_of_a_file_of_samples(tmp_path):
    digits = fd.data.load("digits")
    images = digits.train.images.flatten(1)
    np.save(tmp_path / "images.npy", images.numpy())
    printed = succeed("likelihood", tmp_path / "images.npy", "--data", "digits")
    window = fd.ParzenWindow().fit(images, validation=digits.validation.images.flatten(1))
    mean, error = window.mean_log_likelihood(digits.test.images.flatten(1))
    assert f"{mean:.2f} ± {error:.2f} nats" in printed and f"bandwidth {window.bandwidth_:.4f}" in printed
    fixed = succeed("likelihood", tmp_path / "images.npy", "--bandwidth", 0.3)
    assert f"{fd.ParzenWindow(0.3).fit(images).score(digits.test.images.flatten(1)):.2f}" in fixed


def test_dimension_of_a_data_set():
    images = fd.data.load("digits").train.images.flatten(1)
    fitted = fd.IntrinsicDimension(k=50).fit(images[:1000])
    printed = succeed("dimension", "digits", "--n", 1000, "--k", 50)
    assert f"{fitted.dimension_:.2f} ± {fitted.standard_error_:.2f} at n = 1,000, k = 50" in printed


def test_dimension_prints_no_infinity_where_neighbours_tie():
    images = fd.data.load("digits").train.images.flatten(1)
    fitted = fd.IntrinsicDimension(k=5).fit(images)
    printed = succeed("dimension", "digits", "--n", 0, "--k", 5)
    assert "inf" not in printed and f"{fitted.dimension_per_k_[0]:.2f}" in printed
    assert fitted.ties_per_k_[0] > 0 and f"{fitted.ties_per_k_[0]} at k = 2" in printed


def test_doctor_says_what_is_live_and_why_the_rest_is_not():
    printed = succeed("doctor")
    for name, (live, detail) in fd.backends().items():
        row = next(line for line in printed.splitlines() if re.search(rf"\b{name}\b", line))
        assert (" yes " if live else " no ") in row and detail[:30] in row
    without = succeed("doctor", FASTDAAE_DATA="", FASTDAAE_BACKEND="reference")
    assert "FASTDAAE_DATA = not set" in without and "FASTDAAE_BACKEND = reference" in without


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("unknown data set|must be one of", ("train", "--out", "OUT", "--data", "mnits")),
        (
            "--model must be one of autoencoder, aae, daae, idaae, vae, .*stacked, classifier, got 'gan'",
            ("train", "--out", "OUT", "--model", "gan"),
        ),
        ("--prior must be one of normal, ring, got 'box'", ("train", "--out", "OUT", "--prior", "box")),
        ("--hidden must be layer sizes such as 1000,1000, got 'big'", ("train", "--out", "OUT", "--hidden", "big")),
        ("sigma must be a finite number >= 0, got -0.5", ("train", "--out", "OUT", "--sigma", "-0.5")),
        ("copies must be a whole number in 1..65536, got 0", ("train", "--out", "OUT", "--copies", "0")),
        ("config.json does not exist", ("sample", "OUT")),
        ("config.json does not exist", ("report", "OUT")),
        ("does not exist", ("likelihood", "OUT/nothing.npy")),
        ("k must be a whole number >= 2, got 1", ("dimension", "digits", "--k", "1")),
        ("--n must be >= 0, got -3", ("dimension", "digits", "--n", "-3")),
    ],
)
def test_errors_are_one_line_without_a_traceback(message, arguments, tmp_path):
    done = run(*(str(part).replace("OUT", str(tmp_path)) for part in arguments))
    # what began to work has said so
    assert done.returncode == 2 and done.stdout in ("", "1,297 images, 1 neighbours each\n")
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ") and re.search(message, lines[0]), done.stderr
    assert not list(tmp_path.iterdir())


def test_a_run_on_one_s_own_images_is_evaluated_from_another_folder(tmp_path):
    digits = fd.data.load("digits").train.images
    np.save(tmp_path / "mine.npy", digits[:200].numpy())
    train(tmp_path / "run", "--data", os.path.relpath(tmp_path / "mine.npy"))
    notes = json.loads((tmp_path / "run" / run_folder.CONFIG).read_text())["notes"]
    assert notes["data"] == str(tmp_path / "mine.npy")
    assert "log-likelihood" in succeed("evaluate", tmp_path / "run", "--samples", 50, "--k", 5, "--steps", 1)


def test_a_missing_data_set_says_where_it_was_looked_for(tmp_path):
    done = run("train", "--out", tmp_path / "run", "--data", "mnist", "--root", tmp_path)
    assert done.returncode == 2 and "train-images-idx3-ubyte" in done.stderr and str(tmp_path) in done.stderr


@pytest.mark.needs_data
@pytest.mark.exhaustive
def test_idaae_on_real_mnist(tmp_path):
    """One epoch of the paper's network on 50,000 images; the three-epoch figures are kept in docs/performance.md."""
    printed = succeed("train", "--data", "mnist", "--model", "idaae", "--epochs", 1, "--out", tmp_path)
    mse = float(re.search(r"validation mse ([\d.]+)", printed)[1])
    assert mse < 0.05
    model, mnist = fd.load(tmp_path), fd.data.load("mnist")
    error = fd.evaluation.reconstruction_error(model, mnist.test.images, fd.Noise(0))
    assert error.mean == pytest.approx(mse, abs=0.003) and 0 < error.standard_error < 3e-4
