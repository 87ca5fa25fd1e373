"""Rows of a set of points in memory, on a CUDA device or in a mapped file: the distinct ones, and how large each is."""

import hashlib
import tempfile
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from fastdaae import reference
from fastdaae.arrays import to_tensor

_MAPPED_BLOCK = 1 << 22  # bytes of a mapped file that are looked at together


def distinct_rows(points: Tensor | np.memmap) -> Tensor | np.memmap:
    """The first of every group of equal rows, in their order."""
    if isinstance(points, np.memmap):
        return _distinct_mapped_rows(points)
    # adding zero makes -0.0 and 0.0 the same bytes
    rows = points + 0.0 if points.is_floating_point() else points
    first = _first_of_equals_on_device(rows) if points.is_cuda else _first_of_equals(rows)
    return points[first.sort().values]


def largest_of_rows(points: Tensor | np.memmap) -> Tensor:
    """The largest magnitude in each row of points [N, D], as [N]; uint8 means value / 255."""
    if isinstance(points, Tensor):
        return reference.as_float(points.abs().amax(1))
    largest = np.concatenate([np.abs(points[rows]).max(1) for rows in _blocks_of(points)])
    return reference.as_float(to_tensor(largest))


def _blocks_of(points: np.memmap) -> Iterator[slice]:
    step = max(1, _MAPPED_BLOCK // (points.itemsize * points.shape[1]))
    return (slice(start, start + step) for start in range(0, len(points), step))


def _distinct_mapped_rows(points: np.memmap) -> np.memmap:
    """The mapped file itself, or where rows repeat a temporary one of the first of every group of equal rows."""
    seen = set()  # 128-bit digests: unlike rows would share one once in 10^20 sets of 10^9 rows
    first = np.zeros(len(points), dtype=bool)
    for rows in _blocks_of(points):
        # adding zero makes -0.0 and 0.0 the same bytes
        block = np.ascontiguousarray(points[rows]) + points.dtype.type(0)
        for row, content in enumerate(block, start=rows.start):
            digest = hashlib.blake2b(content, digest_size=16).digest()
            first[row] = digest not in seen
            seen.add(digest)
    if first.all():
        return points
    with tempfile.TemporaryFile() as file:
        kept = np.memmap(file, points.dtype, "w+", shape=(int(first.sum()), points.shape[1]))
    filled = 0
    for rows in _blocks_of(points):
        block = points[rows][first[rows]]
        kept[filled : filled + len(block)] = block
        filled += len(block)
    return kept


def _first_of_equals(rows: Tensor) -> Tensor:
    contents = np.ascontiguousarray(rows.numpy())
    keys = contents.view(np.dtype((np.void, contents.dtype.itemsize * contents.shape[1]))).reshape(-1)
    return to_tensor(np.unique(keys, return_index=True)[1])


def _first_of_equals_on_device(rows: Tensor) -> Tensor:
    groups, group_of_row = torch.unique(rows, dim=0, return_inverse=True)
    first = torch.full((len(groups),), len(rows), dtype=torch.int64, device=rows.device)
    numbers = torch.arange(len(rows), dtype=torch.int64, device=rows.device)
    return first.scatter_reduce_(0, group_of_row, numbers, "amin")
