"""Launcher of the engine's nearest neighbours: CPU tensors in, CPU tensors out."""

import torch
from torch import Tensor

from fastdaae import backend
from fastdaae.kernels import extension
from fastdaae.kernels.memory import empty

LARGEST_K = 2048
LARGEST_COLUMNS = 1 << 20
LARGEST_ROWS = (1 << 31) - 1
_NUMBERS = (torch.uint8, torch.float32, torch.float64)
_BLOCK = 0  # points multiplied with one another at a time; 0: as the machine likes it


def problem(points: Tensor, k: int) -> str | None:
    """Why the engine cannot search among points [N, D], or None."""
    if not points.is_cpu:
        return f"it runs on the CPU, and points are on {points.device}"
    if backend.EXTENSION_PROBLEM is not None:
        return backend.EXTENSION_PROBLEM
    if k > LARGEST_K:
        return f"it keeps at most {LARGEST_K} neighbours, and k is {k}"
    if points.shape[1] > LARGEST_COLUMNS:
        return f"it takes at most {LARGEST_COLUMNS} columns, and points have {points.shape[1]}"
    # a traced number of rows stays free: the kernel looks at it
    if not torch.compiler.is_compiling() and len(points) > LARGEST_ROWS:
        return f"it takes fewer than 2^31 rows, and points have {len(points)}"
    return None


def nearest_neighbors(points: Tensor, k: int, queries: Tensor | None) -> tuple[Tensor, Tensor]:
    """Distances and int64 indices [Q, k] of the k nearest of points [N, D] for queries [Q, D], or for the points
    without their own rows.

    Both contiguous, of one dtype: uint8 (value / 255), float32 or float64; Q >= 1; k in 1..2048. Distances are float64
    for float64 points, else float32. Rows are read where they are, so that points may be a mapped file; beyond them and
    the results, memory holds about 16 k bytes a query and 256 MiB. Raises ValueError for tensors of another form.
    """
    asked = points if queries is None else queries
    for name, tensor in (("points", points), ("queries", asked)):
        extension._require(tensor, name, _NUMBERS, 2)
    if asked.dtype != points.dtype or asked.shape[1] != points.shape[1]:
        form = f"{points.dtype} [Q, {points.shape[1]}]"
        raise ValueError(f"queries must be {form} as points are, got {asked.dtype} {list(asked.shape)}")
    dtype = torch.float64 if points.dtype == torch.float64 else torch.float32
    distances = empty(len(asked), k, dtype=dtype, device=points.device)
    indices = empty(len(asked), k, dtype=torch.int64, device=points.device)
    form = (extension.word(points.dtype), len(points), points.shape[1])
    known = (points.data_ptr(), *form)
    others = (0, *form) if queries is None else (queries.data_ptr(), form[0], len(queries), form[2])
    results = (distances.data_ptr(), indices.data_ptr())
    extension.load().nearest_neighbors(known, others, k, *results, _BLOCK, torch.get_num_threads())
    return distances, indices
