"""Every model through the same commands: trained, resumed, sampled, measured and shown, at sizes that take no time."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import fastdaae as fd
from fastdaae import run_folder
from fastdaae.cli.work.building import MODELS
from tests import nursery

TINY = ("--hidden", "8,4", "--lr", 1e-3, "--batch-size", 32, "--seed", 3)


class Model(NamedTuple):
    """A model's options, what is measured of it, and the sets of samples that are drawn of it."""

    options: tuple
    measures: str = "reconstruction"
    samples: tuple[str, ...] = ("x0", "x1")


NO_PRIOR = ("originals", "x0", "x1")
CASES = {
    "autoencoder": Model(("--corruption", "salt-and-pepper:0.25"), "reconstruction,retrieval", NO_PRIOR),
    "aae": Model(("--adversarial-loss", "non_saturating"), "reconstruction,log-likelihood"),
    "daae": Model(("--prior", "ring", "--corruption", "clipped:0.5")),
    "idaae": Model(("--copies", 2, "--sigma", 0.3), "reconstruction,dimension"),
    "vae": Model(("--beta", 0.5, "--warm-up", 5, "--corruption", "masking:0.3"), "reconstruction,bounds"),
    "noise-transformer": Model(("--weight", 0.2, "--floor", 0.3), "reconstruction", NO_PRIOR),
    "stacked": Model(
        ("--corruption", "gaussian:0.4", "--loss", "mse"), "reconstruction,linear svm", ("originals", "top_down")
    ),
    "classifier": Model((), "accuracy", ()),
}


def run(*arguments):
    return nursery.run(nursery.COMMAND_LINE, *arguments, COLUMNS="200", TERM="dumb")


def succeed(*arguments) -> str:
    done = run(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> tuple:
    """The option that names a file of a few labelled pictures, of which figures are drawn in no time."""
    path, digits = tmp_path_factory.mktemp("data") / "digits.npz", fd.data.stand_in("digits", images=64)
    parts = {part: getattr(digits, part) for part in ("train", "validation", "test")}
    arrays = {f"{part}_{name}": getattr(split, name) for part, split in parts.items() for name in ("images", "labels")}
    np.savez(path, **arrays)
    return ("--data", path)


def test_the_table_has_every_model():
    assert set(CASES) == set(MODELS)


def trained(name: str, folder: Path, data: tuple) -> tuple:
    """The command that trained a model's run in the folder "run", which goes on with it."""
    start = ("--model", name, *data, *(() if name == "stacked" else ("--code", 3)))
    if name == "classifier":
        succeed(
            "train", "--model", "autoencoder", "--code", 3, "--epochs", 1, *TINY, *data, "--out", folder / "pretrained"
        )
        start = ("--pretrained", folder / "pretrained")
    command = ("train", *start, *TINY, *CASES[name].options, "--epochs", 2, "--out", folder / "run")
    succeed(*command)
    return command


def require_samples(out: Path, names: tuple[str, ...], data: tuple) -> None:
    """Samples of a run are five images of each of the names; without a prior they start from its test images."""
    with np.load(out / run_folder.SAMPLES) as drawn:
        assert tuple(drawn) == names and all(drawn[name].shape == (5, 8, 8) for name in names)
        if "originals" in names:
            images = fd.data.load(data[1]).test.images[:5]
            np.testing.assert_array_equal(drawn["originals"], images.float() / 255)
            reconstructed = fd.load(out).reconstruct(images).detach()
            found = drawn["x0"] if "x0" in names else fd.load(out).sample_top_down(images)[0]
            wanted = reconstructed if "x0" in names else drawn["top_down"]
            np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_every_command_takes_the_model(name, tmp_path, data):
    out, (_, measures, samples) = tmp_path / "run", CASES[name]
    command = trained(name, tmp_path, data)
    again = succeed(*command)
    assert "epochs in" in again and run_folder.checkpoint_state(out).epoch == (4 if name == "stacked" else 2)
    assert type(fd.load(out)).__name__ == MODELS[name]
    sampled = run("sample", out, "--n", 5, "--steps", 1)
    if samples:
        assert sampled.returncode == 0, sampled.stderr
        require_samples(out, samples, data)
    else:
        assert sampled.returncode == 2 and "has no images to sample" in sampled.stderr, sampled.stderr
        assert len(sampled.stderr.splitlines()) == 1
    if name == "classifier":
        np.save(tmp_path / "other.npy", np.zeros((40, 9, 9), np.uint8))
        done = run(
            "train", "--pretrained", tmp_path / "pretrained", "--data", tmp_path / "other.npy", "--out", out / "2"
        )
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    succeed("evaluate", out, "--measures", measures, "--samples", 50, "--steps", 1, "--k", 5)
    taken = json.loads((out / run_folder.EVALUATION).read_text())["measures"]
    assert taken and all(measure["value"] is not None for measure in taken), taken


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", CASES)
def test_every_model_has_its_report(name, tmp_path, data):
    trained(name, tmp_path, data)
    page = succeed("report", tmp_path / "run").strip().rpartition(" ")[2]
    assert Path(page).stat().st_size > 10_000


@pytest.mark.parametrize("name", ["autoencoder", "vae", "stacked"])
def test_decoders_reach_images_outside_of_pixels(name, fastdaae, tmp_path, monkeypatch):
    patches = fd.data.stand_in("patches", images=64)
    monkeypatch.setattr(fd.data, "load", lambda *_, **__: patches)
    options = ("train", "--model", name, "--data", "patches", "--loss", "mse", "--epochs", 1)
    code, _, err = fastdaae(*options, *TINY, "--out", tmp_path / "run")
    assert code == 0, err
    model = fd.load(tmp_path / "run")
    assert model.decoder_output == "linear" and model.reconstruct(patches.test.images).min() < 0
    if name != "stacked":
        code, _, err = fastdaae(*options, "--architecture", "cae", "--out", tmp_path / "conv")
        assert code == 2 and "gives pixels in [0, 1], and the images have others" in err[0], err


@pytest.mark.parametrize("architecture", ["cae", "textbook"])
def test_convolutional_networks_by_their_name(architecture, tmp_path, data):
    options = ("--model", "aae", "--architecture", architecture, "--code", 3, "--epochs", 1, *TINY, *data)
    succeed("train", *options, "--out", tmp_path / "run")
    config = json.loads((tmp_path / "run" / run_folder.CONFIG).read_text())["model"]
    assert config["encoder"]["network"] == f"{architecture}_encoder" and config["discriminator"]["sizes"] == [
        3,
        8,
        4,
        1,
    ]


@pytest.mark.parametrize(
    "message, options",
    [
        ("leave one of them out", ("--sigma", 0.5, "--corruption", "none")),
        ("--corruption is for models that have one, and aae has none", ("--model", "aae", "--sigma", 0.5)),
        ("weight must be a finite number", ("--model", "noise-transformer")),
        ("--corruption must be one as in gaussian:0.5", ("--corruption", "gauss:0.5")),
        ("--corruption must be one as in gaussian:0.5", ("--corruption", "patches:8")),
        ("drop must be a probability", ("--corruption", "masking:2")),
        ("--pretrained and --model classifier belong together", ("--model", "classifier")),
        ("--architecture must be one of mlp, cae", ("--architecture", "unet")),
        ("config.json does not exist", ("--pretrained", "OUT/nothing")),
        ("--networks has no part in --model stacked", ("--model", "stacked", "--networks", "file.py:make")),
        ("--code has no part in --model stacked", ("--model", "stacked", "--code", 3)),
        ("--beta has no part in --model daae", ("--model", "daae", "--beta", 2)),
        ("--prior has no part in --model autoencoder", ("--model", "autoencoder", "--prior", "ring")),
        ("--loss has no part in --model classifier", ("--pretrained", "OUT/nothing", "--loss", "mse")),
        ("--hidden is for fully connected", ("--model", "vae", "--architecture", "cae", "--hidden", 9)),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(message, options, tmp_path):
    done = run("train", "--out", tmp_path / "run", *(str(part).replace("OUT", str(tmp_path)) for part in options))
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and message in done.stderr, done.stderr
    assert not list(tmp_path.iterdir())
