"""Prior distributions p(z) over codes: `sample` draws rows at their own addresses, so that pieces equal the whole."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from fastdaae.arguments import positive, whole_in
from fastdaae.noise import Noise, Site
from fastdaae.ops import normal, uniform


class Prior(Protocol):
    """What a model asks of a prior; a class of one's own has this `sample`, or is a function inside `Custom`."""

    def sample(self, n: int, noise: Noise, *, row_offset: int = 0) -> Tensor:
        """n draws, floating [n, Z], at the rows row_offset, row_offset + 1, ... of the noise."""


@dataclass(frozen=True)
class Normal:
    """The standard normal distribution N(0, I) in `dim` dimensions; dimension j reads column j of the noise.

    Raises ValueError for dim < 1, TypeError for no whole number. Source: Creswell and Bharath 2018, section VI.
    """

    dim: int

    def __post_init__(self):
        object.__setattr__(self, "dim", whole_in("dim", self.dim, 1))

    def sample(self, n: int, noise: Noise, *, row_offset: int = 0, site: int = Site.PRIOR) -> Tensor:
        """n draws, float32 [n, dim]."""
        return normal(n, self.dim, noise, row_offset=row_offset, site=site)[0]


@dataclass(frozen=True)
class RingMixture:
    """A mixture of `modes` 2-D Gaussians of deviation `std`, evenly spaced on a circle of radius `radius`.

    The mode reads column 4's uniform, the offsets columns 0 and 1. Raises ValueError for a non-positive argument,
    TypeError for modes that are no whole number.
    Source: Creswell and Bharath 2018, appendix E (ten 2-D Gaussians).
    """

    modes: int = 10
    radius: float = 4.0
    std: float = 0.5

    def __post_init__(self):
        object.__setattr__(self, "modes", whole_in("modes", self.modes, 1))
        for name in ("radius", "std"):
            object.__setattr__(self, name, positive(name, getattr(self, name)))

    @property
    def dim(self) -> int:
        """Always 2."""
        return 2

    def sample(self, n: int, noise: Noise, *, row_offset: int = 0, site: int = Site.PRIOR) -> Tensor:
        """n draws, float32 [n, 2]."""
        drawn = uniform(n, 5, noise, row_offset=row_offset, site=site)[0, :, 4]
        angle = torch.floor(drawn * self.modes) * (2 * math.pi / self.modes)
        centers = self.radius * torch.stack((torch.cos(angle), torch.sin(angle)), dim=1).float()
        return centers + self.std * normal(n, 2, noise, row_offset=row_offset, site=site)[0]


@dataclass(frozen=True)
class Custom:
    """A prior of one's own: `sampler(n, noise, row_offset)` returns n codes, float [n, Z].

    Take all randomness from `noise` (for instance `fastdaae.priors.Normal(2).sample(n, noise, row_offset=row_offset)`),
    so that runs repeat. Raises ValueError where the sampler's result is not [n, Z].
    """

    sampler: Callable[[int, Noise, int], Tensor]

    def sample(self, n: int, noise: Noise, *, row_offset: int = 0, site: int = Site.PRIOR) -> Tensor:
        """n draws, [n, Z] in the sampler's dtype; `site` is the sampler's own affair."""
        z = self.sampler(n, noise, row_offset)
        if not isinstance(z, Tensor) or z.dim() != 2 or len(z) != n:
            got = list(z.shape) if isinstance(z, Tensor) else type(z).__name__
            raise ValueError(f"sampler must return a tensor [n, Z] with n = {n} rows, got {got}")
        return z
