"""`train --config`: a file of options, or a recipe's cell, in the place of twenty flags; and `reproduce`."""

import json
import re
import signal
import time
from pathlib import Path

import pytest

from fastdaae import experiments, run_folder
from fastdaae.experiments.rehearsing import first_training
from fastdaae.experiments.result import MEASURES, RESULT
from tests import nursery


def run(*arguments, width=200, **environment):
    return nursery.run(nursery.COMMAND_LINE, *arguments, COLUMNS=str(width), TERM="dumb", **environment)


def require_narrow(text: str, columns: int) -> None:
    """Plain lines that the terminal need not break, with no word of theirs cut."""
    assert max(map(len, text.splitlines())) <= columns, max(text.splitlines(), key=len)
    assert not set(text) & set("…│┃━─"), text


def config_of(folder: Path) -> dict:
    return json.loads((folder / run_folder.CONFIG).read_text())


def test_a_file_of_options_trains_what_the_options_train(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text(
        'model = "daae"\nhidden = [16, 8]\nbatch-size = 600\nlr = 1\nepochs = 1\ncorruption = "masking:0.3"\n'
    )
    done = run("train", "--config", file, "--lr", 1e-3, "--out", tmp_path / "file")
    assert done.returncode == 0, done.stderr
    typed = ("--model", "daae", "--hidden", "16,8", "--batch-size", 600, "--lr", 1e-3, "--epochs", 1)
    assert run("train", *typed, "--corruption", "masking:0.3", "--out", tmp_path / "typed").returncode == 0
    ours, theirs = config_of(tmp_path / "file"), config_of(tmp_path / "typed")
    assert {key: ours[key] for key in ("model", "trainer", "data")} == {
        key: theirs[key] for key in ("model", "trainer", "data")
    }
    assert ours["trainer"]["lr"] == 1e-3 and ours["notes"]["options"]["batch_size"] == 600


@pytest.mark.parametrize(
    "text, message",
    [
        ("epoch = 3", "has 'epoch', which is no option of this command; did you mean 'epochs'?"),
        ("zzz = 3", "has 'zzz', which is no option of this command; --help lists the options"),
        ("epochs = true", "must have a number, a text or a list of them as 'epochs', got True"),
        ("epochs = 'three'", "Invalid value for '--epochs'"),
        ("epochs =", "is no TOML"),
        ("[train]\nepochs = 3", "has 'train', which is no option of this command"),
    ],
)
def test_a_file_is_refused_in_one_line(text, message, tmp_path):
    file = tmp_path / "run.toml"
    file.write_text(text)
    done = run("train", "--config", file, "--out", tmp_path / "run")
    assert done.returncode == 2 and message in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("daae-mnist",), "must name a cell of daae-mnist: one of daae-mnist/aae, "),
        (("daae-mnist/gan",), "a cell of daae-mnist must be one of aae, daae"),
        (("daae/aae",), "must be a file *.toml, or recipe/cell with a recipe of daae-mnist"),
        (("nothing.toml",), "No such file"),
        (("daae-mnist/aae", "--hidden", "3"), "--hidden is decided by --config daae-mnist/aae"),
    ],
)
def test_another_start_is_refused_in_one_line(arguments, message, tmp_path):
    done = run("train", "--config", *arguments, "--out", tmp_path / "run", FASTDAAE_DATA=str(tmp_path))
    assert done.returncode == 2 and message in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.needs_data
def test_a_cell_of_a_recipe_is_trained_as_a_run_of_its_own():
    found = first_training(experiments.find("daae-mnist"), "idaae-25", seed=4)
    assert found.model.copies == 25 and found.dataset.name == "mnist" and found.notes["data"] == "mnist"
    assert found.trainer == {"lr": 2e-4, "batch_size": 64, "epochs": 100} and not found.layerwise


def test_reproduce_shows_the_paper_s_figures_beside_ours(tmp_path):
    done = run("reproduce", "daae-mnist", "--budget", "smoke", "--seeds", 1, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert re.search(r"AAE .* 529\.0  Table V\n", done.stdout) and re.search(r" 95\.19%  Table VI\n", done.stdout)
    assert "ours: one seed has no spread; the paper's own figures: holds" in done.stdout
    assert "generated images" in done.stdout
    written = json.loads((tmp_path / "out" / RESULT).read_text())
    assert len(written["cells"]) == 5 and written["machine"]["machine"]
    for columns in (80, 40):
        told = run(
            "reproduce", "daae-mnist", "--budget", "smoke", "--seeds", 1, "--out", tmp_path / "out", width=columns
        )
        require_narrow(told.stdout.partition("drawing the reports")[0], columns)
        assert re.search(r"^  with .*64 test images$", told.stdout, re.MULTILINE)
    again = run("reproduce", "daae-mnist", "--out", tmp_path / "out")
    assert again.returncode == 2 and "holds a result with budget='smoke'" in again.stderr


def test_reproduce_lists_the_recipes_and_whether_their_data_are_here(tmp_path):
    for columns in (80, 50):
        done = run("reproduce", "--list", width=columns, FASTDAAE_DATA=str(tmp_path))
        assert done.returncode == 0, done.stderr
        require_narrow(done.stdout, columns)
        told = " ".join(done.stdout.split())
        for recipe in map(experiments.find, experiments.names()):
            assert f"{recipe.name} {recipe.title} makes: {recipe.tables}; of: {recipe.source} data: " in told
        assert "data: mnist (absent) time: " in told and "celeba (absent, left out)" in told
    assert run("reproduce").stderr.startswith("error: NAME must be one of daae-mnist")
    assert "did you mean 'daae-mnist'?" in run("reproduce", "daae-mnits").stderr


def test_ctrl_c_leaves_a_result_that_the_same_command_finishes(tmp_path):
    out = tmp_path / "out"
    command = ("reproduce", "daae-sprites", "--budget", "smoke", "--seeds", 1, "--out", out)
    started = nursery.start(nursery.COMMAND_LINE, *command, COLUMNS="200", TERM="dumb")
    while started.poll() is None and not list(out.glob(f"cells/*/seed-0/{MEASURES}")):
        time.sleep(0.01)
    started.send_signal(signal.SIGINT)
    stopped = started.finished()
    assert stopped.returncode == 130 and "the same command resumes" in stopped.stderr, stopped.stderr
    before = len(list(out.glob(f"cells/*/seed-0/{MEASURES}")))
    done = run(*command)
    assert done.returncode == 0 and f"1 of {3 - before}: " in done.stdout, done.stdout + done.stderr
    assert [cell["runs"][0]["state"] for cell in json.loads((out / RESULT).read_text())["cells"]] == ["finished"] * 3
