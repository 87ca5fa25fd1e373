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
_OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "--out": ("OUT", "OUT", "OUT", *_PATHS),
        "--data": _DATA,
        "--model": ("autoencoder", "aae", "daae", "idaae", *_TEXT),
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
        "--precision": ("fp32", "bf16", *_TEXT),
        "--device": ("auto", "cpu", "cuda", "cuda:99", "meta", *_TEXT),
        "--seed": _WHOLE,
        "--root": _PATHS,
    },
    "sample": {"": ("RUN", "RUN", *_PATHS), "--n": _WHOLE, "--steps": _SHORT, "--out": _PATHS, "--seed": _WHOLE},
    "likelihood": {
        "": ("RUN/samples.npz", "RUN/x.npy", *_PATHS),
        "--data": _DATA,
        "--array": ("x0", *_TEXT),
        "--bandwidth": _REAL,
        "--root": _PATHS,
    },
    "dimension": {
        "": _DATA,
        "--n": ("200", *_WHOLE),
        "--k": _WHOLE,
        "--estimator": ("mle", "mackay", "twonn", *_TEXT),
        "--root": _PATHS,
    },
    "report": {"": tuple(path for path in _PATHS if path != "RUN"), "--root": _PATHS, "--seed": _WHOLE},
    "evaluate": {"": tuple(path for path in _PATHS if path != "RUN"), "--samples": _WHOLE, "--k": _WHOLE},
    "doctor": {"--help": ("",)},
}
_QUICK = {"train": ["--epochs", "1", "--hidden", "8", "--batch-size", "600", "--out", "OUT"], "sample": ["--n", "9"]}


def make(rng: Random, _: bytes) -> bytes:
    """A command line as a JSON list; OUT and RUN stand for a new folder and an existing run."""
    name = rng.choice([*("train", "sample", "likelihood", "dimension") * 3, "report", "evaluate", "doctor"])
    options = dict(_OPTIONS[name])
    line = [name]
    if "" in options:
        line.append(rng.choice(options.pop("")))
    line += _QUICK.get(name, [])
    for option in rng.sample(list(options), min(len(options), rng.choice((0, 1, 1, 2, 3)))):
        line += [option, rng.choice(options[option])]
    return json.dumps(line).encode()


class Told(Exception):
    """What a command line must never end with: another exit code, several lines, a traceback."""


def run(example: Path) -> Callable[[Path, bytes], None]:
    """A function that runs a command line in a folder, beside a copy of the example run."""

    def read(place: Path, content: bytes) -> None:
        places = {"OUT": place / "out", "RUN": shutil.copytree(example, place / "run")}
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
