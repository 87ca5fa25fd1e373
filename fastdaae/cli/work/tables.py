"""An evaluation as a table of numbers, beside those of the real data."""

import itertools
from collections.abc import Sequence

from rich.table import Table

from fastdaae.evaluation import Measure
from fastdaae.evaluation.telling import rows


def evaluation_table(measures: Sequence[Measure], title: str) -> Table:
    """All measures in one table, each kind a section."""
    table = Table(title=title, title_style="bold", header_style="bold")
    for heading, justify in (("measure", "left"), ("of", "left"), ("value", "right"), ("with", "left")):
        table.add_column(heading, justify=justify)
    for measure, group in itertools.groupby(rows(measures), key=lambda row: row.measure):
        for place, row in enumerate(group):
            table.add_row("" if place else measure, row.of, row.value, row.settings)
        table.add_section()
    return table
