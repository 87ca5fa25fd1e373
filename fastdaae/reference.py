"""Every operator in plain PyTorch: these functions define what is correct, on any device and in float64.

They take the same arguments as the public operators of `fastdaae.ops`, which document them, and check nothing but the
index of a gather: a row outside x is an IndexError on the CPU, and NaN on a device, which is not waited for, and in
traced code. Work is cut into blocks of rows, so that no intermediate grows with the product of two data sizes.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from fastdaae import noise as addressed
from fastdaae.corruptions import Corruption, Gaussian, Masking
from fastdaae.noise import Noise, Site

BLOCK = 1 << 22  # numbers in one block's largest intermediate


class Corrupted(NamedTuple):
    """A corrupted batch x_tilde [N, D] and, when it was kept, the clean x [N, D]."""

    x_tilde: Tensor
    x: Tensor | None


class Neighbors(NamedTuple):
    """Euclidean distances [Q, k], ascending, and the row indices [Q, k] (int64) of the points they belong to."""

    distances: Tensor
    indices: Tensor


def as_float(x: Tensor) -> Tensor:
    """x in the dtype of computation: uint8 means value / 255, half precision is widened, float32 and float64 stay."""
    if x.dtype == torch.uint8:
        return x.float() / 255
    return x if x.dtype in (torch.float32, torch.float64) else x.float()


def as_double(x: Tensor) -> Tensor:
    """The exact values of x in float64, which distances and densities are made of: uint8 means value / 255."""
    return x.double() / 255 if x.dtype == torch.uint8 else x.double()


def activate(h: Tensor, activation: str) -> Tensor:
    """h through "relu", "sigmoid" or "none"."""
    return {"relu": torch.relu, "sigmoid": torch.sigmoid, "none": lambda t: t}[activation](h)


def _blocks(rows: int, numbers_per_row: int) -> Iterator[slice]:
    size = max(1, BLOCK // max(1, numbers_per_row))
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))


def corrupt(
    x: Tensor,
    corruption: Corruption | None,
    noise: Noise,
    *,
    copies: int = 1,
    index: Tensor | None = None,
    row_offset: int = 0,
    site: int = Site.RECONSTRUCTION,
    dtype: torch.dtype | None = None,
) -> Tensor:
    dtype = dtype or (torch.float32 if x.dtype == torch.uint8 else x.dtype)
    x = x if index is None else _gathered(x, index)
    shape = x.shape
    flat = as_float(x).reshape(shape[0], math.prod(shape[1:]))
    if torch.compiler.is_compiling():
        # a traced loop over blocks would fix the number of rows
        return _corrupt_rows(flat, corruption, noise, copies, row_offset, site).to(dtype).reshape(copies, *shape)
    # one piece at least, so that no rows have a gradient too
    blocks = list(_blocks(shape[0], flat.shape[1] * copies)) or [slice(0, 0)]
    pieces = [
        _corrupt_rows(flat[rows], corruption, noise, copies, row_offset + rows.start, site).to(dtype) for rows in blocks
    ]
    return torch.cat(pieces, dim=1).reshape(copies, *shape)


def _gathered(x: Tensor, index: Tensor) -> Tensor:
    """The rows of x at `index` [N]. Raises IndexError for an index outside x where to know it waits for no device."""
    if len(x) and (not x.is_cpu or torch.compiler.is_compiling()):
        return _gathered_or_nan(x, index)
    outside = (index < 0) | (index >= len(x))
    if bool(outside.any()):
        at = int(outside.nonzero()[0])
        raise IndexError(f"index must be in 0..{len(x) - 1}, the rows of x, got {int(index[at])} at position {at}")
    return x[index]


def _gathered_or_nan(x: Tensor, index: Tensor) -> Tensor:
    """The rows of x at `index` [N] in the dtype of computation; NaN for an index outside x."""
    inside = ((index >= 0) & (index < len(x))).reshape(-1, *[1] * (x.dim() - 1))
    return torch.where(inside, as_float(x[index.clamp(0, len(x) - 1)]), math.nan)


def _corrupt_rows(x: Tensor, corruption: Corruption | None, noise: Noise, copies: int, row_offset: int, site: int):
    if corruption is None:
        return x.expand(copies, *x.shape)
    draw = addressed.normal if isinstance(corruption, Gaussian) else addressed.uniform
    drawn = draw(noise, *x.shape, copies=copies, row_offset=row_offset, site=site)
    if isinstance(corruption, Gaussian):
        noisy = x + corruption.sigma * drawn.to(x.dtype)
        return noisy if corruption.clip is None else noisy.clamp(*corruption.clip)
    if isinstance(corruption, Masking):
        return torch.where(drawn < corruption.drop, 0.0, x)
    salted = torch.where(drawn < corruption.p, corruption.high, x)
    return torch.where(drawn < corruption.p / 2, corruption.low, salted)


def corrupted_linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    corruption: Corruption | None,
    noise: Noise,
    *,
    copies: int = 1,
    activation: str = "relu",
    index: Tensor | None = None,
    row_offset: int = 0,
    site: int = Site.RECONSTRUCTION,
) -> Tensor:
    x_tilde = corrupt(
        x, corruption, noise, copies=copies, index=index, row_offset=row_offset, site=site, dtype=weight.dtype
    )
    return activate(torch.nn.functional.linear(x_tilde.flatten(2), weight, bias), activation)


def linear_mean(h: Tensor, weight: Tensor, bias: Tensor | None, *, activation: str = "relu") -> Tensor:
    return activate(torch.nn.functional.linear(h, weight, bias), activation).mean(0)


def linear_sigmoid_corrupt(
    h: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    corruption: Corruption | None,
    noise: Noise,
    *,
    keep_clean: bool = False,
    row_offset: int = 0,
    site: int = Site.CHAIN,
) -> Corrupted:
    x = torch.sigmoid(torch.nn.functional.linear(h, weight, bias))
    return Corrupted(corrupt(x, corruption, noise, row_offset=row_offset, site=site)[0], x if keep_clean else None)


def encode_mean(
    encoder: Callable[[Tensor], Tensor],
    x: Tensor,
    corruption: Corruption | None,
    noise: Noise,
    *,
    copies: int,
    index: Tensor | None = None,
    row_offset: int = 0,
    site: int = Site.MATCHING,
) -> Tensor:
    x_tilde = corrupt(x, corruption, noise, copies=copies, index=index, row_offset=row_offset, site=site)
    return torch.stack([encoder(one_copy) for one_copy in x_tilde]).mean(0)


@torch.no_grad()
def sample_chain(
    decoder: Callable[[Tensor], Tensor],
    encoder: Callable[[Tensor], Tensor],
    z: Tensor,
    corruption: Corruption | None,
    noise: Noise,
    *,
    steps: int,
    keep: tuple[int, ...] | None = None,
    row_offset: int = 0,
    site: int = Site.CHAIN,
) -> Tensor:
    keep = (steps,) if keep is None else keep
    kept = []
    for t in range(max(keep) + 1):
        x = decoder(z)
        if t in keep:
            kept.append(x)
        if t < max(keep):
            z = encoder(corrupt(x, corruption, noise.ahead(t), row_offset=row_offset, site=site)[0])
    return torch.stack(kept)


def parzen_log_density(queries: Tensor, samples: Tensor, bandwidths: Tensor) -> Tensor:
    points, queries, unit = _comparable(samples, queries)
    bandwidths = torch.as_tensor(bandwidths, dtype=torch.float64, device=samples.device)
    rates, count = 0.5 / (bandwidths * unit) ** 2, len(queries.values)
    exponents = [_log_kernel_sums(queries.part(rows), points, rates) for rows in _blocks(count, 4096)]
    log_sums = torch.cat(exponents, dim=1) if exponents else rates.new_empty((len(rates), 0), dtype=torch.float64)
    normalizer = math.log(len(samples)) + samples.shape[1] * torch.log(bandwidths * math.sqrt(2 * math.pi))
    return log_sums - normalizer[:, None]


class _Rows(NamedTuple):
    """Rows in float64, and the same about the points' mean, where products round less.

    `epsilon` is that of these products: 0 for bytes as whole numbers, whose sums of products are exact below 2^53.
    """

    values: Tensor
    centered: Tensor
    epsilon: float

    def part(self, rows: slice) -> "_Rows":
        return self._replace(values=self.values[rows], centered=self.centered[rows])


def _comparable(points: Tensor, queries: Tensor, unit: float = 1.0) -> tuple[_Rows, _Rows, float]:
    """Points, queries and the factor that both were multiplied by: 255 among bytes, else `unit`, a power of two."""
    bytes_alone = points.dtype == queries.dtype == torch.uint8
    unit = 255.0 if bytes_alone else unit
    values = points.double() if bytes_alone else as_double(points) * unit
    center, epsilon = (0.0, 0.0) if bytes_alone else (values.mean(0), torch.finfo(torch.float64).eps)
    rows = _Rows(values, values - center, epsilon)
    if queries is points:
        return rows, rows, unit
    values = queries.double() if bytes_alone else as_double(queries) * unit
    return rows, _Rows(values, values - center, epsilon), unit


def _log_kernel_sums(queries: _Rows, samples: _Rows, rates: Tensor) -> Tensor:
    """log sum_i exp(-rate |q - s_i|^2) for every rate, [B, Q]: a running (nearest, sum) over blocks of samples."""
    count = len(queries.values)
    nearest = queries.values.new_full((count,), math.inf, dtype=torch.float64)
    sums = queries.values.new_zeros((len(rates), count), dtype=torch.float64)
    tolerance = 1e-4 / float(rates.max())
    for rows in _blocks(len(samples.values), count):
        distances = _squared_distances(queries, samples.part(rows), tolerance)
        closer = torch.minimum(nearest, distances.amin(1))
        for one, rate in enumerate(rates):
            fresh = torch.exp((closer[:, None] - distances) * rate).sum(1)
            sums[one] = sums[one] * torch.exp((closer - nearest) * rate) + fresh
        nearest = closer
    return torch.log(sums) - nearest * rates[:, None]


def _rounding_bound(queries: _Rows, points: _Rows) -> Tensor:
    """A bound on the error of |q|^2 + |p|^2 - 2 q p, and of direct differences, [Q]: 2 (D + 3) eps (|q|^2 + max |p|^2).

    With u = eps / 2: D u for each of the norms and the product, 4 u for the centred coordinates and as many for the
    sums, of |q|^2 + |p|^2; (D + 2) u of |q - p|^2, at most twice that, for the direct differences.
    """
    largest = points.centered.square().sum(1).max()
    norms = queries.centered.square().sum(1)
    return 2 * (points.centered.shape[1] + 3) * queries.epsilon * (norms + largest)


def _squared_distances(queries: _Rows, points: _Rows, tolerance: float) -> Tensor:
    """[Q, P] by one product, or by direct differences where the product's rounding could exceed the tolerance."""
    if _rounding_bound(queries, points).max() > tolerance:
        return torch.cdist(queries.values, points.values, compute_mode="donot_use_mm_for_euclid_dist").square()
    norms = points.centered.square().sum(1)
    product = torch.addmm(norms[None, :], queries.centered, points.centered.T, alpha=-2)
    return product.add_(queries.centered.square().sum(1)[:, None]).clamp_min_(0)


def nearest_neighbors(points: Tensor, k: int, queries: Tensor | None = None) -> Neighbors:
    dtype, own = as_float(points[:0]).dtype, queries is None
    queries = points if own else queries
    points, queries, unit = _comparable(points, queries, lift(points, queries))
    count = len(queries.values)
    found = [
        _nearest_in_block(queries.part(rows), points, k, rows.start if own else None)
        for rows in _blocks(count, len(points.values))
    ]
    if not found:
        return Neighbors(
            points.values.new_empty((0, k), dtype=dtype), points.values.new_empty((0, k), dtype=torch.int64)
        )
    distances = torch.cat([f.distances for f in found]) / unit
    return Neighbors(distances.to(dtype), torch.cat([f.indices for f in found]))


def lift(points: Tensor, queries: Tensor) -> float:
    """The power of two that brings the largest magnitude of both near 2^480, or to 1 what is zero.

    Squared differences then neither overflow nor, down to 1e-296 of the largest magnitude, vanish; no digit is lost.
    """
    largest = max(float(as_double(side.abs().max())) for side in (points, queries) if side.numel())
    return 2.0 ** min(480 - math.frexp(largest)[1], 1000) if largest else 1.0


def _nearest_in_block(queries: _Rows, points: _Rows, k: int, own_start: int | None) -> Neighbors:
    """The k nearest by the product, and all that its rounding cannot tell from them, re-ranked directly."""
    screened = _squared_distances(queries, points, math.inf)
    if own_start is not None:
        screened.diagonal(own_start).fill_(math.inf)
    farthest = screened.kthvalue(k, dim=1).values
    limit = farthest + 2 * _rounding_bound(queries, points)
    width = min(int((screened <= limit[:, None]).sum(1).max()), screened.shape[1] - (own_start is not None))
    candidates = screened.topk(width, dim=1, largest=False).indices.sort(dim=1).values
    count, columns = queries.values.shape
    ranked = [
        _rank(queries.values[rows], points.values, candidates[rows], k) for rows in _blocks(count, width * columns)
    ]
    return Neighbors(torch.cat([r.distances for r in ranked]), torch.cat([r.indices for r in ranked]))


def _rank(queries: Tensor, points: Tensor, candidates: Tensor, k: int) -> Neighbors:
    # candidates come in ascending order of index, so that a stable sort breaks ties by the lower index
    distances = (points[candidates] - queries[:, None, :]).square().sum(2)
    order = distances.argsort(dim=1, stable=True)[:, :k]
    return Neighbors(distances.gather(1, order).sqrt(), candidates.gather(1, order))
