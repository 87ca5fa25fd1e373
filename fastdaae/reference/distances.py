"""Densities and neighbours: everything that squared distances decide, in float64 and, among bytes, in whole numbers."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from fastdaae.reference.numbers import as_double, as_float, blocks


class Neighbors(NamedTuple):
    """Euclidean distances [Q, k], ascending, and the row indices [Q, k] (int64) of the points they belong to."""

    distances: Tensor
    indices: Tensor


def parzen_log_density(queries: Tensor, samples: Tensor, bandwidths: Tensor) -> Tensor:
    points, asked, unit = _comparable(samples, queries)
    bandwidths = torch.as_tensor(bandwidths, dtype=torch.float64, device=samples.device)
    rates, count = 0.5 / (bandwidths * unit) ** 2, len(asked.values)
    exponents = [_log_kernel_sums(asked.part(rows), points, rates) for rows in blocks(count, 4096)]
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
    for rows in blocks(len(samples.values), count):
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
    asking = points if queries is None else queries
    known, asked, unit = _comparable(points, asking, lift(points, asking))
    found = [
        _nearest_in_block(asked.part(rows), known, k, rows.start if own else None)
        for rows in blocks(len(asked.values), len(known.values))
    ]
    if not found:
        return Neighbors(known.values.new_empty((0, k), dtype=dtype), known.values.new_empty((0, k), dtype=torch.int64))
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
        _rank(queries.values[rows], points.values, candidates[rows], k) for rows in blocks(count, width * columns)
    ]
    return Neighbors(torch.cat([r.distances for r in ranked]), torch.cat([r.indices for r in ranked]))


def _rank(queries: Tensor, points: Tensor, candidates: Tensor, k: int) -> Neighbors:
    # candidates come in ascending order of index, so that a stable sort breaks ties by the lower index
    distances = (points[candidates] - queries[:, None, :]).square().sum(2)
    order = distances.argsort(dim=1, stable=True)[:, :k]
    return Neighbors(distances.gather(1, order).sqrt(), candidates.gather(1, order))
