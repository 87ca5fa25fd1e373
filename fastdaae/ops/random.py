"""Addressed draws: `normal` and `uniform` numbers that are pure functions of where they are used."""

from torch import Tensor

from fastdaae import backend as backends
from fastdaae import reference
from fastdaae.arguments import whole_in
from fastdaae.draw import Draw, draw_of
from fastdaae.kernels import cpp, triton
from fastdaae.noise import Noise, Site
from fastdaae.ops import checks


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
    n, columns, draw, chosen = _prepared("normal", n, columns, noise, copies, row_offset, site, backend)
    if chosen == "reference":
        return reference.normal(n, columns, noise, copies=draw.copies, row_offset=draw.row_offset, site=draw.site)
    return (cpp if chosen == "cpp" else triton).random.normal(n, columns, noise.state, draw)


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
    n, columns, draw, chosen = _prepared("uniform", n, columns, noise, copies, row_offset, site, backend)
    if chosen == "reference":
        return reference.uniform(n, columns, noise, copies=draw.copies, row_offset=draw.row_offset, site=draw.site)
    return (cpp if chosen == "cpp" else triton).random.uniform(n, columns, noise.state, draw)


def _prepared(
    name: str, n: int, columns: int, noise: Noise, copies: int, row_offset: int, site: int, backend: str
) -> tuple[int, int, Draw, str]:
    """(n, columns, the draw, the backend) of checked arguments."""
    n, columns = whole_in("n", n, 0), whole_in("columns", columns, 0)
    checks.require_noise(None, noise)
    copies, row_offset, site = checks.as_address(copies, row_offset, site, n)
    problems = {
        "cpp": cpp.random.problem(noise.state),
        "triton": triton.random.problem(noise.state),
        "reference": None,
    }
    draw = draw_of(None, copies=copies, row_offset=row_offset, site=site)
    return n, columns, draw, backends.choose(name, backend, problems)
