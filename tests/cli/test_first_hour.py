"""docs/first-hour.md and the examples run as they stand, in a folder of their own, with fewer epochs."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch

from fastdaae import run_folder
from fastdaae.evaluation import read_evaluation
from tests import nursery

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "first-hour.md").read_text()
BLOCKS = re.findall(r"```(bash|python)\n(.*?)```", PAGE, flags=re.S)
SCRIPT = "import runpy, sys\nsys.argv = sys.argv[1:]\nrunpy.run_path(sys.argv[0], run_name='__main__')\n"
QUIET = {"OMP_NUM_THREADS": "1", "COLUMNS": "120", "TERM": "dumb"}


def succeed(code: str, *arguments, folder: Path) -> str:
    done = nursery.run(code, *arguments, folder=folder, **QUIET)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def command(line: str, folder: Path) -> str:
    program, *arguments = shlex.split(line)
    return succeed({"python": SCRIPT, "fastdaae": nursery.COMMAND_LINE}[program], *arguments, folder=folder)


@pytest.fixture(scope="module")
def read(tmp_path_factory) -> tuple[Path, str]:
    """A folder in which a reader has done all that the page says, and what was printed."""
    folder = tmp_path_factory.mktemp("first-hour")
    (folder / "examples").symlink_to(ROOT / "examples")
    (kind, networks), *_ = [block for block in BLOCKS if "def make" in block[1]]
    assert kind == "python"
    (folder / "networks.py").write_text(networks)
    printed = []
    for kind, text in BLOCKS:
        text = re.sub(r"(epochs[ =])100\b", r"\g<1>2", text)
        if kind == "bash":
            printed += [command(line, folder) for line in text.splitlines()]
        else:
            printed.append(succeed("import sys\nsys.path.insert(0, '.')\n" + text, folder=folder))
    return folder, "\n".join(printed)


def test_every_block_of_the_page_runs_and_images_keep_their_shape(read):
    folder, printed = read
    kinds = [kind for kind, _ in BLOCKS]
    assert kinds.count("bash") >= 6 and kinds.count("python") >= 3
    with np.load(folder / "runs" / "tiles" / "samples.npz") as samples:
        assert {name: samples[name].shape for name in samples.files} == {
            "x0": (1000, 3, 16, 16),
            "x5": (1000, 3, 16, 16),
        }
    for told in ("2,080 tiles", "classes     2: china, flower", "epoch 2/2  reconstruction", "A: runs/tiles (x0)"):
        assert told in printed
    for run in ("tiles", "from-python"):
        assert (folder / "runs" / run / "report" / "report.html").stat().st_size > 100_000


def test_the_command_line_and_python_train_the_same_model(read):
    folder, _ = read
    runs = folder / "runs"
    one, two = (run_folder.load_tensors(runs / run / "checkpoint.safetensors")[0] for run in ("tiles", "from-python"))
    compared = [name for name in one if name.startswith("model/")]
    assert len(compared) > 10 and all(torch.equal(one[name], two[name]) for name in compared)
    assert {measure.of for measure in read_evaluation(runs / "tiles").measures} >= {"x(0)", "x(5)"}


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("own_networks.py", ("tiles", "--epochs", 1, "--out", "runs/example"), "report in runs/example"),
        ("foreign_samples.py", (), "nats, paired over the test"),
        ("foreign_samples.py", ("foreign.npz", "--data", "tiles"), "samples - real images: "),
        ("own_loop.py", ("--epochs", 2), "epoch 2/2: reconstruction"),
        ("stacked.py", ("--epochs", 1, "--labels", 100), "pretrained, 100 labels: test accuracy"),
        ("token_denoiser.py", ("--steps", 3), "spans: "),
    ],
)
def test_examples_run(read, name, arguments, told):
    assert told in succeed(SCRIPT, f"examples/{name}", *arguments, folder=read[0])


def test_the_examples_networks_are_those_of_the_page():
    page = next(text for _, text in BLOCKS if "def make" in text)
    example = (ROOT / "examples" / "own_networks.py").read_text()
    for layer in re.findall(r"^ +nn\..*$", page, flags=re.M):
        assert layer in example
