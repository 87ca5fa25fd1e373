"""Addressed draws: `normal` and `uniform` numbers that are pure functions of where they are used."""

from torch import Tensor

from fastdaae import reference
from fastdaae.arguments import whole_in
from fastdaae.noise import Noise, Site
from fastdaae.ops import checks, rooms


def normal(
    n: int,
    columns: int,
    noise: Noise,
    *,
    copies: int = 1,
    row_offset: int = 0,
    site: int = Site.DRAWS,
    backend: str = "auto",
) -> Tensor:
    """Standard normal numbers, float32 [copies, n, columns] on the device of `noise`.

    Row i reads the noise of row_offset + i, so that pieces equal the whole; equal addresses give equal numbers: take a
    `site` of your own, or `noise.advance()`. Raises TypeError for what is no whole number, ValueError for one outside
    its range, RuntimeError for a named backend that cannot run. Source: Box and Muller 1958, over the words of
    Philox 4x32-10 (Salmon et al. 2011).
    """
    return _drawn("normal", n, columns, noise, copies, row_offset, site, backend)


def uniform(
    n: int,
    columns: int,
    noise: Noise,
    *,
    copies: int = 1,
    row_offset: int = 0,
    site: int = Site.DRAWS,
    backend: str = "auto",
) -> Tensor:
    """Uniform numbers (word + 1/2) 2^-32 in (0, 1), exact, float64 [copies, n, columns] on the device of `noise`.

    Addresses and errors as `normal`. Every backend gives the same numbers, so that u < p is decided alike.
    """
    return _drawn("uniform", n, columns, noise, copies, row_offset, site, backend)


def _drawn(name, n, columns, noise, copies, row_offset, site, backend) -> Tensor:
    n, columns = whole_in("n", n, 0), whole_in("columns", columns, 0)
    draw = checks.as_draw(None, noise, n, copies=copies, row_offset=row_offset, site=site)
    room = rooms.choose(name, backend, "random", noise.state)
    if room is None:
        return getattr(reference, name)(n, columns, noise, **draw.address)
    return getattr(room.random, name)(n, columns, noise.state, draw)
