"""An evaluation as a table of numbers, beside those of the real data."""

import itertools
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from fastdaae.evaluation import Measure
from fastdaae.evaluation.telling import rows


def evaluation_table(measures: Sequence[Measure], title: str) -> Table:
    """All measures in one table, each kind a section under its name; what breaks in a narrow one are the settings."""
    table = Table(title=title, title_style="bold", header_style="bold")
    table.add_column("measure", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("with", overflow="fold")
    for measure, group in itertools.groupby(rows(measures), key=lambda row: row.measure):
        table.add_row(Text(measure, "bold"))
        for row in group:
            table.add_row(f"  {row.of}", row.value.replace(" (", "\n("), row.settings)
        table.add_section()
    return table
