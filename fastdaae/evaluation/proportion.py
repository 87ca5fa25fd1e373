"""A share of a count, with its binomial standard error."""

import math

from fastdaae.evaluation.estimate import Estimate


def proportion(successes: float, count: int) -> Estimate:
    """successes / count and its standard error, both in [0, 1].

    The error is sqrt(p (1 - p) / (count + 4)) at p = (successes + 2) / (count + 4), so that all of a few is not told
    as if it were certain; of many it is the binomial one. Raises ValueError for a count < 1. Source: Agresti and Coull
    1998, section 2.
    """
    if count < 1:
        raise ValueError(f"count must be >= 1, got {count}")
    p = (successes + 2) / (count + 4)
    return Estimate(successes / count, math.sqrt(p * (1 - p) / (count + 4)))
