"""`--bandwidths`: the grid that a bandwidth is chosen from, and what to say where the choice is at its end."""

import math
from collections.abc import Sequence

import numpy as np

from fastdaae.cli.console import say
from fastdaae.evaluation import Measure
from fastdaae.schema import shortened

_MOST = 1000
_REMEDY = "a better one may lie beyond: widen the grid with --bandwidths low:high:count"


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


def is_at_end(bandwidth: float, grid: Sequence[float]) -> bool:
    """Whether a bandwidth that was chosen from several is the smallest or the largest of them."""
    return len(grid) > 1 and bandwidth in (min(grid), max(grid))


def tell_end(bandwidth: float, of: str = "") -> None:
    """Say that the chosen bandwidth is at the end of its grid, and what to do."""
    say((f"the bandwidth {bandwidth:.4g}{of} is at the end of its grid; {_REMEDY}", "yellow"))


def tell_ends(measures: Sequence[Measure]) -> None:
    """The same for every measure whose bandwidth is there."""
    for measure in measures:
        bandwidth = measure.settings.get("bandwidth")
        grid = (measure.curve or {}).get("bandwidths", ())
        if bandwidth is not None and is_at_end(bandwidth, grid):
            tell_end(bandwidth, f" of {measure.of}")
