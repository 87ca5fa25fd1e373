"""Prior distributions p(z) over codes: `sample` draws rows at their own addresses, so that pieces equal the whole."""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Protocol

import torch
from torch import Tensor
from torch.distributions import Distribution

from fastdaae.arguments import positive, whole_in
from fastdaae.noise import Noise, Site
from fastdaae.ops import normal, uniform
from fastdaae.schema import shortened


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

    Take all randomness from `noise`, so that runs repeat and pieces equal the whole; a correlated normal prior is

        def sampler(n, noise, row_offset):
            return fastdaae.priors.Normal(2).sample(n, noise, row_offset=row_offset) @ root.T + mean

    Raises TypeError for what is no such function, ValueError where its result is not [n, Z].
    """

    sampler: Callable[[int, Noise, int], Tensor]

    def __post_init__(self):
        if not callable(self.sampler) or not _takes(self.sampler, 1, None, 0):
            raise TypeError(
                f"sampler must be a function of (n, noise, row_offset) that returns codes [n, Z], got "
                f"{shortened(self.sampler)}; draw them from the noise, as by {_DRAWS.format(dim='dim')}"
            )

    def sample(self, n: int, noise: Noise, *, row_offset: int = 0, site: int = Site.PRIOR) -> Tensor:
        """n draws, [n, Z] in the sampler's dtype; `site` is the sampler's own affair."""
        z = self.sampler(n, noise, row_offset)
        if not isinstance(z, Tensor) or z.dim() != 2 or len(z) != n:
            got = list(z.shape) if isinstance(z, Tensor) else type(z).__name__
            raise ValueError(f"sampler must return a tensor [n, Z] with n = {n} rows, got {got}")
        return z


def require(prior: object) -> None:
    """Raises TypeError, with what to say instead, for what draws no codes at addresses."""
    if not _draws(prior):
        got, remedy = _confused(prior)
        raise TypeError(f"prior must be one of fastdaae.priors, got {got}; {remedy}")


def require_initial(initial: object) -> None:
    """Raises TypeError, with what to say instead, for what is no prior to start chains from."""
    if _draws(initial):
        return
    got, remedy = _confused(initial)
    if isinstance(initial, Distribution):
        remedy = "pass its draws as initial=distribution.sample((n,))"
    elif isinstance(initial, list | tuple):
        remedy = "pass codes as torch.tensor(codes)"
    raise TypeError(f"initial must be a tensor [n, Z] or a prior of fastdaae.priors, got {got}; {remedy}")


_DRAWS = "fastdaae.priors.Normal({dim}).sample(n, noise, row_offset=row_offset)"


def _draws(prior) -> bool:
    sample = getattr(prior, "sample", None)
    return callable(sample) and _takes(sample, 1, None, row_offset=0, site=0)


def _takes(function: Callable, *arguments, **named) -> bool:
    try:
        inspect.signature(function).bind(*arguments, **named)
    except TypeError:
        return False
    except ValueError:  # built in, without a signature
        return True
    return True


def _confused(value) -> tuple[str, str]:
    """What a value is that was taken for a prior, and what to say instead."""
    if isinstance(value, type):
        return f"the class {value.__name__}", "make one, such as fastdaae.priors.Normal(10)"
    if isinstance(value, Distribution):
        shape = (*value.batch_shape, *value.event_shape)
        dim = shape[0] if len(shape) == 1 else "dim"
        sampler = f"def sampler(n, noise, row_offset): return mean + scale * {_DRAWS.format(dim=dim)}"
        remedy = f"say fastdaae.priors.Normal({dim}), RingMixture() or Custom(sampler) with `{sampler}`"
        return f"a torch.distributions {type(value).__name__}", f"its draws have no address to repeat them by: {remedy}"
    if isinstance(value, Integral) and not isinstance(value, bool):
        return shortened(value), f"say fastdaae.priors.Normal({value})"
    if callable(value) and hasattr(value, "__name__"):
        remedy = "say fastdaae.priors.Custom(sampler) with a function of (n, noise, row_offset)"
        return f"the function {value.__name__}", remedy
    return shortened(value), "say fastdaae.priors.Normal(dim), RingMixture() or Custom(sampler)"
