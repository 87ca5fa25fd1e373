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


def blocks(rows: int, numbers_per_row: int) -> Iterator[slice]:
    """Slices of rows whose intermediates stay within BLOCK numbers."""
    size = max(1, BLOCK // max(1, numbers_per_row))
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))
