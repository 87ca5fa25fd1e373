"""Measures that may be impossible: taken, or without a value and with the reason."""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from fastdaae.evaluation.measure import Measure

IMPOSSIBLE = (ValueError, ArithmeticError, MemoryError, torch.OutOfMemoryError, torch.linalg.LinAlgError)


def attempt(kind: Callable[..., Measure], of: str, take: Callable[[], Mapping]) -> Measure:
    """The measure of a `kind` (its name, unit and digits) that `take` gives the rest of; or why it could not be taken.

    A value that is not finite counts as one that could not be taken.
    """
    try:
        taken = take()
        if not math.isfinite(taken["value"]):
            raise ValueError(f"its value is {taken['value']}, which is no finite number")
        return kind(of=of, **taken)
    except IMPOSSIBLE as error:
        return kind(of=of, reason=reason_of(error))


def reason_of(error: BaseException) -> str:
    """An error's message on one line."""
    return " ".join(str(error).split()) or type(error).__name__


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
