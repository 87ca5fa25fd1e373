"""What the commands print. Text is printed as it is: only a style given beside it is a style, never brackets in it."""

import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Column, Table
from rich.text import Text

from fastdaae.kernels import compiled
from fastdaae.output import duration, print_line, redraws

# names of files and data sets come into text and tables, and may hold [brackets]
_console = Console(markup=False, emoji=False)
_TOLD = 1.0  # seconds from which on a time is worth telling
_COUNTED = 0.5  # seconds from which on an operator's progress is shown: many short ones would flicker
_NARROWEST = 20  # letters that a broken line has at least
_DRAWN = 8  # times a second that a line is drawn anew

Part = str | tuple[str, str]


def say(*parts: Part) -> None:
    """Print a line of parts: text, or (text, style); long lines are left for the terminal to break."""
    _console.print(Text.assemble(*parts), soft_wrap=True)


def lines(text: str, style: str = "", *, indent: int = 0, hanging: int = 2) -> None:
    """Print text that is broken between words at the terminal's width, or at 80 letters where there is none.

    The first line begins after `indent` spaces, the others after `hanging` more.
    """
    room = max(indent + hanging + _NARROWEST, _console.width)
    first, later = " " * indent, " " * (indent + hanging)
    for line in textwrap.wrap(text, room, initial_indent=first, subsequent_indent=later, break_on_hyphens=False):
        _console.print(Text(line, style), soft_wrap=True)


def width() -> int:
    """How many letters a line of the terminal has; 80 where there is none."""
    return _console.width


def show(table: Table) -> None:
    """Print a table; its texts are printed as they are, and a cell with a style is a `rich.text.Text`."""
    _console.print(table)


@contextmanager
def working(text: str) -> Iterator[Callable[[str], None]]:
    """Show that work is under way; gives a function that begins the next stage of it, with a text of its own.

    On a terminal a line that moves and then vanishes, with the count of what the C++ kernels are at; elsewhere a line
    as a stage begins, and one with its time as it ends, if that was longer than a second.
    """
    if not redraws(_console):
        stages = _Lines(text)
        yield stages.begin
        stages.end()
        return
    line = _MovingLine(text)
    with Live(line, console=_console, refresh_per_second=_DRAWN, transient=True):
        yield line.begin


class _Lines:
    def __init__(self, text: str):
        self._text: str | None = None
        self._began = 0.0
        self.begin(text)

    def begin(self, text: str) -> None:
        if text == self._text:
            return
        if self._text is not None:
            self.end()
        print_line(text)
        self._text, self._began = text, time.monotonic()

    def end(self) -> None:
        seconds = time.monotonic() - self._began
        if seconds > _TOLD:
            print_line(f"{self._text}: {duration(seconds)}")


class _MovingLine:
    """A stage, drawn by rich as often as it likes from a thread of its own: the kernels work without Python's lock."""

    def __init__(self, text: str):
        self._spinner = Spinner("dots", style="status.spinner")
        self.begin(text)

    def begin(self, text: str) -> None:
        # of one line, whose end goes where the terminal is narrow
        self._text, self._began = Text(text, no_wrap=True, overflow="ellipsis"), time.monotonic()

    def __rich__(self) -> Table:
        numbers = _counted(compiled.progress()) or [_elapsed(time.monotonic() - self._began)]
        columns = [Column(no_wrap=True), Column(), *(Column(no_wrap=True) for _ in numbers)]
        grid = Table.grid(*columns, padding=(0, 1))
        grid.add_row(self._spinner, self._text, *numbers)
        return grid


def _elapsed(seconds: float) -> Text:
    return Text(duration(seconds) if seconds > _TOLD else "")


def _counted(found: compiled.Progress | None) -> list:
    """The cells of an operator's progress: bar, percentage, count, rate and time left; none of one that just began."""
    if found is None or found.seconds < _COUNTED or not found.done:
        return []
    rate = found.done / found.seconds
    return [
        ProgressBar(total=found.total, completed=found.done, width=12),
        Text(f"{100 * found.done // found.total:3} %"),
        Text(f"{found.done:,} of {found.total:,}"),
        Text(f"{rate:,.0f} {found.unit}/s", "cyan"),
        Text(f"{duration((found.total - found.done) / rate)} left"),
    ]
