"""`fastdaae reproduce`."""

import itertools
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path

from rich.table import Table
from rich.text import Text

import fastdaae as fd
from fastdaae import experiments, reporting, run_config, run_folder
from fastdaae.cli.console import say, show, working
from fastdaae.cli.work.places import require_folder
from fastdaae.evaluation import Measure
from fastdaae.evaluation.telling import amount, heading, setting
from fastdaae.experiments.recipe import Budget, Recipe
from fastdaae.experiments.result import LEFT_OUT, RESULT, Result, folder_of
from fastdaae.experiments.sets import Sets
from fastdaae.experiments.verdicts import FAILS, HOLDS
from fastdaae.output import duration

_STYLES = {HOLDS: "green", FAILS: "yellow"}


def reproduce(*, name, list_, budget, out, seeds, precision, device, root) -> None:
    """Run a recipe and show its numbers; or list what there is.

    Raises RuntimeError, after all that, where a cell failed.
    """
    if list_:
        show(_recipes(root))
        return
    if name is None:
        raise ValueError(
            f"NAME must be one of {', '.join(experiments.names())}; `fastdaae reproduce --list` shows them"
        )
    recipe = experiments.find(name)
    out = out or Path("runs") / f"{name}-{budget}"
    require_folder(out, "--out")
    generated = budget in recipe.budgets and recipe.budgets[budget].stand_in is not None
    how = {"seeds": seeds, "device": device, "precision": precision, "root": root, "progress": not generated}
    result = experiments.reproduce(recipe, budget, out, tell=say, **how)
    show(_numbers(result))
    if recipe.orders:
        show(_orders(result))
    generated_note = ["generated images: these numbers show that it runs, and nothing else"] if generated else []
    for note in (*generated_note, *_left_out(result), *recipe.notes):
        say(note)
    with working("drawing the reports"):
        _report_on_runs(out, result)
        page = reporting.reproduction(out)
    say(f"numbers in {out / RESULT}, page in {page}")
    failed = result.failed()
    if failed:
        listed = "; ".join(f"{cell}, seed {outcome.seed}: {outcome.reason}" for cell, outcome in failed)
        raise RuntimeError(f"{len(failed)} cells failed ({listed}); the same command tries them again")


def _report_on_runs(out: Path, result: Result) -> None:
    """The reports of the first seed's runs, which the page links to: of those whose data a later command finds too."""
    for cell in result.recipe.cells:
        first = folder_of(out, cell.name, 0)
        for run in sorted(
            path.parent for path in [*first.glob(run_folder.CHECKPOINT), *first.glob(f"*/{run_folder.CHECKPOINT}")]
        ):
            if "data" not in run_config.read_config(run, "a report")["notes"] or (run / "report").exists():
                continue
            try:
                fd.report(run)
            except ValueError as error:  # the numbers are there all the same
                warnings.warn(f"no report of {run}: {error}", stacklevel=2)


def _recipes(root: Path | None) -> Table:
    table = Table("recipe", "what it makes", "of", "data", *(f"{budget}, time" for budget in experiments.BUDGETS))
    recipes = [experiments.find(name) for name in experiments.names()]
    with working("looking for the data sets"):
        # each is read to know, and none is kept
        needed = dict.fromkeys(name for recipe in recipes for name in recipe.data)
        absent = [name for name in needed if Sets(root, None).missing((name,))]
    for recipe in recipes:
        times = (_time(recipe.budgets[budget]) for budget in experiments.BUDGETS)
        made_of = f"{recipe.tables}: {recipe.source}"
        table.add_row(Text(recipe.name, "bold"), recipe.title, made_of, _data(recipe, absent), *times)
    return table


def _data(recipe: Recipe, absent: Collection[str]) -> Text:
    """The data sets that a recipe needs, each with whether it is here."""
    told = Text()
    for name in recipe.data:
        state = "here" if name not in absent else "absent, left out" if name in recipe.optional else "absent"
        told.append(f"{name} ").append(f"({state})\n", "yellow" if name in absent else "green")
    told.rstrip()
    return told


def _time(budget: Budget) -> str:
    return "not measured" if budget.minutes is None else f"{duration(60 * budget.minutes)} on {budget.machine}"


def _numbers(result: Result) -> Table:
    """All numbers, the paper's beside them; a section for each measure, with the settings that its rows share."""
    seeds = len(result.facts["seeds"])
    table = Table(title=f"{result.recipe.title}: budget {result.budget}", title_style="bold", header_style="bold")
    table.add_column("measure", no_wrap=True)
    table.add_column(f"ours, ± over {seeds} seeds" if seeds > 1 else "ours, one seed", justify="right")
    table.add_column("paper", justify="right", no_wrap=True)
    table.add_column("with", overflow="fold")
    for (name, of), group in itertools.groupby(result.rows(), key=lambda row: (heading(row.measure), row.measure.of)):
        rows = list(group)
        shared = [item for item in rows[0].measure.settings.items() if all(_has(row.measure, item) for row in rows)]
        table.add_row(Text(f"{name}: {of}", "bold"), "", "", _listed(dict(shared)))
        for row in rows:
            paper = "" if row.paper is None else f"{amount(row.measure, row.paper)} ({row.table})"
            own = {key: value for key, value in row.measure.settings.items() if (key, value) not in shared}
            table.add_row(f"  {row.cell}", _ours(row.measure), paper, row.measure.reason or _listed(own))
        table.add_section()
    return table


def _has(measure: Measure, item: tuple) -> bool:
    return item in measure.settings.items()


def _listed(settings: Mapping) -> str:
    return ", ".join(setting(name, value) for name, value in settings.items() if value != 0 and name != "seeds")


def _ours(measure: Measure) -> str:
    told = amount(measure)
    return told if measure.seed_deviation is None else f"{told} ± {amount(measure, measure.seed_deviation)}"


def _orders(result: Result) -> Table:
    table = Table("the paper's claim", "ours", "in the paper's own figures", header_style="bold")
    for verdict in result.verdicts():
        paper = {True: "holds", False: "does not hold", None: "not all printed"}[verdict.paper]
        table.add_row(verdict.order.claim, Text(verdict.verdict, _STYLES.get(verdict.verdict, "")), paper)
    return table


def _left_out(result: Result) -> list[str]:
    return [
        f"left out: {cell.title} ({outcomes[0].reason})"
        for cell in result.recipe.cells
        if (outcomes := result.outcomes.get(cell.name)) and outcomes[0].state == LEFT_OUT
    ]
