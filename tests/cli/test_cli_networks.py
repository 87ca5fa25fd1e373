"""Own networks from the command line, on colour images that are not square: from a folder of PNG to the report."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fastdaae as fd
from fastdaae import run_folder
from tests.cli.edited_runs import changed

SHAPE = (3, 8, 12)
NETWORKS = """
from torch import nn


def make(image_shape, code):
    channels, height, width = image_shape
    inner = (4, height // 2, width // 2)
    numbers = inner[0] * inner[1] * inner[2]
    encoder = [nn.Conv2d(channels, 4, 4, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(numbers, code)]
    decoder = [nn.Linear(code, numbers), nn.ReLU(), nn.Unflatten(1, inner), nn.ConvTranspose2d(4, channels, 4, 2, 1)]
    networks = {"encoder": nn.Sequential(*encoder), "decoder": nn.Sequential(*decoder)}
    return {**networks, "discriminator": nn.Linear(code, 1), "decoder_output": "logits"}
"""
SMALL = ("--epochs", 1, "--code", 3, "--batch-size", 16)
TAIL = '{"encoder": nn.Flatten(), "decoder": nn.Flatten(), "discriminator": nn.Linear(3, 1)}'


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with images/ of 60 PNG and networks.py."""
    folder = tmp_path_factory.mktemp("colours")
    (folder / "images").mkdir()
    rng = np.random.default_rng(0)
    for number in range(60):
        pixels = rng.integers(0, 256, (SHAPE[1], SHAPE[2], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{number:02d}.png")
    (folder / "networks.py").write_text(NETWORKS)
    return folder


@pytest.fixture
def run(place, fastdaae, monkeypatch) -> Path:
    """A run of the networks on the images; the working folder is theirs."""
    monkeypatch.chdir(place)
    if not (place / "run").exists():
        code, _, err = fastdaae("train", "--out", "run", "--data", "images", "--networks", "networks.py:make", *SMALL)
        assert (code, err) == (0, []), err
    return place / "run"


def test_colour_images_from_training_to_the_report(run, fastdaae):
    own = ("--networks", "networks.py:make")

    def succeed(*arguments) -> str:
        code, out, err = fastdaae(*arguments)
        assert code == 0 and not [line for line in err if not line.startswith("warning: ")], err
        return out

    printed = succeed("sample", run, "--n", 20, "--steps", 2, *own)
    assert "20 samples each, [N, 3, 8, 12]" in printed
    with np.load(run / run_folder.SAMPLES) as samples:
        assert [samples[name].shape for name in ("x0", "x2")] == [(20, *SHAPE)] * 2
        assert np.array_equal(np.unique(np.isfinite(samples["x2"])), [True])
    with Image.open(run / "samples-x0.png") as picture:
        assert picture.mode == "RGB"
        assert picture.size[0] / picture.size[1] == pytest.approx(10 * 12 / (2 * 8), rel=0.1)
    printed = succeed("evaluate", run, "--samples", 30, "--steps", 1, "--k", 5, *own, "--bandwidths", "0.3:0.9:4")
    stored = json.loads((run / run_folder.EVALUATION).read_text())
    likelihoods = [one for one in stored["measures"] if one["name"] == "log-likelihood"]
    assert all(len(one["curve"]["bandwidths"]) == 4 for one in likelihoods) and "reconstruction MSE" in printed
    assert "report.html" in succeed("report", run, *own) and (run / "report" / "report.html").exists()
    found = succeed("likelihood", run, "--data", "images", "--array", "x0", "--bandwidth", 0.4)
    assert " nats on the test images at bandwidth 0.4000" in found
    found = succeed("compare", run, run, "--array", "x0,x2", "--data", "images")
    assert re.search(r"^(A|B|neither) is higher", found, flags=re.M), found


def test_what_a_run_keeps_of_own_networks(run, place):
    notes = json.loads((run / run_folder.CONFIG).read_text())["notes"]
    noted = notes["networks"]
    assert (noted["file"], noted["function"], noted["code"]) == (str(place / "networks.py"), "make", 3)
    assert len(noted["sha256"]) == 64 and b"def make" not in (run / run_folder.CHECKPOINT).read_bytes()
    typed = "train --out run --data images --networks networks.py:make --epochs 1 --code 3 --batch-size 16"
    assert notes["command"] == f"fastdaae {typed}"


@pytest.mark.parametrize("command", [("sample", "--n", 3), ("evaluate",), ("report",)], ids=lambda command: command[0])
def test_code_that_a_run_names_is_never_run_unasked(command, run, place, fastdaae, monkeypatch, tmp_path):
    """Not even where it would serve: the error has the option to copy."""
    trap = tmp_path / "trap.py"
    trap.write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\n{NETWORKS}")
    config = json.loads((run / run_folder.CONFIG).read_text())
    (tmp_path / "run").mkdir()
    for name in (run_folder.CHECKPOINT, run_folder.METRICS):
        (tmp_path / "run" / name).write_bytes((run / name).read_bytes())
    edited = changed(config, "notes.networks.file", str(trap))
    (tmp_path / "run" / run_folder.CONFIG).write_text(json.dumps(edited))
    name, *options = command
    code, _, err = fastdaae(name, tmp_path / "run", *options)
    assert code == 2 and len(err) == 1 and f"add --networks {trap}:make" in err[0], err
    assert not (tmp_path / "sprung").exists()


def test_a_file_that_changed_is_warned_of(run, place, fastdaae, tmp_path):
    (tmp_path / "networks.py").write_text(NETWORKS + "# new\n")
    option = ("--networks", f"{tmp_path / 'networks.py'}:make")
    for command in (
        ("sample", run, "--n", 3, "--out", tmp_path / "a.npz"),
        ("train", "--out", run, "--data", "images"),
    ):
        code, _, err = fastdaae(*command, *(SMALL if command[0] == "train" else ()), *option)
        assert code == 0 and len(err) == 1 and "is not what" in err[0] and "SHA-256" in err[0], err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("x = 1\n\nraise KeyError('a')\n", ("networks.py, line 3: KeyError: 'a'",)),
        ("def make(:\n", ("networks.py, line 1: SyntaxError: invalid syntax",)),
        ("import sys\nsys.exit(3)\n", ("networks.py, line 2: SystemExit: 3",)),
        ("def build(): pass\nwidth = 3\n", ("must name a function of", "got 'make'; it defines build")),
        ("make = 3\n", ("got 'make'; it defines no function",)),
        ("def make(): return 3\n", ("must return a dictionary of torch.nn.Modules", "got 3")),
        ("def make(): return {'encoder': 3}\n", ("must return a dictionary", "got 3 as encoder")),
        ("def make(): return {'coder': 3}\n", ("got one named 'coder'",)),
        ("def make(): return {}\n", ("must return encoder, decoder, discriminator for this --model, got none",)),
        (
            "def make(code):\n    raise RuntimeError(code)\n",
            ("make(code=3) failed", "networks.py, line 2: RuntimeError: 3"),
        ),
        ("def make(width): return {}\n", ("asks for width too; give the others defaults",)),
        (f"from torch import nn\ndef make(): return {TAIL}\n", ("add --decoder-output",)),
        (
            f"from torch import nn\ndef make(): return {{**{TAIL}, 'decoder_output': 'logits'}}\n",
            ("encoder of", "must return codes [2, 3] of two images, got [2, 288]; add --code 288"),
        ),
        (NETWORKS.replace("nn.Linear(code, 1)", "nn.Linear(code, 2)"), ("must return logits [2, 1] of two codes",)),
        (
            NETWORKS.replace("channels, 4, 2, 1)]", "channels, 4, 2, 2)]"),
            ("the decoder of", "two images [2, 3, 8, 12]"),
        ),
        (NETWORKS.replace("Conv2d(channels", "Conv2d(7"), ("the encoder cannot take [2, 3, 8, 12]", "RuntimeError")),
    ],
)
def test_what_is_wrong_with_a_file_is_told_in_one_line(content, words, place, fastdaae, monkeypatch, tmp_path):
    monkeypatch.chdir(place)
    (tmp_path / "networks.py").write_text(content)
    option = ("--networks", f"{tmp_path / 'networks.py'}:make")
    code, out, err = fastdaae("train", "--out", tmp_path / "run", "--data", "images", *SMALL, *option)
    assert (code, out, len(err)) == (2, "", 1) and err[0].startswith("error: ") and not (tmp_path / "run").exists()
    assert all(word in err[0] for word in words), err


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--networks", "networks.py"), "--networks must be file.py:function, as in networks.py:make"),
        (("--networks", "nothing.py:make"), "nothing.py does not exist"),
        (("--networks", "images:make"), "images must be a regular file, got a folder"),
        (("--networks", "networks.py:make", "--hidden", "8"), "--hidden is for fastdaae's own networks"),
        (("--networks", "networks.py:make", "--decoder-output", "linear"), "says 'logits'; leave one out"),
        (("--decoder-output", "logits"), "--decoder-output is for own decoders"),
    ],
)
def test_options_that_do_not_go_together(option, words, place, fastdaae, monkeypatch, tmp_path):
    monkeypatch.chdir(place)
    code, _, err = fastdaae("train", "--out", tmp_path / "run", "--data", "images", *SMALL, *option)
    assert code == 2 and len(err) == 1 and words in err[0] and not (tmp_path / "run").exists(), err


def test_grey_images_and_a_convolution(fastdaae, tmp_path):
    """Grey images are [N, H, W], and convolutions take [N, 1, H, W]."""
    file = tmp_path / "networks.py"
    line = ("train", "--out", tmp_path / "run", "--model", "autoencoder", *SMALL, "--networks", f"{file}:make")
    line = (*line, "--batch-size", 600)
    file.write_text(NETWORKS)
    code, _, err = fastdaae(*line)
    assert code == 2 and "make(image_shape=(8, 8), code=3) failed" in err[0] and "not enough values to unpack" in err[0]
    file.write_text(NETWORKS.replace("= image_shape", "= 1, *image_shape"))
    code, _, err = fastdaae(*line)
    told = "takes [N, 1, H, W], and these images are [N, 8, 8]; begin it with torch.nn.Unflatten(1, (1, 8))"
    assert code == 2 and len(err) == 1 and told in err[0], err
    file.write_text(file.read_text().replace("[nn.Conv2d(", "[nn.Unflatten(1, (1, 8)), nn.Conv2d("))
    assert fastdaae(*line)[0] == 0


def test_what_lies_beside_the_file_can_be_imported_by_it(place, fastdaae, monkeypatch, tmp_path):
    monkeypatch.chdir(place)
    (tmp_path / "parts_of_mine.py").write_text(NETWORKS)
    (tmp_path / "networks.py").write_text(
        "def make(image_shape, **others):\n    from parts_of_mine import make\n    return make(image_shape, 3)\n"
    )
    option = ("--networks", f"{tmp_path / 'networks.py'}:make")
    code, _, err = fastdaae("train", "--out", tmp_path / "run", "--data", "images", *SMALL, *option, "--model", "daae")
    assert (code, err) == (0, []), err


def test_a_linear_decoder_and_networks_of_an_autoencoder(place, fastdaae, monkeypatch, tmp_path):
    monkeypatch.chdir(place)
    (tmp_path / "networks.py").write_text(NETWORKS.replace(', "decoder_output": "logits"', ""))
    option = ("--networks", f"{tmp_path / 'networks.py'}:make", "--model", "autoencoder", "--decoder-output", "linear")
    arguments = ("train", "--out", tmp_path / "run", "--data", "images", *SMALL, *option)
    code, _, err = fastdaae(*arguments)
    assert code == 2 and "loss='bce' needs probabilities" in err[0]
    code, _, err = fastdaae(*arguments, "--loss", "mse")
    assert (code, err) == (0, []), err
    config = json.loads((tmp_path / "run" / run_folder.CONFIG).read_text())["model"]
    assert (config["model"], config["decoder_output"], config["loss"]) == ("Autoencoder", "linear", "mse")


def test_an_encoder_of_a_vae_gives_mean_and_log_variance(place, fastdaae, monkeypatch, tmp_path):
    monkeypatch.chdir(place)
    (tmp_path / "networks.py").write_text(NETWORKS.replace("nn.Linear(numbers, code)", "nn.Linear(numbers, 2 * code)"))
    option = ("--networks", f"{tmp_path / 'networks.py'}:make")
    arguments = ("train", "--out", tmp_path / "run", "--data", "images", *SMALL, "--model", "vae")
    code, _, err = fastdaae(*arguments, *option)
    assert (code, err) == (0, []), err
    code, _, err = fastdaae("sample", tmp_path / "run", "--n", 2, "--steps", 1, *option, "--out", tmp_path / "a.npz")
    assert (code, err) == (0, []), err
    code, _, err = fastdaae(*arguments, "--networks", "networks.py:make", "--out", tmp_path / "other")
    assert code == 2 and "must return codes, mean and log variance, [2, 6] of two images, got [2, 3]" in err[0]


def test_runs_that_need_no_networks(run, fastdaae, original, tmp_path):
    code, _, err = fastdaae("sample", original, "--n", 2, "--networks", "networks.py:make", "--out", tmp_path / "a.npz")
    assert code == 2 and "rebuilds its own; leave it out" in err[0]
    with pytest.raises(ValueError, match="networks"):
        fd.load(run)
