"""Launchers of the CUDA kernels for neighbours and their log-ratios: device tensors in, device tensors out."""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from fastdaae import backend
from fastdaae.kernels import extension

LARGEST_K = 2048
LARGEST_COLUMNS = 1 << 20
SCRATCH_BYTES = 1 << 29
_CANDIDATE_BYTES = 8
_CENTERED_BLOCK = 1 << 24  # numbers centred in float64 at a time


def _built_problem() -> str | None:
    if backend.EXTENSION_PROBLEM is not None:
        return backend.EXTENSION_PROBLEM
    if not extension.load().cuda_built():
        hint = "install the CUDA toolkit (nvcc), then: pip install --force-reinstall --no-deps ."
        return f"the extension was built without CUDA; {hint}"
    return None


# probed once, at import: a probe inside a call could not be traced by torch.compile
BUILT_PROBLEM = _built_problem()


def problem(x: Tensor) -> str | None:
    """Why the CUDA kernels cannot take x, or None."""
    if not x.is_cuda:
        return f"it runs on a CUDA device, and its input is on {x.device}"
    if BUILT_PROBLEM is not None or torch.compiler.is_compiling():
        return BUILT_PROBLEM
    found = extension.load().cuda_problem(x.device.index)
    return (
        f"the kernels cannot run on {x.device} ({found}); FASTDAAE_CUDA_ARCHS names its architecture" if found else None
    )


class Found(NamedTuple):
    """Neighbours [Q, k] and, for each query, whether more points tied than the kernel holds: that row is not set."""

    distances: Tensor
    indices: Tensor
    gave_up: Tensor


def nearest_neighbors(points: Tensor, k: int, queries: Tensor | None) -> Found:
    """The k nearest of points [N, D] for queries [Q, D], or for the points without their own rows.

    float32 or float64, contiguous, of one dtype; k in 1..2048. Distances have that dtype, indices int64. Rows of
    `gave_up` [Q] (bool) are left to the caller: mass duplicates. Nothing waits for the device.
    """
    own = queries is None
    queries = points if own else queries
    tile, depth, capacity = extension.load().neighbor_layout(k)
    chunk = min(_whole(len(queries), tile), max(tile, SCRATCH_BYTES // (_CANDIDATE_BYTES * capacity) // tile * tile))
    center, scale = _center_and_scale(points, queries)
    screened = _screened(points, center, scale, tile, depth)
    screened_queries = screened if own else _screened(queries, center, scale, tile, depth)
    candidates = torch.empty((chunk, capacity), dtype=torch.int64, device=points.device)
    counts = torch.empty(len(queries), dtype=torch.int32, device=points.device)
    distances = torch.empty((len(queries), k), dtype=points.dtype, device=points.device)
    indices = torch.empty((len(queries), k), dtype=torch.int64, device=points.device)
    rows = (screened.transposed, screened_queries.transposed, screened.norms, screened_queries.norms, points, queries)
    with _on(points.device) as place:
        extension.load().nearest_neighbors_cuda(
            *place,
            *(tensor.data_ptr() for tensor in rows),
            points.dtype == torch.float64,
            own,
            len(points),
            len(queries),
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


def log_ratio_moments(distances: Tensor) -> tuple[Tensor, Tensor]:
    """Moments over points of the mean log-ratios of distances [N, K] (float32 or float64, contiguous, ascending).

    The first result, float64 [2, K - 1, 3], holds for 1 / m where m > 0 and for m, m the mean log-ratio of each point's
    2..K nearest, their mean, their sum of squared deviations from it and their number; the second, float64 [N], is m
    for all K.
    """
    points, k = distances.shape
    blocks = -(-points // extension.load().log_ratio_rows())
    partial = distances.new_empty((blocks, 2, k - 1, 3), dtype=torch.float64)
    moments = distances.new_empty((2, k - 1, 3), dtype=torch.float64)
    per_point = distances.new_empty(points, dtype=torch.float64)
    with _on(distances.device) as place:
        extension.load().intrinsic_dimension_cuda(
            *place,
            distances.data_ptr(),
            distances.dtype == torch.float64,
            points,
            k,
            partial.data_ptr(),
            moments.data_ptr(),
            per_point.data_ptr(),
        )
    return moments, per_point


@contextlib.contextmanager
def _on(device: torch.device) -> Iterator[tuple[int, int]]:
    """The device guard; inside it, (device index, torch's current stream)."""
    with torch.cuda.device(device):
        yield device.index, torch.cuda.current_stream(device).cuda_stream


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
