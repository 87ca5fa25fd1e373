"""Every operator in plain PyTorch: these functions define what is correct, on any device and in float64.

They take the same arguments as the public operators of `fastdaae.ops`, which document them, and check nothing. Work is
cut into blocks of rows, so that no intermediate grows with the product of two data sizes.
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
    x = x if index is None else x.index_select(0, index)
    shape, dtype = x.shape, dtype or (torch.float32 if x.dtype == torch.uint8 else x.dtype)
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
    points, center = _centered(samples)
    queries = as_float(queries).double() - center
    bandwidths = torch.as_tensor(bandwidths, dtype=torch.float64, device=points.device)
    exponents = [_log_kernel_sums(queries[rows], points, 0.5 / bandwidths**2) for rows in _blocks(len(queries), 4096)]
    log_sums = torch.cat(exponents, dim=1) if exponents else points.new_empty(len(bandwidths), 0)
    normalizer = math.log(len(points)) + points.shape[1] * torch.log(bandwidths * math.sqrt(2 * math.pi))
    return log_sums - normalizer[:, None]


def _centered(points: Tensor) -> tuple[Tensor, Tensor]:
    points = as_float(points).double()
    center = points.mean(0)
    return points - center, center


def _log_kernel_sums(queries: Tensor, samples: Tensor, rates: Tensor) -> Tensor:
    """log sum_i exp(-rate |q - s_i|^2) for every rate, [B, Q]: a running (nearest, sum) over blocks of samples."""
    nearest = queries.new_full((len(queries),), math.inf)
    sums = queries.new_zeros(len(rates), len(queries))
    tolerance = 1e-4 / float(rates.max())
    for rows in _blocks(len(samples), len(queries)):
        distances = _squared_distances(queries, samples[rows], tolerance)
        closer = torch.minimum(nearest, distances.amin(1))
        for one, rate in enumerate(rates):
            fresh = torch.exp((closer[:, None] - distances) * rate).sum(1)
            sums[one] = sums[one] * torch.exp((closer - nearest) * rate) + fresh
        nearest = closer
    return torch.log(sums) - nearest * rates[:, None]


def _rounding_bound(queries: Tensor, points: Tensor) -> Tensor:
    """A bound on the error of |q|^2 + |p|^2 - 2 q p in float64, [Q]: 2 (D + 3) eps (|q|^2 + max |p|^2)."""
    largest = points.square().sum(1).max()
    return 2 * (points.shape[1] + 3) * torch.finfo(torch.float64).eps * (queries.square().sum(1) + largest)


def _squared_distances(queries: Tensor, points: Tensor, tolerance: float) -> Tensor:
    """[Q, P] by one product, or by direct differences where the product's rounding could exceed the tolerance."""
    if _rounding_bound(queries, points).max() > tolerance:
        return torch.cdist(queries, points, compute_mode="donot_use_mm_for_euclid_dist").square()
    product = torch.addmm(points.square().sum(1)[None, :], queries, points.T, alpha=-2)
    return product.add_(queries.square().sum(1)[:, None]).clamp_min_(0)


def nearest_neighbors(points: Tensor, k: int, queries: Tensor | None = None) -> Neighbors:
    dtype = as_float(points[:0]).dtype
    centered, center = _centered(points)
    own = queries is None
    queries = centered if own else as_float(queries).double() - center
    found = [
        _nearest_in_block(queries[rows], centered, k, rows.start if own else None)
        for rows in _blocks(len(queries), len(points))
    ]
    if not found:
        empty = centered.new_empty(0, k)
        return Neighbors(empty.to(dtype), empty.long())
    return Neighbors(torch.cat([f.distances for f in found]).to(dtype), torch.cat([f.indices for f in found]))


def _nearest_in_block(queries: Tensor, points: Tensor, k: int, own_start: int | None) -> Neighbors:
    """The k nearest by the product, and all that its rounding cannot tell from them, re-ranked directly."""
    screened = _squared_distances(queries, points, math.inf)
    if own_start is not None:
        screened.diagonal(own_start).fill_(math.inf)
    farthest = screened.kthvalue(k, dim=1).values
    limit = farthest + 2 * _rounding_bound(queries, points)
    width = min(int((screened <= limit[:, None]).sum(1).max()), screened.shape[1] - (own_start is not None))
    candidates = screened.topk(width, dim=1, largest=False).indices.sort(dim=1).values
    ranked = [
        _rank(queries[rows], points, candidates[rows], k) for rows in _blocks(len(queries), width * points.shape[1])
    ]
    return Neighbors(torch.cat([r.distances for r in ranked]), torch.cat([r.indices for r in ranked]))


def _rank(queries: Tensor, points: Tensor, candidates: Tensor, k: int) -> Neighbors:
    # candidates come in ascending order of index, so that a stable sort breaks ties by the lower index
    distances = (points[candidates] - queries[:, None, :]).square().sum(2)
    order = distances.argsort(dim=1, stable=True)[:, :k]
    return Neighbors(distances.gather(1, order).sqrt(), candidates.gather(1, order))
