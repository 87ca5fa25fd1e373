"""What the commands print. Text is printed as it is: only a style given beside it is a style, never brackets in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

# names of files and data sets come into text and tables, and may hold [brackets]
_console = Console(markup=False, emoji=False)

Part = str | tuple[str, str]


def say(*parts: Part) -> None:
    """Print a line of parts: text, or (text, style); long lines are left for the terminal to break."""
    _console.print(Text.assemble(*parts), soft_wrap=True)


def show(table: Table) -> None:
    """Print a table; its texts are printed as they are, and a cell with a style is a `rich.text.Text`."""
    _console.print(table)


@contextmanager
def working(text: str) -> Iterator[Callable[[str], None]]:
    """Show that work is under way; gives a function that changes the text."""
    with _console.status(Text(text)) as status:
        yield lambda changed: status.update(Text(changed))
