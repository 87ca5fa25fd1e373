"""The runner: what is finished stays, what failed says why, what was stopped goes on, and folders are not mixed."""

import json
import warnings
from pathlib import Path

import pytest
import torch

import fastdaae as fd
from fastdaae import reporting, run_config, run_folder
from fastdaae.experiments import Recipe, Result, reproduce
from fastdaae.experiments.result import MEASURES, RESULT
from fastdaae.training.step import TrainingStep
from fastdaae.training.trainer import TrainingDiverged
from tests.experiments.small import constant, failing, recipe, train_and_measure
from tests.runs.small import require_same_run


def run(made: Recipe, out: Path, budget: str = "smoke", **more) -> tuple[Result, list[str]]:
    told: list[str] = []
    return reproduce(made, budget, out, progress=False, tell=told.append, **more), told


def written(out: Path) -> dict:
    return json.loads((out / RESULT).read_text())


def states(out: Path) -> list[list[str]]:
    return [[one["state"] for one in cell["runs"]] for cell in written(out)["cells"]]


def test_every_cell_is_run_with_every_seed_and_only_once(tmp_path):
    made = recipe(constant(1.0), constant(2.0))
    result, told = run(made, tmp_path)
    assert [line.partition(" (")[0] for line in told] == [
        "1 of 4: A, seed 0",
        "2 of 4: B, seed 0",
        "3 of 4: A, seed 1",
        "4 of 4: B, seed 1",
    ]
    first, second = result.measures("a")
    assert (first.value, first.seed_deviation) == (1.5, pytest.approx(0.5**0.5)) and second.settings["seeds"] == 2
    again, told = run(made, tmp_path, seeds=3)
    assert [line.partition(" (")[0] for line in told] == ["1 of 2: A, seed 2", "2 of 2: B, seed 2"]
    assert again.measures("a")[0].value == 2.0 and states(tmp_path) == [["finished"] * 3] * 2


def test_a_seed_is_all_that_a_cell_s_random_numbers_depend_on(tmp_path):
    torch.manual_seed(5)
    result, _ = run(recipe(constant(0), constant(0)), tmp_path)
    draws = {cell: [one.measures[1].value for one in some] for cell, some in result.outcomes.items()}
    assert draws["a"] == draws["b"] and draws["a"][0] != draws["a"][1]


@pytest.mark.parametrize(
    "error",
    [TrainingDiverged("the loss is nan"), MemoryError("the loss is nan"), torch.OutOfMemoryError("the loss\nis nan")],
)
def test_a_cell_that_fails_keeps_its_reason_and_the_others_go_on(tmp_path, error):
    result, told = run(recipe(failing(error), constant(1.0)), tmp_path, seeds=1)
    assert "failed: A, seed 0: the loss is nan" in told
    [(cell, outcome)] = result.failed()
    assert (cell, outcome.reason) == ("a", "the loss is nan") and states(tmp_path) == [["failed"], ["finished"]]
    _, told = run(recipe(constant(0.0), constant(1.0)), tmp_path, seeds=1)
    assert told[0].startswith("1 of 1: A, seed 0") and states(tmp_path) == [["finished"]] * 2


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), KeyError("a defect"), run_folder.NotWritten(Path("x"), OSError(28, ""))]
)
def test_what_is_no_cell_s_affair_stops_the_recipe_and_it_goes_on(tmp_path, error):
    with pytest.raises(type(error)):
        run(recipe(constant(1.0), failing(error)), tmp_path, seeds=1)
    assert states(tmp_path) == [["finished"], []]
    _, told = run(recipe(constant(1.0), constant(2.0)), tmp_path, seeds=1)
    assert told[0].startswith("1 of 1: B") and states(tmp_path) == [["finished"]] * 2


def test_a_training_that_was_stopped_is_resumed_and_ends_the_same(tmp_path, monkeypatch):
    whole, _ = run(recipe(train_and_measure), tmp_path / "whole", seeds=1)
    step, calls = TrainingStep.__call__, []

    def stopped_in_the_second_epoch(self, x):
        calls.append(x)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return step(self, x)

    monkeypatch.setattr(TrainingStep, "__call__", stopped_in_the_second_epoch)
    with pytest.raises(KeyboardInterrupt):
        run(recipe(train_and_measure), tmp_path / "stopped", seeds=1)
    folders = [tmp_path / name / "cells" / "a" / "seed-0" for name in ("whole", "stopped")]
    assert [run_folder.checkpoint_state(folder).epoch for folder in folders] == [2, 1]
    resumed, _ = run(recipe(train_and_measure), tmp_path / "stopped", seeds=1)
    assert len(calls) == 5 and resumed.measures("a") == whole.measures("a")
    require_same_run(*folders)


def test_a_run_on_a_loader_s_options_is_found_again(tmp_path):
    def train_on_a_cut(context):
        cut = context.dataset("patches", count=20, seed=3)
        model = fd.models.Autoencoder(
            fd.networks.mlp([144, 2]), fd.networks.mlp([2, 144]), loss="mse", decoder_output="linear"
        )
        context.train(model, cut, epochs=1)
        return context.evaluate(model, cut, ("reconstruction",))

    made = recipe(train_on_a_cut, data=("patches",))
    result, _ = run(made, tmp_path / "real", "short")
    folder = tmp_path / "real" / "cells" / "a" / "seed-0"
    config = run_config.read_config(folder, "this test")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of other images
        found = reporting.dataset_of_run(folder, config)
    assert not result.failed() and len(found.train.images) == 20
    # a generated set is nowhere to be found
    run(made, tmp_path / "generated")
    assert "data" not in run_config.read_config(tmp_path / "generated/cells/a/seed-0", "this test")["notes"]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"budget": "paper"}, "holds a result with budget='smoke', and this one has 'paper'"),
        ({"precision": "bf16"}, "holds a result with precision='fp32', and this one has 'bf16'"),
    ],
)
def test_the_folder_of_another_result_is_refused(tmp_path, change, message):
    run(recipe(constant(1.0)), tmp_path)
    with pytest.raises(ValueError, match=message):
        run(recipe(constant(1.0)), tmp_path, **change)


def test_folders_of_others_are_refused(tmp_path):
    run(recipe(train_and_measure), tmp_path, seeds=1)
    with pytest.raises(ValueError, match="must not be the folder of a run"):
        run(recipe(constant(1.0)), tmp_path / "cells" / "a" / "seed-0")
    with run_folder.training_lock(tmp_path), pytest.raises(run_folder.RunFolderBusy):
        run(recipe(constant(1.0)), tmp_path)
    (tmp_path / "cells" / "a" / "seed-0" / MEASURES).write_text("{}")
    with pytest.raises(ValueError, match="measures.json: state is missing"):
        run(recipe(train_and_measure), tmp_path)


def test_missing_data_are_told_before_any_work(tmp_path):
    begun = []
    made = recipe(begun.append, data=("digits", "mnist"))
    with pytest.raises(FileNotFoundError, match="small needs data that are not here.*mnist.*smoke needs none"):
        run(made, tmp_path / "out", "short", root=tmp_path)
    assert not begun and not (tmp_path / "out").exists()


def test_cells_of_optional_data_are_left_out_with_the_reason(tmp_path):
    made = recipe(constant(1.0), data=("mnist",), optional=("mnist",))
    result, told = run(made, tmp_path / "out", "short", root=tmp_path)
    [outcome] = result.outcomes["a"]
    assert told[0].startswith("left out: what needs mnist (") and len(told) == 1
    assert not result.failed() and outcome.reason.startswith("mnist: ")
    assert states(tmp_path / "out") == [["left out"]]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"budget": "long"}, "budget must be one of 'smoke', 'short', 'paper', got 'long'"),
        ({"precision": "fp8"}, "precision must be one of"),
        ({"seeds": 0}, "seeds must be a whole number >= 1, got 0"),
        ({"device": "tpu"}, "device must be"),
    ],
)
def test_arguments_are_refused_in_one_line(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        run(recipe(constant(1.0)), tmp_path / "out", **change)
    assert not (tmp_path / "out").exists()
