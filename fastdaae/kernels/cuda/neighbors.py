"""`nearest_neighbors` by the CUDA kernels, and by the reference for queries with more ties than its lists hold."""

from typing import NamedTuple

import torch
from torch import Tensor

from fastdaae import reference
from fastdaae.kernels import compiled
from fastdaae.kernels.cuda import device
from fastdaae.kernels.memory import empty, empty_neighbors
from fastdaae.kernels.registration import operator

LARGEST_K = 2048
LARGEST_COLUMNS = 1 << 20
SCRATCH_BYTES = 1 << 29
_CANDIDATE_BYTES = 8
_CENTERED_BLOCK = 1 << 24  # numbers centred in float64 at a time


def problem(points: Tensor, k: int) -> str | None:
    """Why the CUDA kernels cannot search points for k neighbours, or None."""
    if k > LARGEST_K:
        return f"it keeps at most {LARGEST_K} neighbours, and k is {k}"
    if points.shape[1] > LARGEST_COLUMNS:
        return f"it takes at most {LARGEST_COLUMNS} columns, and points have {points.shape[1]}"
    return device.problem(points)


def _launch(points: Tensor, k: int, queries: Tensor | None) -> tuple[Tensor, Tensor]:
    if queries is not None and not len(queries):
        none = reference.nearest_neighbors(points, k, queries)
        return none.distances, none.indices
    dtype = reference.distance_dtype(points)
    points, queries, unit = _multiplied(*reference.alike(points, queries))
    found = search(points, k, queries)
    rows = found.gave_up.nonzero().flatten()
    if len(rows):
        found.distances[rows], found.indices[rows] = _search_rows(points, k, queries, rows)
    return (found.distances / unit).to(dtype), found.indices


_nearest_neighbors = operator(
    "cuda_nearest_neighbors(Tensor points, int k, Tensor? queries) -> (Tensor, Tensor)",
    _launch,
    empty_neighbors,
    "CUDA",
)


def nearest_neighbors(points: Tensor, k: int, queries: Tensor | None) -> reference.Neighbors:
    """The k nearest of points [N, D] for queries [Q, D], or for the points without their own rows: Neighbors [Q, k].

    Distances are float64 for float64 points, else float32. Not differentiable.
    """
    return reference.Neighbors(*_nearest_neighbors(points, k, queries))


def _multiplied(points: Tensor, queries: Tensor | None) -> tuple[Tensor, Tensor | None, float]:
    """What the CUDA kernel compares, float32 or float64, and the factor: whole numbers of bytes, doubles lifted."""
    if points.dtype == torch.float32:
        return points, queries, 1.0
    if points.dtype == torch.uint8:
        return points.float(), None if queries is None else queries.float(), 255.0
    unit = reference.lift(points, points if queries is None else queries)
    return points * unit, None if queries is None else queries * unit, unit


def _search_rows(points: Tensor, k: int, queries: Tensor | None, rows: Tensor) -> tuple[Tensor, Tensor]:
    """The reference for some of the queries: among mass duplicates more points tie than the kernel's lists hold."""
    if queries is not None:
        return reference.nearest_neighbors(points, k, queries[rows])
    # one more is asked for, so that k are left without the row itself, wherever it stands among its duplicates
    distances, indices = reference.nearest_neighbors(points, k + 1, points[rows])
    left_out = indices == rows[:, None]
    left_out[:, -1] |= ~left_out.any(1)
    return distances[~left_out].reshape(-1, k), indices[~left_out].reshape(-1, k)


class Found(NamedTuple):
    """Neighbours [Q, k] and, for each query, whether more points tied than the kernel holds: that row is not set."""

    distances: Tensor
    indices: Tensor
    gave_up: Tensor


def search(points: Tensor, k: int, queries: Tensor | None) -> Found:
    """The k nearest of points [N, D] for queries [Q, D], or for the points without their own rows.

    float32 or float64, contiguous, of one dtype; k in 1..2048. Distances have that dtype, indices int64. Rows of
    `gave_up` [Q] (bool) are left to the caller: mass duplicates, and NaN. Nothing waits for the device.
    """
    own = queries is None
    asking = points if queries is None else queries
    tile, depth, capacity = compiled.load().neighbor_layout(k)
    chunk = min(_whole(len(asking), tile), max(tile, SCRATCH_BYTES // (_CANDIDATE_BYTES * capacity) // tile * tile))
    center, scale = _center_and_scale(points, asking)
    screened = _screened(points, center, scale, tile, depth)
    screened_queries = screened if own else _screened(asking, center, scale, tile, depth)
    candidates = empty(chunk, capacity, dtype=torch.int64, device=points.device)
    counts = empty(len(asking), dtype=torch.int32, device=points.device)
    distances = empty(len(asking), k, dtype=points.dtype, device=points.device)
    indices = empty(len(asking), k, dtype=torch.int64, device=points.device)
    rows = (screened.transposed, screened_queries.transposed, screened.norms, screened_queries.norms, points, asking)
    with device.place_of(points.device) as place:
        compiled.load().nearest_neighbors_cuda(
            *place,
            *(tensor.data_ptr() for tensor in rows),
            points.dtype == torch.float64,
            own,
            len(points),
            len(asking),
            points.shape[1],
            k,
            candidates.data_ptr(),
            chunk,
            capacity,
            counts.data_ptr(),
            distances.data_ptr(),
            indices.data_ptr(),
        )
    return Found(distances, indices, counts < 0)


class _Screened(NamedTuple):
    transposed: Tensor
    norms: Tensor


def _whole(count: int, unit: int) -> int:
    return -(-count // unit) * unit


def _center_and_scale(points: Tensor, queries: Tensor) -> tuple[Tensor, Tensor]:
    """The mean [D] in float64, and the factor that brings every centred coordinate into [-1, 1]."""
    center = points.mean(0, dtype=torch.float64)
    sides = [side.to(torch.float64) for rows in (points, queries) for side in (rows.amin(0), rows.amax(0))]
    largest = torch.stack([(side - center).abs().max() for side in sides]).max()
    return center, 1.0 / torch.where(largest > 0, largest, 1.0).clamp_min(1e-300)


def _screened(rows: Tensor, center: Tensor, scale: Tensor, tile: int, depth: int) -> _Screened:
    """Rows as the kernel multiplies them: centred and scaled in float64, then float32, transposed, padded with 0."""
    count, columns = rows.shape
    transposed = rows.new_zeros((_whole(columns, depth), _whole(count, tile)), dtype=torch.float32)
    norms = rows.new_zeros(_whole(count, tile), dtype=torch.float32)
    step = max(1, _CENTERED_BLOCK // columns)
    for start in range(0, count, step):
        block = ((rows[start : start + step].double() - center) * scale).float()
        transposed[:columns, start : start + len(block)] = block.T
        norms[start : start + len(block)] = block.double().square().sum(1)
    return _Screened(transposed, norms)
