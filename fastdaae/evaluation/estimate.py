"""A mean with its standard error, and how both are told."""

import math
from typing import NamedTuple

import numpy as np

_MOST_DECIMALS = 12


class Estimate(NamedTuple):
    """A mean over a set and the standard error of that mean, in the unit of the quantity.

    `str` tells both with as many decimals as two digits of the error have, "208.5 ± 1.9"; a format such as ".3f" is
    that of both numbers. Without an error (NaN) the mean stands alone.
    """

    mean: float
    standard_error: float

    @classmethod
    def of(cls, values: np.ndarray) -> "Estimate":
        """The mean of values [N] and its standard error, std / sqrt(N); NaN where N = 1."""
        values = np.asarray(values, dtype=np.float64)
        error = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan
        return cls(float(values.mean()), float(error))

    def __str__(self) -> str:
        return format(self)

    def __format__(self, spec: str) -> str:
        alone = math.isnan(self.standard_error)
        mean, error = (format(number, spec or self._spec()) for number in self)
        return mean if alone else f"{mean} ± {error}"

    def _spec(self) -> str:
        """As many decimals as show two digits of the error; six digits where the error is none or tells nothing."""
        if not (math.isfinite(self.standard_error) and self.standard_error > 0):
            return ".6g"
        # of the rounded error: 0.0996 is told as 0.10
        exponent = int(f"{self.standard_error:.1e}".partition("e")[2])
        return f".{max(0, 1 - exponent)}f" if 1 - exponent <= _MOST_DECIMALS else ".6g"
