"""The command line and its shell: versions, completion without PyTorch, help and tables at 80 columns, file modes."""

import importlib
import inspect
import io
import os
import platform
import re
import stat
import subprocess
import sys

import numpy as np
import pytest
import torch
from rich.console import Console

import fastdaae as fd
from fastdaae import run_folder
from fastdaae.cli import console, measures, runs
from fastdaae.cli.work.bandwidths import bandwidth_grid
from fastdaae.cli.work.tables import evaluation_table
from fastdaae.evaluation import Measure
from tests import nursery

NAMES = ("demo", "train", "sample", "evaluate", "report", "likelihood", "compare", "dimension", "doctor")
ASK = """
import sys
try:
    from fastdaae.cli import main
    main()
finally:
    print("torch" in sys.modules, "numpy" in sys.modules, file=sys.stderr)
"""


def test_version_names_what_a_bug_report_needs(fastdaae):
    code, out, err = fastdaae("--version")
    live = [name for name, status in fd.backends().items() if status.live]
    assert (code, err) == (0, []) and out.count("\n") == 1
    for word in (f"fastdaae {fd.__version__}", torch.__version__, platform.python_version(), ", ".join(live)):
        assert word in out


def in_a_new_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", ASK, *arguments],
        env={**os.environ, "COLUMNS": "80", "TERM": "dumb", **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("fastdaae ", {"train", "compare", "report"}),
        ("fastdaae eval", {"evaluate"}),
        ("fastdaae sample --net", {"--networks"}),
        ("fastdaae likelihood --band", {"--bandwidth", "--bandwidths"}),
    ],
)
def test_completion_does_not_wait_for_torch(words, expected):
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    done = in_a_new_process(_FASTDAAE_COMPLETE="complete_bash", **asked)
    assert expected <= set(done.stdout.split()), done
    assert done.stderr.split()[-2:] == ["False", "False"], done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_shown(shell, fastdaae, monkeypatch):
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    code, out, _ = fastdaae("--show-completion", shell)
    assert code == 0 and "_FASTDAAE_COMPLETE" in out and "fastdaae" in out


@pytest.mark.parametrize("command", ["", *NAMES])
def test_help_fits_80_columns(command):
    done = nursery.run(nursery.COMMAND_LINE, *command.split(), "--help", COLUMNS="80", TERM="dumb")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and max(map(len, lines)) <= 80
    assert "…" not in done.stdout  # nothing is cut off
    if command:
        declared = inspect.signature(getattr(runs, command, None) or getattr(measures, command))
        options = {
            f"--{name.replace('_', '-')}" for name, one in declared.parameters.items() if one.default is not one.empty
        }
        assert options - {"--context"} <= set(re.findall(r"--[a-z-]+", done.stdout))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_declared_is_what_is_done(name):
    declared = getattr(runs, name, None) or getattr(measures, name)
    done = getattr(importlib.import_module(declared.work), name)
    assert done.__doc__ and declared.__doc__
    takes = inspect.signature(done).parameters
    rest = {one.name for one in takes.values() if one.kind is one.VAR_KEYWORD}
    if rest:
        assert takes.keys() - rest <= inspect.signature(declared).parameters.keys()
    else:
        assert takes.keys() == inspect.signature(declared).parameters.keys()


@pytest.mark.parametrize(
    ("text", "grid"),
    [
        (None, None),
        ("0.05,0.2,0.1", [0.05, 0.1, 0.2]),
        ("0.3", [0.3]),
        ("0.1:1:3", [0.1, 0.1**0.5, 1.0]),
        ("0.05:0.5:20", np.geomspace(0.05, 0.5, 20).tolist()),
    ],
)
def test_grids_of_bandwidths(text, grid):
    assert bandwidth_grid(text) == (grid if grid is None else pytest.approx(grid))


@pytest.mark.parametrize(
    "text", ["", ",", "0", "-1,2", "x", "0.1:1", "1:0.1:5", "0.1:1:1", "0.1:1:9999", "nan", "1:inf:3"]
)
def test_what_is_no_grid(text, fastdaae, tmp_path):
    np.save(tmp_path / "a.npy", fd.data.load("digits").train.images[:20].numpy())
    code, _, err = fastdaae("likelihood", tmp_path / "a.npy", "--bandwidths", text)
    assert code == 2 and len(err) == 1 and "--bandwidths must be numbers > 0 as in 0.05,0.1,0.2" in err[0], err


def test_a_bandwidth_at_the_end_of_its_grid_is_told_once(fastdaae, tmp_path):
    np.save(tmp_path / "a.npy", fd.data.load("digits").train.images[:200].numpy())
    for command in (("likelihood", tmp_path / "a.npy"), ("compare", tmp_path / "a.npy", tmp_path / "a.npy")):
        code, out, err = fastdaae(*command, "--bandwidths", "0.9:1.2:3")
        told = [line for line in out.splitlines() if "the least of its grid" in line]
        assert (code, err, len(told)) == (0, [], 1) and "--bandwidths low:high:count" in told[0], (out, err)
        code, out, err = fastdaae(*command, "--bandwidths", "0.05:1.2:12")
        assert (code, err) == (0, []) and "of its grid" not in out, (out, err)
    code, _, err = fastdaae("likelihood", tmp_path / "a.npy", "--bandwidths", "0.3", "--bandwidth", "0.3")
    assert code == 2 and "leave one of them out" in err[0]


def test_tables_are_read_at_80_columns(fastdaae, monkeypatch, tmp_path):
    settings = {
        "samples": 10_000,
        "bandwidth": 0.2154,
        "test_images": 10_000,
        "note": "the bandwidth is the least of its grid",
    }
    of = ("x(0)", "x(5)", "real training images")
    drawn = [
        Measure("log-likelihood", name, -1234.5, 12.5, "nats", settings=settings, seed_deviation=1.25) for name in of
    ]
    narrow = Console(width=80, file=io.StringIO())
    narrow.print(evaluation_table(drawn, "IDAAE on mnist"))
    lines = narrow.file.getvalue().splitlines()
    assert (
        sum("−1,234.50 ± 12.50" in line for line in lines) == 3 and sum("(± 1.25 over" in line for line in lines) == 3
    )
    assert sum("  real training images " in line for line in lines) == 1
    monkeypatch.setattr(console, "_console", Console(width=80, markup=False))
    np.save(tmp_path / "a.npy", fd.data.load("digits").train.images[:50].numpy())
    for command in (("likelihood", tmp_path / "a.npy"), ("dimension", "digits", "--n", 200, "--k", 20)):
        code, out, _ = fastdaae(*command)
        assert code == 0 and max(map(len, out.splitlines())) <= 80
        assert re.search(r"−?\d+\.\d\d ± \d+\.\d\d ", out) and not re.search(r"(?<!-)-\d", out), out


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_files_have_the_modes_that_the_umask_leaves(umask, mode, tmp_path):
    """All that a run, its samples, its evaluation and, once, its report write."""
    commands = [
        ("train", "--out", tmp_path / "run", "--epochs", 1, "--hidden", 16, "--batch-size", 600),
        ("sample", tmp_path / "run", "--n", 20, "--steps", 1),
        ("evaluate", tmp_path / "run", "--samples", 30, "--steps", 1, "--k", 3),
        ("report", tmp_path / "run"),
    ]
    for command in commands if mode == 0o600 else commands[:-1]:
        done = nursery.run(f"import os\nos.umask({umask})\n{nursery.COMMAND_LINE}", *command)
        assert done.returncode == 0, done.stderr
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    names = {path.name for path in files}
    assert {
        run_folder.CONFIG,
        run_folder.METRICS,
        run_folder.CHECKPOINT,
        run_folder.LOCK,
        run_folder.EVALUATION,
    } <= names
    assert {run_folder.SAMPLES, "samples-x0.png"} <= names and ("report.html" in names) == (mode == 0o600)
    assert {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in files} == dict.fromkeys(names, oct(mode))
