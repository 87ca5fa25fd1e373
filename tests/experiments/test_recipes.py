"""Every recipe, wholly, at the budget that takes seconds; twice the same, and stopped between any two cells."""

import json
from pathlib import Path

import pytest

from fastdaae import data, experiments
from fastdaae.evaluation.measure import to_json
from fastdaae.experiments import Place, Result, running
from fastdaae.experiments.result import RESULT


def smoke(name: str, out: Path, seeds: int = 1) -> Result:
    return experiments.reproduce(
        experiments.find(name), "smoke", out, seeds=seeds, device="cpu", progress=False, tell=lambda line: None
    )


def numbers(result: Result) -> dict:
    return {cell: [(one.state, to_json(one.measures)) for one in some] for cell, some in result.outcomes.items()}


@pytest.mark.parametrize("name", experiments.names())
def test_a_recipe_runs_wholly_and_goes_on_between_cells(name, tmp_path, monkeypatch):
    recipe = experiments.find(name)
    whole = smoke(name, tmp_path / "whole")
    assert not whole.failed() and set(whole.outcomes) == {cell.name for cell in recipe.cells}
    _every_figure_has_its_number(whole)
    written = json.loads((tmp_path / "whole" / RESULT).read_text())
    assert [cell["name"] for cell in written["cells"]] == [cell.name for cell in recipe.cells]
    # a second run from nothing, which is stopped after its first cell and then goes on
    attempt, attempts = running.attempt, []

    def stopped(cell, context):
        attempts.append(cell.name)
        if len(attempts) == 2:
            raise KeyboardInterrupt
        return attempt(cell, context)

    if len(recipe.cells) > 1:
        monkeypatch.setattr(running, "attempt", stopped)
        with pytest.raises(KeyboardInterrupt):
            smoke(name, tmp_path / "stopped")
    again = smoke(name, tmp_path / "stopped")
    assert len(attempts) == len(set(attempts)) + 1 or len(recipe.cells) == 1
    assert numbers(again) == numbers(whole)


def _every_figure_has_its_number(result: Result) -> None:
    """A figure whose measure has another name would stand beside nothing."""
    taken = {
        Place(cell.name, measure.name, measure.of)
        for cell in result.recipe.cells
        for measure in result.measures(cell.name)
    }
    asked = [figure.place for figure in result.recipe.figures]
    asked += [place for order in result.recipe.orders for place in order.places]
    assert not [place for place in asked if place not in taken]


def test_the_claim_of_filters_is_asked_of_every_measure_of_it():
    recipe = experiments.find("sdae-filters")
    asked = {(order.places[0].cell, order.places[0].measure) for order in recipe.orders}
    gaussian, salt, masking = "patches-gaussian", "patches-salt", "patches-masking"
    kinds = ("localised, oriented, bandpass filters", "oriented filters", "localised filters")
    assert {(cell, kind) for cell in (gaussian, salt, masking) for kind in kinds} < asked
    assert {kind for cell, kind in asked if cell == "mnist-gaussian"} == set(kinds[1:])
    images = data.load_patches(count=2_000).train.images
    assert images.std() == pytest.approx(0.32, abs=0.02) and "a deviation of 0.32" in " ".join(recipe.notes)


@pytest.mark.parametrize("name", experiments.names())
def test_a_recipe_says_what_it_is(name):
    recipe = experiments.find(name)
    assert recipe.name == name and recipe.title and recipe.source and recipe.data
    for budget in recipe.budgets.values():
        assert (budget.minutes is None) == (budget.machine is None)
    assert recipe.budgets["smoke"].stand_in and not recipe.budgets["paper"].stand_in
