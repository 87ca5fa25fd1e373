"""Measures that may be impossible: their numbers, ready for JSON, or nulls with the reason."""

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

IMPOSSIBLE = (ValueError, ArithmeticError, MemoryError, torch.OutOfMemoryError, torch.linalg.LinAlgError)


def attempt(measure: Callable[[], Mapping], numbers: Sequence[str]) -> dict:
    """What `measure` gives, with None for numbers that are not finite; where it raises, None and a "reason"."""
    try:
        return without_nan(measure())
    except IMPOSSIBLE as error:
        return {**dict.fromkeys(numbers), "reason": reason_of(error)}


def reason_of(error: BaseException) -> str:
    """An error's message on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def without_nan(value):
    """A structure of mappings, lists and numbers as JSON knows them: NaN and infinity, which it does not, are None."""
    if isinstance(value, Mapping):
        return {name: without_nan(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def require_finite(what: str, rows: Tensor) -> None:
    """Raises ValueError where rows [N, ...] of the model's making are not all numbers, as after training diverged."""
    bad = int((~rows.isfinite()).flatten(1).any(1).sum())
    if bad:
        raise diverged(f"{bad:,} of {len(rows):,} {what}")


def diverged(what: str) -> ValueError:
    """What to say of numbers of the model's making that are none."""
    return ValueError(
        f"{what} hold NaN or infinite values: the model has diverged; train it again, for example with a smaller "
        "learning rate"
    )
