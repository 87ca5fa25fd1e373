"""Reports and evaluations of runs that were trained from Python, whose data moved, or whose data are others now."""

import inspect
import json
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae import run_config, run_folder
from fastdaae.data import Dataset, Split
from fastdaae.reporting import of_run
from fastdaae.training.checkpoint import read_history
from tests.cli.edited_runs import changed, train


@pytest.fixture
def drawn(monkeypatch) -> list[SimpleNamespace]:
    """What `build` was given, which takes seconds to draw and is tested elsewhere."""
    signature, given = inspect.signature(of_run.build), []

    def build(*arguments, **options):
        bound = signature.bind(*arguments, **options)
        bound.apply_defaults()
        given.append(SimpleNamespace(**bound.arguments))
        return given[-1].out_dir / "report.html"

    monkeypatch.setattr(of_run, "build", build)
    return given


def test_report_takes_all_from_the_run(run, drawn):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pages = [fd.report(run, data=data, device="cpu") for data in (fd.data.load("digits"), "digits")]
    assert pages == [run / "report" / "report.html"] * 2
    for given in drawn:
        assert (type(given.model).__name__, given.dataset.name, given.measures) == ("IDAAE", "digits", None)
        assert given.history == read_history(run) and given.config["made_with"]
        assert given.checkpoint == run_folder.checkpoint_state(run)._asdict()


def test_report_is_public_and_has_the_numbers(run):
    assert "report" in fd.__all__ and callable(fd.report)
    digits = fd.data.load("digits")
    measures = fd.evaluation.evaluate(fd.load(run), digits, samples=30, steps=1, k=3)
    state = run_folder.checkpoint_state(run)._asdict()
    fd.evaluation.write_evaluation(run, measures, model="IDAAE", data="digits", seed=0, checkpoint=state)
    page = fd.report(str(run), data="digits").read_text()
    assert "IDAAE on digits" in page and "log-likelihood, nats" in page


@pytest.mark.parametrize("command", [("evaluate", "--samples", 30, "--steps", 1, "--k", 3), ("report",)])
def test_a_run_from_python_takes_its_data_from_the_option(command, run, fastdaae, drawn):
    name, *options = command
    code, _, err = fastdaae(name, run, *options)
    assert code == 2 and len(err) == 1 and "name it with --data, or with data= from Python" in err[0], err
    code, _, err = fastdaae(name, run, "--data", "digits", *options)
    assert (code, err) == (0, []), err
    assert (run / run_folder.EVALUATION).exists() == (name == "evaluate")


def test_a_report_of_a_run_from_python_needs_its_data(run):
    with pytest.raises(ValueError, match="name it with --data, or with data= from Python"):
        fd.report(run)


def test_other_images_than_those_of_the_run_are_warned_of(run, fastdaae, drawn, tmp_path):
    images = fd.data.load("digits").train.images
    np.save(tmp_path / "fewer.npy", images[:100].numpy())
    code, _, err = fastdaae("report", run, "--data", tmp_path / "fewer.npy")
    assert code == 0 and len(err) == 1 and err[0].startswith(f"warning: {run} was trained on other images"), err
    assert "1297x8x8 uint8 crc32" in err[0] and "80x8x8 uint8 crc32" in err[0]
    mine = Dataset(Split(images.flip(0)), None, Split(images[:20]), "mine")
    with pytest.warns(UserWarning, match="trained on other images than those of mine"):
        fd.report(run, data=mine)


@pytest.mark.parametrize("command", ["evaluate", "report"])
def test_images_of_another_size_are_refused_in_one_line(command, run, fastdaae, drawn, tmp_path):
    np.save(tmp_path / "larger.npy", np.zeros((40, 9, 9), np.uint8))
    code, _, err = fastdaae(command, run, "--data", tmp_path / "larger.npy")
    told = f"data must be images of the shape [8, 8], as {run} was trained on, and larger has [9, 9]"
    assert code == 2 and len(err) == 1 and told in err[0], err


def test_data_that_moved_are_named_again(fastdaae, drawn, tmp_path):
    np.save(tmp_path / "a.npy", fd.data.load("digits").train.images[:100].numpy())
    line = ("train", "--out", tmp_path / "run", "--hidden", 8, "--epochs", 1)
    assert fastdaae(*line, "--data", tmp_path / "a.npy")[0] == 0
    (tmp_path / "a.npy").rename(tmp_path / "b.npy")
    code, _, err = fastdaae("report", tmp_path / "run")
    assert code == 2 and "a.npy" in err[0] and "which does not exist" in err[0]
    code, _, err = fastdaae("report", tmp_path / "run", "--data", tmp_path / "b.npy")
    assert (code, err) == (0, []), err


class Centred(nn.Module):
    """A layer that no configuration describes."""

    def forward(self, x):
        return x.flatten(1) - 0.5


def test_a_report_around_networks_or_a_model_of_one_s_own(drawn, tmp_path):
    def networks() -> dict[str, nn.Module]:
        decoder = nn.Sequential(nn.Linear(2, 12), nn.Sigmoid())
        return {"encoder": nn.Sequential(Centred(), nn.Linear(12, 2)), "decoder": decoder}

    def model() -> fd.AAE:
        return fd.AAE(**networks(), discriminator=fd.networks.mlp([2, 4, 1]), prior=fd.priors.Normal(2))

    images = torch.rand(40, 3, 4)
    dataset = Dataset(Split(images), None, Split(images[:10]), "mine")
    fd.Trainer(model(), epochs=1, batch_size=20, run_dir=tmp_path).fit(dataset, progress=False)
    for given in ({"model": model()}, {"networks": networks()}):
        fd.report(tmp_path, data=dataset, **given)
    trained = run_folder.load_tensors(tmp_path / run_folder.CHECKPOINT)[0]["model/encoder.1.weight"]
    assert [given.dataset.name for given in drawn] == ["mine", "mine"]
    assert all(torch.equal(given.model.encoder[1].weight, trained) for given in drawn)
    with pytest.raises(ValueError, match="encoder"):
        fd.report(tmp_path, data=dataset)


@pytest.mark.parametrize(
    ("noted", "fingerprint", "shape"),
    [
        ([3, 8, 12], "60x3x8x12 uint8 crc32 0", (3, 8, 12)),
        (None, "60x3x8x12 uint8 crc32 0", (3, 8, 12)),
        (None, "60x64 float32 crc32 0", (64,)),
        ("wide", "60x0x4 uint8 crc32 0", None),
        ([0], "nothing", None),
        (None, None, None),
    ],
)
def test_the_shape_of_a_run_s_images(noted, fingerprint, shape):
    config = {"model": {"image_shape": noted}, **({} if fingerprint is None else {"data": fingerprint})}
    assert run_config.image_shape(config) == shape


@pytest.mark.parametrize(
    ("key", "new", "words"),
    [
        ("notes.networks", 3, "notes.networks must be an object, got 3"),
        ("notes.networks.file", 3, "notes.networks.file must be a text, got 3"),
        ("notes.networks.code", "4", "notes.networks.code must be a whole number >= 1, got '4'"),
        ("notes.networks.sha256", None, "notes.networks.sha256 must be a text, got None"),
    ],
)
def test_wrong_notes_of_networks(key, new, words, run):
    config = run_config.read_config(run, "this")
    assert run_config.read_networks_notes(run, config) is None
    noted = {"file": "/a.py", "function": "make", "sha256": "0" * 64, "code": 4}
    config["notes"] = {"networks": noted}
    assert run_config.read_networks_notes(run, config) == noted
    with pytest.raises(ValueError, match="config.json") as told:
        run_config.read_networks_notes(run, changed(config, key, new))
    assert words in str(told.value)


def test_a_run_says_which_version_made_it(tmp_path):
    config = json.loads((train(tmp_path) / run_folder.CONFIG).read_text())
    assert config["made_with"]["fastdaae"] == fd.__version__


def test_samples_of_flat_rows_are_kept_without_a_picture(fastdaae, tmp_path):
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).random((50, 64), dtype=np.float32))
    line = ("train", "--out", tmp_path / "run", "--hidden", 8, "--epochs", 1, "--data", tmp_path / "rows.npy")
    assert fastdaae(*line)[0] == 0
    code, out, err = fastdaae("sample", tmp_path / "run", "--n", 5, "--steps", 1)
    assert (code, err) == (0, []) and "no picture: rows of [64] are no images" in out
    with np.load(tmp_path / "run" / run_folder.SAMPLES) as samples:
        assert samples["x1"].shape == (5, 64)
    assert not list((tmp_path / "run").glob("*.png"))
