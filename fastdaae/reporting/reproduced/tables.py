"""The tables of a reproduction's page: numbers beside the paper's, verdicts, and what became of each cell."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from urllib.parse import quote

from fastdaae.evaluation import Measure
from fastdaae.evaluation.telling import NOT_MEASURED, amount, heading, setting, settings_of
from fastdaae.output import duration
from fastdaae.reporting.reproduced.result import FINISHED, SHARED, Cell, Result, Row, Run, folders, grouped

DIFFERENCES = (
    "Differences are between neighbours in the order of the claim, means over seeds ± their deviation; above 0 is as "
    "claimed, and what is smaller than its deviation is within the spread."
)
SPREAD = (
    "± is the standard deviation over seeds; of one seed the standard error over images, marked s.e. The paper's ± are "
    "its own standard errors."
)


def numbers(result: Result) -> Iterator[str]:
    """All numbers as one table: first those that the paper prints, then the others; the real data with each kind."""
    yield '<table class="numbers beside">\n<thead><tr><th>of</th><th class="value">ours</th>'
    yield '<th class="value">the paper</th><th>measured with</th></tr></thead>\n'
    groups = grouped(result)
    for place in sorted(groups, key=lambda place: not any(row.printed for row in groups[place])):
        rows = groups[place]
        table = next((f"{row.printed.table} of the paper" for row in rows if row.printed), "")
        title = ", ".join(filter(None, (heading(rows[0].measure), place[1], table)))
        shared = shared_settings([row.measure for row in rows if not row.measure.is_of_real_data])
        told = escape(title) + _shared(shared)
        yield f'<tbody>\n<tr class="group"><th colspan="4" scope="rowgroup">{told}</th></tr>\n'
        yield from (_row(row, shared) for row in rows)
        yield "</tbody>\n"
    yield "</table>\n"


def shared_settings(measures: Sequence[Measure]) -> dict[str, float | str]:
    """What all measures were taken with, if there are several."""
    taken = [measure.settings for measure in measures if measure.value is not None]
    if len(taken) < 2:
        return {}
    return {name: value for name, value in taken[0].items() if all(one.get(name) == value for one in taken)}


def _shared(shared: dict[str, float | str]) -> str:
    told = ", ".join(setting(name, value) for name, value in shared.items() if value != 0)
    return f' <span class="shared">{escape(told)}</span>' if told else ""


def _row(row: Row, shared: dict[str, float | str]) -> str:
    kind, paper = "real" if row.measure.is_of_real_data else "model", _printed(row)
    own = {name: value for name, value in row.measure.settings.items() if shared.get(name) != value}
    told = settings_of(replace(row.measure, settings=own))
    of, value, paper, told = map(escape, (row.of, ours(row.measure), paper, told))
    return (
        f'<tr class="{kind}"><td>{of}</td><td class="value">{value}</td><td class="value paper">{paper}</td>'
        f'<td class="settings">{told}</td></tr>\n'
    )


def ours(measure: Measure) -> str:
    """A value with its deviation over seeds, or of one seed its standard error."""
    if measure.value is None:
        return NOT_MEASURED
    if measure.seed_deviation is not None:
        return f"{amount(measure)} ± {amount(measure, measure.seed_deviation)}"
    if measure.standard_error is not None:
        return f"{amount(measure)} ± {amount(measure, measure.standard_error)} s.e."
    return amount(measure)


def _printed(row: Row) -> str:
    if row.printed is None:
        return ""
    value, error = row.printed.value, row.printed.standard_error
    told = amount(row.measure, value)
    return told if error is None else f"{told} ± {amount(row.measure, error)}"


def verdicts(result: Result) -> Iterator[str]:
    """The orders that the paper claims, and what became of each."""
    found = result.facts["verdicts"]
    if not found:
        return
    yield '<table class="numbers">\n<thead><tr><th>the paper\'s claim</th><th class="value">in our numbers</th>'
    yield "<th>in the paper's own; our differences</th></tr></thead>\n<tbody>\n"
    for verdict in found:
        own = {True: "holds", False: "does not hold", None: "not printed"}[verdict.get("paper")]
        told = "; ".join([f"the paper: {own}", *map(_difference, verdict.get("differences", []))])
        claim, became = escape(verdict["claim"]), escape(verdict["verdict"])
        yield f'<tr class="model"><td>{claim}</td><td class="value">{became}</td>'
        yield f'<td class="settings">{escape(told)}</td></tr>\n'
    yield "</tbody>\n</table>\n"


def _difference(difference: dict) -> str:
    if difference["mean"] is None:
        return difference["verdict"]
    spread = "" if difference["deviation"] is None else f" ± {difference['deviation']:.2g}"
    return f"{difference['mean']:+.3g}{spread}".replace("-", "\N{MINUS SIGN}")


_COUNTED = {
    "holds": ("holds", "hold"),
    "does not hold": ("does not hold", "do not hold"),
    "within the spread": ("is within the spread", "are within the spread"),
    "one seed has no spread": ("cannot be judged from one seed", "cannot be judged from one seed"),
    "not measured": ("was not measured", "were not measured"),
}


def tally(result: Result) -> str:
    """How many of the claims hold, in a sentence; empty without claims."""
    found = [verdict["verdict"] for verdict in result.facts["verdicts"]]
    if not found:
        return ""
    counts = []
    for verdict in dict.fromkeys(found):
        count = found.count(verdict)
        one, more = _COUNTED.get(verdict, (f"is “{verdict}”", f"are “{verdict}”"))
        counts.append(f"{count} {one if count == 1 else more}")
    return f"Of {len(found)} claims of the paper, {', '.join(counts)}."


def cells(result: Result) -> Iterator[str]:
    """Each cell with how long its seeds took, and where its runs and reports are, and those that cells share."""
    yield '<table class="run cells">\n<tbody>\n'
    for cell in result.cells:
        told = "<br>".join(_run(result, run) for run in cell.runs) or "not run yet"
        yield f'<tr><th scope="row">{escape(cell.title)}</th><td>{told}</td></tr>\n'
    for shared in folders(result.folder / SHARED):
        places = [_link(result.folder, page) for page in sorted(shared.glob("*/report/report.html"))]
        told = "<br>".join(places) or escape(shared.relative_to(result.folder).as_posix())
        yield f'<tr><th scope="row">shared: {escape(shared.name)}</th><td>{told}</td></tr>\n'
    yield "</tbody>\n</table>\n"


def _run(result: Result, run: Run) -> str:
    """A run in HTML: a link to its report where there is one, its folder elsewhere."""
    told = f"seed {run.seed}: {run.state}" + (f" after {duration(run.seconds)}" if run.seconds else "")
    places = [_link(result.folder, page) for page in reports_of(run)]
    if not places:
        places = [escape(run.folder.relative_to(result.folder).as_posix())]
    return f"{escape(told)}, {', '.join(places)}" if run.state == FINISHED else escape(told)


def reports_of(run: Run) -> Sequence[Path]:
    """The reports in a run's folder, of itself or of the several runs that it has."""
    return sorted(run.folder.glob("report/report.html")) + sorted(run.folder.glob("*/report/report.html"))


def _link(folder: Path, page: Path) -> str:
    place = page.relative_to(folder)
    name = place.parent.parent.as_posix()
    return f'<a href="{escape(quote(place.as_posix()))}">{escape(name)}</a>'


def troubles(result: Result) -> list[str]:
    """A sentence for each cell that did not finish, and for those that were not begun."""
    told = [
        f"{cell.title}, seed {run.seed}, {run.state}: {run.reason or 'no reason is known'}"
        for cell in result.cells
        for run in cell.runs
        if run.state != FINISHED
    ]
    missing = [cell for cell in result.cells if len(cell.runs) < len(result.facts["seeds"])]
    return told + [_missing(cell, result) for cell in missing]


def _missing(cell: Cell, result: Result) -> str:
    return f"{cell.title}: {len(cell.runs)} of {len(result.facts['seeds'])} seeds were run so far."
