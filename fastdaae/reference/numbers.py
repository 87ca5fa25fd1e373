"""What numbers stand for, and how work on many rows is cut."""

from collections.abc import Iterator

import torch
from torch import Tensor

BLOCK = 1 << 22  # numbers in one block's largest intermediate


def as_float(x: Tensor) -> Tensor:
    """x in the dtype of computation: uint8 means value / 255, half precision is widened, float32 and float64 stay."""
    if x.dtype == torch.uint8:
        return x.float() / 255
    return x if x.dtype in (torch.float32, torch.float64) else x.float()


def as_double(x: Tensor) -> Tensor:
    """The exact values of x in float64, which distances and densities are made of: uint8 means value / 255."""
    return x.double() / 255 if x.dtype == torch.uint8 else x.double()


def distance_dtype(points: Tensor) -> torch.dtype:
    """The dtype of distances among points: float64 among float64, else float32."""
    return torch.float64 if points.dtype == torch.float64 else torch.float32


def alike(points: Tensor, queries: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Both contiguous and of one dtype that holds the values of both: uint8 among bytes, else float32 or float64."""
    dtypes = {points.dtype} if queries is None else {points.dtype, queries.dtype}
    if dtypes != {torch.uint8}:
        # value / 255 needs float64
        as_floats = as_double if dtypes & {torch.float64, torch.uint8} else as_float
        points, queries = as_floats(points), None if queries is None else as_floats(queries)
    return points.contiguous(), None if queries is None else queries.contiguous()


def blocks(rows: int, numbers_per_row: int) -> Iterator[slice]:
    """Slices of rows whose intermediates stay within BLOCK numbers."""
    size = max(1, BLOCK // max(1, numbers_per_row))
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))
