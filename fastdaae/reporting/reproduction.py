"""`reproduction`: the page of a recipe's result, its numbers beside the paper's."""

from collections.abc import Iterator
from html import escape
from os import PathLike
from pathlib import Path

from fastdaae import run_folder
from fastdaae.evaluation.measures import LIKELIHOOD
from fastdaae.output import duration
from fastdaae.reporting import page
from fastdaae.reporting.panels import write_panel
from fastdaae.reporting.reproduced import tables
from fastdaae.reporting.reproduced.charts import charts
from fastdaae.reporting.reproduced.models import subjects
from fastdaae.reporting.reproduced.pictures import pictures
from fastdaae.reporting.reproduced.result import Result, read_result

_STAND_IN = "Generated images stand in for the data: these numbers show that the recipe runs, and nothing else."


def reproduction(result_dir: str | PathLike) -> Path:
    """Write the page of a recipe's result, result_dir/report.html with figures beside it; returns the page's path.

    The folder is one of `fastdaae reproduce`: its result.json, finished or not, and the runs of its cells, from whose
    models the pictures are made; a run that names no data that are here has fewer. Cells whose runs have a report
    (`report`) are linked to it. Equal folders give equal pages. Raises FileNotFoundError where there is no result.json,
    DamagedFile (a ValueError), with the key, where it is none.
    """
    result = read_result(Path(result_dir))
    drawn = [*charts(result), *pictures(subjects(result))]
    panels = [write_panel(one, result.folder / "figures") for one in drawn]
    path = result.folder / "report.html"
    run_folder.write_text(path, page.document(result.facts["title"], _summary(result), _parts(result, panels)))
    return path


def _summary(result: Result) -> str:
    facts = result.facts
    seeds = len(facts["seeds"])
    return (
        f"The recipe {facts['recipe']} of {facts['source']}, at the budget “{facts['budget']}”, with {seeds} "
        f"seed{'s' if seeds != 1 else ''}. {tables.tally(result)}"
    ).strip()


def _parts(result: Result, panels: list[page.Panel]) -> Iterator[str]:
    notes = [_STAND_IN] if result.facts.get("stand_in") else []
    yield from (f'<p class="note">{escape(note)}</p>\n' for note in [*notes, *tables.troubles(result)])
    yield "<h2>Beside the paper</h2>\n"
    yield f'<p class="caution">{escape(tables.SPREAD)}</p>\n'
    yield from tables.numbers(result)
    told = list(result.facts.get("notes", []))
    if any(measure.name == LIKELIHOOD for cell in result.cells for measure in cell.measures):
        told.append(page.LIKELIHOOD_CAUTION)
    yield from (f'<p class="caution">{escape(note)}</p>\n' for note in told)
    if result.facts["verdicts"]:
        yield "<h2>What the paper claims</h2>\n"
        yield from tables.verdicts(result)
        yield f'<p class="caution">{escape(tables.DIFFERENCES)}</p>\n'
    if panels:
        yield "<h2>Figures</h2>\n"
        yield from page.figures(panels)
    yield "<h2>Runs</h2>\n"
    yield from tables.cells(result)
    yield "<h2>Settings</h2>\n"
    yield page.settings_table(_settings(result))


def _settings(result: Result) -> list[tuple[str, str]]:
    facts = result.facts
    seconds = sum(run.seconds for cell in result.cells for run in cell.runs)
    given = {name.replace("_", " "): value for name, value in (facts.get("settings") or {}).items()}
    stand_in = facts.get("stand_in")
    told = {
        "budget": facts["budget"],
        **given,
        "generated training images": stand_in and f"{stand_in:,}",
        "precision": facts.get("precision"),
        "seeds": ", ".join(map(str, facts["seeds"])),
        "time of all cells": duration(seconds) if seconds else None,
        **(facts.get("machine") or {}),
    }
    return [(name, str(value)) for name, value in told.items() if value is not None]
