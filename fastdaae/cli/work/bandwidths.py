"""`--bandwidths`: the grid that a bandwidth is chosen from, and what to say where the choice is at its end."""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from fastdaae.cli.console import say
from fastdaae.evaluation.estimators.parzen import GRID_END
from fastdaae.schema import shortened

_MOST = 1000


def bandwidth_grid(text: str | None) -> list[float] | None:
    """The bandwidths of "0.05,0.1,0.2", or of "low:high:count", as many from low to high in equal ratios; ascending.

    None for None. Raises ValueError for anything else, and for more than a thousand.
    """
    if text is None:
        return None
    try:
        grid = _spread(*text.split(":")) if ":" in text else sorted({float(part) for part in text.split(",")})
    except (ValueError, TypeError):
        grid = []
    if not 1 <= len(grid) <= _MOST or not all(math.isfinite(bandwidth) and bandwidth > 0 for bandwidth in grid):
        raise ValueError(
            "--bandwidths must be numbers > 0 as in 0.05,0.1,0.2, or low:high:count as in 0.05:0.5:20 (count in "
            f"2..{_MOST}), got {shortened(text)}"
        )
    return grid


def _spread(low: str, high: str, count: str) -> list[float]:
    if not (0 < float(low) < float(high) < math.inf and 2 <= int(count) <= _MOST):
        return []
    return np.geomspace(float(low), float(high), int(count)).tolist()


@contextmanager
def ends_told() -> Iterator[None]:
    """Warnings of a bandwidth at an end of its grid become lines that are printed last, with the option that helps."""
    ends: list[str] = []
    show = warnings.showwarning

    def keep(message, *place, **more) -> None:
        if str(message).startswith(GRID_END):
            ends.append(str(message).partition(";")[0])
        else:
            show(message, *place, **more)

    with warnings.catch_warnings():
        warnings.filterwarnings("always", GRID_END, UserWarning)
        warnings.showwarning = keep
        yield
    for end in dict.fromkeys(ends):
        say((f"{end}; widen the grid with --bandwidths low:high:count", "yellow"))
