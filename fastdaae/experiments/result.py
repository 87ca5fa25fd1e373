"""result.json: what a recipe gave so far, cell by cell and seed by seed, beside the paper's figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastdaae import run_config, run_folder
from fastdaae.evaluation import Measure
from fastdaae.evaluation.measure import from_json, to_json
from fastdaae.experiments.recipe import Budget, Cell, Place, Recipe
from fastdaae.experiments.verdicts import Values, Verdict, judge
from fastdaae.schema import anything, one_of, optional, record, text
from fastdaae.schema import number as number_of

RESULT, MEASURES = "result.json", "measures.json"
FINISHED, FAILED, LEFT_OUT = "finished", "failed", "left out"
_MEASURED = record(
    {"state": one_of(FINISHED, FAILED), "measures": anything, "seconds": number_of(0), "machine": text},
    {"reason": optional(text)},
    closed=True,
)


@dataclass(frozen=True)
class Outcome:
    """What one cell gave with one seed: `state` FINISHED with its measures, or FAILED or LEFT_OUT with the reason.

    `machine` and `seconds` say where, and how long the last call worked on it.
    """

    seed: int
    state: str
    measures: Sequence[Measure] = ()
    reason: str | None = None
    seconds: float = 0.0
    machine: str = ""


class Row(NamedTuple):
    """A number of ours, over seeds, beside the paper's; `paper` and `table` are None where it prints none."""

    cell: str
    measure: Measure
    paper: float | None
    table: str | None


@dataclass
class Result:
    """The outcomes of a recipe's cells, {cell: [an Outcome a seed]}, at one budget; `facts` go into result.json."""

    recipe: Recipe
    budget: str
    facts: Mapping[str, Any]
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)

    def add(self, cell: Cell, outcome: Outcome) -> None:
        """Take a cell's outcome with a seed; they stand in the seeds' order."""
        some = self.outcomes.setdefault(cell.name, [])
        some.append(outcome)
        some.sort(key=lambda one: one.seed)

    def failed(self) -> list[tuple[str, Outcome]]:
        """The cells that failed, each with its seed and reason."""
        return [(name, one) for name, some in self.outcomes.items() for one in some if one.state == FAILED]

    def measures(self, cell: str) -> list[Measure]:
        """A cell's measures, each the mean over its seeds, with their number and the deviation over them."""
        found: dict[tuple[str, str], list[Measure]] = {}
        for outcome in self.outcomes.get(cell, ()):
            for measure in outcome.measures:
                found.setdefault((measure.name, measure.of), []).append(measure)
        return [_over_seeds(some) for some in found.values()]

    def values(self) -> Values:
        """Every value by its place and seed."""
        found: dict[Place, dict[int, float]] = {}
        for cell, outcomes in self.outcomes.items():
            for outcome in outcomes:
                for measure in outcome.measures:
                    if measure.value is not None:
                        found.setdefault(Place(cell, measure.name, measure.of), {})[outcome.seed] = measure.value
        return found

    def rows(self) -> list[Row]:
        """All numbers, of one measure together, in the cells' order; those of the real data once if they are equal."""
        printed = {figure.place: figure for figure in self.recipe.figures}
        rows: dict[tuple[str, str], list[Row]] = {}
        for cell in self.recipe.cells:
            for measure in self.measures(cell.name):
                figure = printed.get(Place(cell.name, measure.name, measure.of))
                beside = (None, None) if figure is None else (figure.value, figure.table)
                some = rows.setdefault((measure.name, measure.of), [])
                if not (measure.is_of_real_data and any(row.measure == measure for row in some)):
                    some.append(Row("the data" if measure.is_of_real_data else cell.title, measure, *beside))
        return [row for some in rows.values() for row in some]

    def verdicts(self) -> list[Verdict]:
        """What became of the orders that the paper claims."""
        return [judge(order, self.values(), self.recipe.figures) for order in self.recipe.orders]

    def as_json(self) -> dict[str, Any]:
        """The whole result, ready for result.json."""
        recipe = self.recipe
        return {
            **self.facts,
            "cells": [self._cell(cell.name, cell.title) for cell in recipe.cells],
            "figures": [
                {**figure.place._asdict(), "value": figure.value, "table": figure.table, "paper": recipe.source}
                | ({} if figure.standard_error is None else {"standard_error": figure.standard_error})
                for figure in recipe.figures
            ],
            "verdicts": list(map(_verdict, self.verdicts())),
            "notes": list(recipe.notes),
        }

    def _cell(self, name: str, title: str) -> dict[str, Any]:
        runs = [
            {**as_json(outcome), "seed": outcome.seed, "folder": str(folder_of(Path(), name, outcome.seed))}
            for outcome in self.outcomes.get(name, ())
        ]
        return {"name": name, "title": title, "runs": runs, "measures": to_json(self.measures(name))}


def identity(recipe: Recipe, budget: str, precision: str) -> dict[str, Any]:
    """What a result's folder is of: two calls that differ in this do not share one."""
    chosen: Budget = recipe.budgets[budget]
    settings = {"settings": dict(chosen.settings), "stand_in": chosen.stand_in, "precision": precision}
    return {"recipe": recipe.name, "budget": budget, **settings}


def folder_of(out: Path, cell: str, seed: int) -> Path:
    """Where a cell works with a seed."""
    return out / "cells" / cell / f"seed-{seed}"


def as_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as its folder's measures.json has it."""
    reason = {} if outcome.reason is None else {"reason": outcome.reason}
    facts = {"seconds": round(outcome.seconds, 3), "machine": outcome.machine}
    return {"state": outcome.state, **reason, **facts, "measures": to_json(outcome.measures)}


def read_outcome(folder: Path, seed: int) -> Outcome | None:
    """The outcome that a cell's folder holds, None where there is none yet.

    Raises DamagedFile (a ValueError) for a file that is none of ours.
    """
    path = folder / MEASURES
    if not path.exists():
        return None
    found = run_folder.read_json(path, "the result")
    with run_config.naming(path, advice="remove the file, and the cell is measured again"):
        _MEASURED(found, "")
        measures = from_json(found.pop("measures")) if found["measures"] else []
    return Outcome(seed, measures=measures, **{key: found[key] for key in found if key != "measures"})


def _over_seeds(taken: Sequence[Measure]) -> Measure:
    """One measure of several seeds: the mean of the values that there are, and their deviation (ddof = 1)."""
    valued = [measure for measure in taken if measure.value is not None]
    if len(valued) < 2:
        return (valued or taken)[0]
    first = valued[0]
    errors = [measure.standard_error for measure in valued if measure.standard_error is not None]
    values = [measure.value for measure in valued if measure.value is not None]
    shared = {key: was for key, was in first.settings.items() if all(one.settings.get(key) == was for one in valued)}
    return Measure(
        first.name,
        first.of,
        float(np.mean(values)),
        float(np.mean(errors)) if len(errors) == len(valued) else None,
        first.unit,
        first.digits,
        {**shared, "seeds": len(valued)},
        seed_deviation=float(np.std(values, ddof=1)),
    )


def _verdict(verdict: Verdict) -> dict[str, Any]:
    order = verdict.order
    return {
        "claim": order.claim,
        "places": [place._asdict() for place in order.places],
        "better": "lower" if order.lower else "higher",
        "verdict": verdict.verdict,
        "differences": [difference._asdict() for difference in verdict.differences],
        "paper": verdict.paper,
    }
