"""An evaluation as a table of numbers, beside those of the real data."""

import itertools
from collections.abc import Sequence

from rich.table import Table

from fastdaae.evaluation import Measure
from fastdaae.evaluation.telling import rows


def evaluation_table(measures: Sequence[Measure], title: str) -> Table:
    """All measures in one table, each kind a section."""
    table = Table(title=title, title_style="bold", header_style="bold")
    for heading in ("measure", "of", "value", "with"):
        table.add_column(heading, justify="right" if heading == "value" else "left")
    for measure, group in itertools.groupby(rows(measures), key=lambda row: row.measure):
        for place, row in enumerate(group):
            table.add_row("" if place else measure, row.of, row.value, row.settings)
        table.add_section()
    return table
