"""What a result's folder holds, read from its result.json without trusting it."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from fastdaae import run_config, run_folder
from fastdaae.evaluation import Measure
from fastdaae.evaluation.measure import REAL, from_json
from fastdaae.schema import anything, list_of, mapping, mapping_of, number, optional, record, text, whole

RESULT = "result.json"
FINISHED = "finished"
SHARED = "shared"  # the folder of runs that several cells use
_PLACE = {"cell": text, "measure": text, "of": text}
_RUN = record(
    {"seed": whole(0), "state": text, "folder": text, "measures": anything},
    {"reason": optional(text), "seconds": number(0), "machine": text},
)
_CELL = record({"name": text, "title": text, "runs": list_of(_RUN, 0), "measures": anything})
_FIGURE = record({**_PLACE, "value": number(), "table": text}, {"standard_error": optional(number(0))})
_NUMBER = optional(number())
_DIFFERENCE = record({"mean": _NUMBER, "deviation": _NUMBER, "verdict": text})
_VERDICT = record({"claim": text, "verdict": text}, {"differences": list_of(_DIFFERENCE, 0), "paper": anything})
_CHECK = record(
    {
        "recipe": text,
        "title": text,
        "source": text,
        "budget": text,
        "seeds": list_of(whole(0)),
        "cells": list_of(_CELL),
        "figures": list_of(_FIGURE, 0),
        "verdicts": list_of(_VERDICT, 0),
    },
    {"settings": mapping, "stand_in": optional(whole(1)), "machine": mapping_of(anything), "notes": list_of(text, 0)},
)


class Run(NamedTuple):
    """A cell with one seed: its folder, and its state, "finished" or another with the reason."""

    seed: int
    state: str
    folder: Path
    reason: str
    seconds: float


class Cell(NamedTuple):
    """A row of the paper's tables: its runs, and its measures over their seeds."""

    name: str
    title: str
    runs: Sequence[Run]
    measures: Sequence[Measure]


class Printed(NamedTuple):
    """A number of the paper, in the measure's unit, and the table where it stands."""

    value: float
    standard_error: float | None
    table: str


class Result(NamedTuple):
    """A recipe's result: `facts` are all of result.json, `printed` the paper's numbers by (cell, measure, of)."""

    folder: Path
    facts: Mapping[str, Any]
    cells: Sequence[Cell]
    printed: Mapping[tuple[str, str, str], Printed]


class Row(NamedTuple):
    """A number of ours and the paper's beside it, where it prints one; `of` is the cell's title, or the real data."""

    of: str
    measure: Measure
    printed: Printed | None


def read_result(folder: Path) -> Result:
    """The result in a folder; raises FileNotFoundError without one, DamagedFile (a ValueError) for what is none."""
    path = folder / RESULT
    facts = run_folder.read_json(path, "the page of a result")
    with run_config.naming(path, advice="reproduce the recipe again, which keeps the cells that are finished"):
        _CHECK(facts, "")
        cells = [_cell(folder, cell, f"cells[{place}]") for place, cell in enumerate(facts["cells"])]
    printed = {
        (figure["cell"], figure["measure"], figure["of"]): Printed(
            figure["value"], figure.get("standard_error"), figure["table"]
        )
        for figure in facts["figures"]
    }
    return Result(folder, facts, cells, printed)


def _cell(folder: Path, cell: dict, key: str) -> Cell:
    runs = [_run(folder, run) for run in cell["runs"]]
    measures = from_json(cell["measures"], f"{key}.measures") if cell["measures"] else []
    return Cell(cell["name"], cell["title"], runs, measures)


def _run(folder: Path, run: dict) -> Run:
    place = PurePosixPath(run["folder"])
    if place.is_absolute() or ".." in place.parts:
        raise ValueError(f"folder must be inside the result's, got {run['folder']!r}")
    return Run(run["seed"], run["state"], folder / place, run.get("reason") or "", run.get("seconds", 0.0))


def file_name(title: str) -> str:
    """A title as the name of a file: "Table IV" as table-iv."""
    return "-".join("".join(letter if letter.isalnum() else " " for letter in title.lower()).split()) or "figure"


def folders(place: Path) -> list[Path]:
    """The folders in a place, sorted; none where there is no such place."""
    return sorted(path for path in place.iterdir() if path.is_dir()) if place.is_dir() else []


def grouped(result: Result) -> dict[tuple[str, str], list[Row]]:
    """The rows of each (measure, of) in the cells' order, those of the real data below each that is of models."""
    found: dict[tuple[str, str], list[Row]] = {}
    for cell in result.cells:
        for measure in cell.measures:
            printed = result.printed.get((cell.name, measure.name, measure.of))
            title = measure.of if measure.is_of_real_data else cell.title
            rows = found.setdefault((measure.name, measure.of), [])
            # equal numbers of the real data stand once
            if not (measure.is_of_real_data and any(row.measure.value == measure.value for row in rows)):
                rows.append(Row(title, measure, printed))
    real = {name: rows for (name, of), rows in found.items() if of == REAL}
    models = {place: rows + real.get(place[0], []) for place, rows in found.items() if place[1] != REAL}
    alone = {(name, REAL): rows for name, rows in real.items() if not any(name == place[0] for place in models)}
    return {**models, **alone}


def tables_of(result: Result) -> dict[str, list[tuple[str, str]]]:
    """{the paper's table: the (measure, of) that it prints}."""
    tables: dict[str, list[tuple[str, str]]] = {}
    for (_, measure, of), printed in result.printed.items():
        places = tables.setdefault(printed.table, [])
        if (measure, of) not in places:
            places.append((measure, of))
    return tables
