"""Command lines with wrong, odd and huge values for the options, run in this process as `fastdaae` runs them."""

import contextlib
import io
import json
import os
import shutil
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from random import Random

from fastdaae.cli import entry

_WHOLE = (*"1123589", "0", "-1", "99999999999", str(2**64), str(10**30), "1e3", "x", "", "٣", "nan", "--n")
_REAL = ("0.1", "0.3", "2", "0", "-1", "0.5", "1", "1e-300", "1e300", "nan", "inf", "-inf", "x", "", "0,5")
_SHORT = ("0", "-1", "1", "2", "x", "")  # what takes as long as it is large
_TEXT = ("", "x", "[/b]", "é\udcff", "a" * 5000, "\n", "../..", "-", "None")
_PATHS = ("", ".", "/dev/null", "/dev/zero", "/dev/full", "/proc/self/mem", "[/b]", "RUN", "RUN/config.json", "a" * 300)
_DATA = ("digits", "digits", "mnist", "RUN/samples.npz", "RUN/x.npy", *_PATHS, *_TEXT)
_DEVICES = ("auto", "cpu", "cuda", "cuda:99", "meta", *_TEXT)
_PRECISIONS = ("fp32", "bf16", *_TEXT)
_NETWORKS = (
    "NETS:make",
    "NETS:make",
    "NETS:three",
    "NETS:fail",
    "NETS:",
    ":make",
    "RUN/config.json:make",
    *_PATHS,
    *_TEXT,
)
_GRIDS = ("0.1,0.2", "0.1:1:3", "1:0.1:3", "0.1:1:x", "0.1:1:99999999999", "1e-300:1e300:9", ":", ",", *_REAL, *_TEXT)
_OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "--out": ("OUT", "OUT", "OUT", *_PATHS),
        "--data": _DATA,
        "--model": ("autoencoder", "aae", "daae", "idaae", "vae", "noise-transformer", "stacked", "classifier", *_TEXT),
        "--config": ("daae-mnist", "daae-mnist/", "daae-mnist/x", "RUN/config.json", "x.toml", *_PATHS),
        "--pretrained": ("RUN", *_PATHS),
        "--architecture": ("mlp", "cae", "tutorial", "dcgan", "textbook", *_TEXT),
        "--corruption": (
            "none",
            "gaussian:0.5",
            "clipped:x",
            "masking:2",
            "patches:2x2,1",
            "patches:,",
            "shuffling:2",
            ":",
            *_TEXT,
        ),
        "--beta": _REAL,
        "--warm-up": _WHOLE,
        "--weight": _REAL,
        "--floor": _REAL,
        "--copies": _WHOLE,
        "--epochs": _SHORT,
        "--sigma": _REAL,
        "--prior": ("normal", "ring", *_TEXT),
        "--code": _WHOLE,
        "--hidden": ("8", "8,8", "", ",", "0", "-1", "8,x", "99999999999", "1e3", "8" + ",8" * 40),
        "--batch-size": _WHOLE,
        "--lr": _REAL,
        "--optimizer": ("adam", "adamw", "rmsprop", "sgd", *_TEXT),
        "--schedule": ("constant", "linear", "cosine", *_TEXT),
        "--form": ("paper", "released", *_TEXT),
        "--adversarial-loss": ("saturating", "non_saturating", *_TEXT),
        "--networks": _NETWORKS,
        "--decoder-output": ("logits", "probabilities", "linear", *_TEXT),
        "--loss": ("bce", "mse", *_TEXT),
        "--precision": _PRECISIONS,
        "--device": _DEVICES,
        "--seed": _WHOLE,
        "--root": _PATHS,
    },
    "sample": {
        "": ("RUN", "RUN", *_PATHS),
        "--n": _WHOLE,
        "--steps": _SHORT,
        "--out": _PATHS,
        "--networks": _NETWORKS,
        "--precision": _PRECISIONS,
        "--device": _DEVICES,
        "--seed": _WHOLE,
    },
    "likelihood": {
        "": ("RUN/samples.npz", "RUN/x.npy", *_PATHS),
        "--data": _DATA,
        "--array": ("x0", *_TEXT),
        "--bandwidth": _REAL,
        "--bandwidths": _GRIDS,
        "--device": _DEVICES,
        "--root": _PATHS,
    },
    "compare": {
        "": ("RUN/samples.npz RUN/samples.npz", "RUN RUN/x.npy", "RUN RUN", *_PATHS),
        "--data": _DATA,
        "--array": ("x0", "x0,x1", "x0,x0,x0", ",", *_TEXT),
        "--bandwidth": _REAL,
        "--bandwidths": _GRIDS,
        "--device": _DEVICES,
    },
    "dimension": {
        "": _DATA,
        "--n": ("200", *_WHOLE),
        "--k": _WHOLE,
        "--estimator": ("mle", "mackay", "twonn", *_TEXT),
        "--device": _DEVICES,
        "--root": _PATHS,
    },
    "report": {
        "": tuple(path for path in _PATHS if path != "RUN"),
        "--data": _DATA,
        "--networks": _NETWORKS,
        "--root": _PATHS,
        "--seed": _WHOLE,
    },
    "evaluate": {
        "": tuple(path for path in _PATHS if path != "RUN"),
        "--data": _DATA,
        "--samples": _WHOLE,
        "--k": _WHOLE,
        "--seeds": _WHOLE,
        "--bandwidths": _GRIDS,
    },
    "doctor": {"--help": ("",)},
}
_QUICK = {"train": ["--epochs", "1", "--hidden", "8", "--batch-size", "600", "--out", "OUT"], "sample": ["--n", "9"]}

_FILE = """
import math
import fastdaae as fd
three = 3
def make(image_shape, code):
    pixels, mlp = math.prod(image_shape), fd.networks.mlp
    parts = mlp([pixels, code]), mlp([code, pixels], output="sigmoid"), mlp([code, 1])
    return dict(zip(("encoder", "decoder", "discriminator"), parts))
def fail():
    raise KeyError("\\n")
"""


def make(rng: Random, _: bytes) -> bytes:
    """A command line as a JSON list; OUT, RUN, NETS stand for a new folder, a run, a file of networks."""
    often = ("train", "sample", "likelihood", "compare", "dimension")
    name = rng.choice([*often * 3, "report", "evaluate", "doctor"])
    options = dict(_OPTIONS[name])
    line = [name]
    if "" in options:
        line += rng.choice(options.pop("")).split(" ")
    chosen = rng.sample(list(options), min(len(options), rng.choice((0, 1, 1, 2, 3))))
    quick = _QUICK.get(name, [])
    line += quick[:2] + quick[4:] if name == "train" and "--networks" in chosen else quick  # which refuse --hidden
    for option in chosen:
        line += [option, rng.choice(options[option])]
    return json.dumps(line).encode()


class Told(Exception):
    """What a command line must never end with: another exit code, several lines, a traceback."""


def run(example: Path) -> Callable[[Path, bytes], None]:
    """A function that runs a command line in a folder, beside a copy of the example run."""

    def read(place: Path, content: bytes) -> None:
        (place / "networks.py").write_text(_FILE)
        places = {"OUT": place / "out", "RUN": shutil.copytree(example, place / "run"), "NETS": place / "networks.py"}
        line = [_placed(part, places) for part in json.loads(content)]
        out, err = io.StringIO(), io.StringIO()
        handler, hooks, here = signal.getsignal(signal.SIGINT), (sys.unraisablehook, warnings.showwarning), os.getcwd()
        os.chdir(place)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = entry._guarded(line)
        finally:
            os.chdir(here)
            signal.signal(signal.SIGINT, handler)
            sys.unraisablehook, warnings.showwarning = hooks
        _judge(code, err.getvalue())

    return read


def _placed(part: str, places: dict[str, Path]) -> str:
    for name, path in places.items():
        part = part.replace(name, str(path))
    return part


def _judge(code: int, told: str) -> None:
    lines = [line for line in told.splitlines() if not line.startswith("warning: ")]
    diverged = code == 1 and told.startswith("error: training stopped")
    if not (code in (0, 2) or diverged) or len(lines) != (code != 0):
        raise Told(f"exit code {code}, {told}")
    if code == 2:
        raise ValueError(lines[0])
