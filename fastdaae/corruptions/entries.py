"""Corruptions of each entry by itself, for samples of any shape."""

import math
from dataclasses import dataclass

from fastdaae.arguments import is_number


def probability(name: str, value: float) -> float:
    """A probability as a float; raises ValueError for a number outside [0, 1] and for what is none."""
    if not (is_number(value) and 0.0 <= value <= 1.0):
        raise ValueError(f"{name} must be a probability in [0, 1], got {value!r}")
    return float(value)


def _range(name: str, low: float, high: float) -> tuple[float, float]:
    finite = all(is_number(end) and math.isfinite(end) for end in (low, high))
    if not (finite and low < high):
        raise ValueError(f"{name} must be finite numbers with low < high, got ({low!r}, {high!r})")
    return float(low), float(high)


@dataclass(frozen=True)
class Gaussian:
    """Additive noise x~ = x + sigma n with n ~ N(0, I), clipped to `clip` = (low, high) when that is given.

    `sigma` is in units of x: [0, 1] pixels for images. Raises ValueError for a negative or non-finite sigma.
    Source: Creswell and Bharath 2018, section II-B.
    """

    sigma: float
    clip: tuple[float, float] | None = None

    def __post_init__(self):
        if not (is_number(self.sigma) and math.isfinite(self.sigma) and self.sigma >= 0):
            raise ValueError(f"sigma must be a finite number >= 0, got {self.sigma!r}; use sigma=0 for no corruption")
        object.__setattr__(self, "sigma", float(self.sigma))
        if self.clip is None:
            return
        if not (hasattr(self.clip, "__len__") and len(self.clip) == 2):
            raise ValueError(f"clip must be (low, high) or None, got {self.clip!r}")
        object.__setattr__(self, "clip", _range("clip", *self.clip))


@dataclass(frozen=True)
class Masking:
    """Each entry becomes 0 with probability `drop`. Source: Vincent et al. 2010, section 3.3."""

    drop: float

    def __post_init__(self):
        object.__setattr__(self, "drop", probability("drop", self.drop))


@dataclass(frozen=True)
class SaltAndPepper:
    """Each entry becomes `low` or `high`, each with probability p / 2. Source: Vincent et al. 2010."""

    p: float
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self):
        low, high = _range("low, high", self.low, self.high)
        for name, value in (("p", probability("p", self.p)), ("low", low), ("high", high)):
            object.__setattr__(self, name, value)
