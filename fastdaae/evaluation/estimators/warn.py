"""Warnings at the line of the person who called, however deep in the package the reason was found."""

import inspect
import itertools
import traceback
import warnings
from pathlib import Path

_PACKAGE = str(Path(__file__).parents[2])


def warn(message: str) -> None:
    """A UserWarning with the nearest caller outside the package as its place."""
    files = (frame.f_code.co_filename for frame, _ in traceback.walk_stack(inspect.currentframe()))
    inside = itertools.takewhile(lambda file: file.startswith(_PACKAGE), files)
    warnings.warn(message, UserWarning, stacklevel=1 + sum(1 for _ in inside))
