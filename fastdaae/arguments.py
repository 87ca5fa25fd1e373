"""Numbers as arguments: those of Python and NumPy are accepted and stored as Python's; truth values are no numbers."""

from numbers import Integral, Real

import torch


def is_number(value) -> bool:
    """Whether a value is a real number of Python or NumPy."""
    return isinstance(value, Real) and not isinstance(value, bool)


def whole(name: str, value) -> int:
    """A whole number as an int (a traced one as it is); raises TypeError for anything else."""
    if isinstance(value, int | torch.SymInt) and not isinstance(value, bool):
        return value
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    return int(value)
