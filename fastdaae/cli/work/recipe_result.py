"""A recipe's result on the terminal: the numbers beside the paper's, and what became of the paper's claims."""

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fastdaae.cli.console import lines, say, width
from fastdaae.evaluation.telling import amount, heading, setting
from fastdaae.experiments.result import Result, Row
from fastdaae.experiments.verdicts import FAILS, HOLDS
from fastdaae.reporting.reproduced.tables import ours

_STYLES = {HOLDS: "green", FAILS: "yellow"}
_GAP, _NARROWEST = "  ", 12  # between columns; letters that the first one has at least


class _Line(NamedTuple):
    of: str
    ours: str
    paper: str
    table: str


class _Widths(NamedTuple):
    of: int
    ours: int
    paper: int
    table: int


_HEAD = _Line("", "ours", "paper's", "table")


def show_numbers(result: Result) -> None:
    """Show all numbers, the paper's beside them; each measure a group, under it the settings that its rows share."""
    seeds = len(result.facts["seeds"])
    say((f"{result.recipe.title}: budget {result.budget}", "bold"))
    lines(f"ours: mean ± deviation over {seeds} seeds" if seeds > 1 else "ours: one seed, ± standard error (s.e.)")
    rows = result.rows()
    widths = _widths([_HEAD, *map(_told, rows)])
    if widths is not None:
        _show_line(_HEAD, widths)
    for (name, of), group in itertools.groupby(rows, key=lambda row: (heading(row.measure), row.measure.of)):
        _show_group(f"{name}: {of}", list(group), widths)


def show_verdicts(result: Result) -> None:
    """Show each claim of the paper, whether our numbers have it, and whether the paper's own do."""
    if result.recipe.orders:
        say(("the paper's claims", "bold"))
    for verdict in result.verdicts():
        paper = {True: HOLDS, False: FAILS, None: "not all printed"}[verdict.paper]
        lines(verdict.order.claim)
        told = f"ours: {verdict.verdict}; the paper's own figures: {paper}"
        lines(told, _STYLES.get(verdict.verdict, ""), indent=2)


def _show_group(title: str, rows: Sequence[Row], widths: _Widths | None) -> None:
    first = rows[0].measure.settings.items()
    shared = dict(item for item in first if all(item in row.measure.settings.items() for row in rows))
    lines(title, "bold")
    if told := _listed(shared):
        lines(f"with {told}", "dim", indent=2)
    for row in rows:
        _show_line(_told(row), widths)
        own = {name: value for name, value in row.measure.settings.items() if name not in shared}
        if told := row.measure.reason or _listed(own):
            lines(told, "dim", indent=4)


def _told(row: Row) -> _Line:
    paper = "" if row.paper is None else amount(row.measure, row.paper)
    return _Line(row.cell, ours(row.measure), paper, row.table or "")


def _widths(told: Sequence[_Line]) -> _Widths | None:
    """How wide each column is, the first what the others leave of a line; None where that is too narrow for columns."""
    of, *others = (max(map(len, column)) for column in zip(*told, strict=True))
    left = width() - len(_GAP) - sum(others) - len(others) * len(_GAP)
    return None if left < _NARROWEST else _Widths(min(of, left), *others)


def _show_line(line: _Line, widths: _Widths | None) -> None:
    """A row without lines around it, so that nothing but text stands in a pipe; its name breaks where it must."""
    if widths is None:
        paper = f", paper's {line.paper} ({line.table})" if line.paper else ""
        lines(f"{line.of}: {line.ours}{paper}", indent=2)
        return
    name, *more = textwrap.wrap(line.of, widths.of) or [""]
    columns = (name.ljust(widths.of), line.ours.rjust(widths.ours), line.paper.rjust(widths.paper), line.table)
    say((_GAP + _GAP.join(columns)).rstrip())
    for rest in more:
        say(f"{_GAP}{_GAP}{rest}")


def _listed(settings: Mapping[str, float | str]) -> str:
    return ", ".join(setting(name, value) for name, value in settings.items() if value != 0 and name != "seeds")
