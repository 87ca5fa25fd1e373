"""Numbers as arguments: those of Python and NumPy are accepted and stored as Python's; truth values are no numbers."""

import math
from numbers import Integral, Number, Real

import torch


def is_number(value) -> bool:
    """Whether a value is a real number of Python or NumPy."""
    return isinstance(value, Real) and not isinstance(value, bool)


def whole(name: str, value) -> int:
    """A whole number as an int (a traced one as it is); raises TypeError for anything else."""
    return value if type(value) is int else _as_int(name, value, "")


def whole_in(name: str, value, low: int, high: int | None = None) -> int:
    """A whole number in low..high as an int; raises TypeError for what is none, ValueError for one outside."""
    expected = f" >= {low}" if high is None else f" in {low}..{high}"
    number = _as_int(name, value, expected)
    if number < low or (high is not None and number > high):
        raise ValueError(f"{name} must be a whole number{expected}, got {number}")
    return number


def _as_int(name: str, value, expected: str) -> int:
    if isinstance(value, int | torch.SymInt) and not isinstance(value, bool):
        return value  # type: ignore[return-value]  # a traced number stands for an int
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number{expected}, got {_shown(value)}")
    return int(value)


def positive(name: str, value) -> float:
    """A finite number > 0 as a float; raises ValueError for anything else."""
    if not (is_number(value) and math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be a finite number > 0, got {_shown(value)}")
    return float(value)


def _shown(value) -> str:
    """A number as Python writes it, np.float32(nan) as nan; text in quotes."""
    return str(value) if isinstance(value, Number) else repr(value)
