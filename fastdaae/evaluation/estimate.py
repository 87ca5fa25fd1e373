"""A mean with its standard error."""

import math
from typing import NamedTuple

import numpy as np


class Estimate(NamedTuple):
    """A mean over a set and the standard error of that mean, in the unit of the quantity."""

    mean: float
    standard_error: float

    @classmethod
    def of(cls, values: np.ndarray) -> "Estimate":
        """The mean of values [N] and its standard error, std / sqrt(N); NaN where N = 1."""
        values = np.asarray(values, dtype=np.float64)
        error = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan
        return cls(float(values.mean()), float(error))
