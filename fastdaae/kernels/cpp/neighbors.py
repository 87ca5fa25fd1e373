"""Nearest neighbours in C++."""

import torch
from torch import Tensor

from fastdaae import reference
from fastdaae.kernels.compiled import load
from fastdaae.kernels.cpp import border
from fastdaae.kernels.memory import empty, empty_neighbors
from fastdaae.kernels.registration import operator

LARGEST_K = 2048
LARGEST_COLUMNS = 1 << 20
LARGEST_ROWS = (1 << 31) - 1
_POINTS = (torch.uint8, torch.float32, torch.float64)
_BLOCK = 0  # points multiplied with one another at a time; 0: as the machine likes it


def problem(points: Tensor, k: int) -> str | None:
    """Why neighbours among points [N, D] cannot be searched here, or None."""
    found = border.problem("points", points)
    if found is not None:
        return found
    if k > LARGEST_K:
        return f"it keeps at most {LARGEST_K} neighbours, and k is {k}"
    if points.shape[1] > LARGEST_COLUMNS:
        return f"it takes at most {LARGEST_COLUMNS} columns, and points have {points.shape[1]}"
    # a traced number of rows stays free: the kernel looks at it
    if not torch.compiler.is_compiling() and len(points) > LARGEST_ROWS:
        return f"it takes fewer than 2^31 rows, and points have {len(points)}"
    return None


def _launch(points, k, queries):
    dtype = reference.distance_dtype(points)
    points, queries = reference.alike(points, queries)
    asked = points if queries is None else queries
    distances = empty(len(asked), k, dtype=reference.distance_dtype(points), device=points.device)
    indices = empty(len(asked), k, dtype=torch.int64, device=points.device)
    if len(asked):
        rows = [_points("points", points), _points("queries", queries)]
        border.require_shape("queries", asked, (len(asked), points.shape[1]))
        threads = torch.get_num_threads()
        load().nearest_neighbors(*rows, k, distances.data_ptr(), indices.data_ptr(), _BLOCK, threads)
    return distances.to(dtype), indices


def _points(name: str, rows: Tensor | None) -> tuple[int, str, int, int]:
    shape = (0, 0) if rows is None else rows.shape
    return *border.numbers(name, rows, _POINTS, 2), *shape


_nearest_neighbors = operator(
    "cpp_nearest_neighbors(Tensor points, int k, Tensor? queries) -> (Tensor, Tensor)", _launch, empty_neighbors
)


def nearest_neighbors(points: Tensor, k: int, queries: Tensor | None) -> reference.Neighbors:
    """The k nearest of points [N, D] for queries [Q, D], or for the points without their own rows; k in 1..2048.

    Contiguous uint8 (value / 255), float32 or float64 rows of one dtype are read where they are, so that points may be
    a mapped file; beyond them and the results, memory holds about 16 k bytes a query and 256 MiB.
    """
    return reference.Neighbors(*_nearest_neighbors(points, k, queries))
