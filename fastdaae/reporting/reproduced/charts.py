"""A chart for each of the paper's tables: its points beside ours."""

from collections.abc import Iterator

from fastdaae.evaluation.telling import heading
from fastdaae.reporting.drawing.drawn import Drawn, Redraw, chart
from fastdaae.reporting.figures.beside import Panel, Point, beside
from fastdaae.reporting.reproduced.result import Result, Row, file_name, grouped, tables_of

_ACROSS = 2
_MOST_CELLS = 16


def charts(result: Result) -> Iterator[Drawn]:
    """The charts of all tables whose numbers were measured, of two panels each."""
    groups = grouped(result)
    for table, places in tables_of(result).items():
        shown = [place for place in places if any(row.measure.value is not None for row in groups.get(place, ()))]
        for start in range(0, len(shown), _ACROSS):
            part = shown[start : start + _ACROSS]
            rows = {place: groups[place] for place in part}
            name = f"{file_name(table)}-{start // _ACROSS + 1}" if len(shown) > _ACROSS else file_name(table)
            yield chart(name.replace("table-table", "table"), lambda rows=rows, t=table: _prepared(t, rows))


def _prepared(table: str, groups: dict[tuple[str, str], list[Row]]) -> tuple[str, Redraw]:
    panels = [_panel(place, rows) for place, rows in groups.items()]
    caption = (
        f"{table} of the paper beside our numbers: filled points are ours, with their deviation over seeds (of one "
        "seed the standard error), hollow ones the paper's"
    )
    if any(panel.real is not None for panel in panels):
        caption += "; the dashed line is what real training images score"
    return f"{caption}. Compare the orders of the points, and how far apart they are.", lambda look: beside(
        panels, look
    )


def _panel(place: tuple[str, str], rows: list[Row]) -> Panel:
    first = rows[0].measure
    factor = 100.0 if first.unit == "share" else 1.0
    told = heading(first) + (", per cent" if first.unit == "share" else "")
    points = [_point(row, factor) for row in rows if not row.measure.is_of_real_data][:_MOST_CELLS]
    values = [row.measure.value for row in rows if row.measure.is_of_real_data and row.measure.value is not None]
    return Panel(place[1], told, points, factor * values[0] if values else None)


def _point(row: Row, factor: float) -> Point:
    measure, printed = row.measure, row.printed
    error = measure.standard_error if measure.seed_deviation is None else measure.seed_deviation
    return Point(
        row.of,
        None if measure.value is None else factor * measure.value,
        factor * (error or 0.0),
        None if printed is None else factor * printed.value,
        0.0 if printed is None else factor * (printed.standard_error or 0.0),
    )
