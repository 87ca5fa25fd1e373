"""Launcher of the engine's Parzen window: tensors of any of three dtypes in, memory maps included, nothing copied."""

import torch
from torch import Tensor

from fastdaae.kernels import extension
from fastdaae.kernels.memory import empty

NUMBERS = (torch.uint8, torch.float32, torch.float64)


def parzen_log_density(queries: Tensor, samples: Tensor, bandwidths: Tensor) -> Tensor:
    """The log-densities [B, Q] in nats, float64, of queries [Q, D] under samples [N, D] for every bandwidth [B].

    Both sets are finite CPU tensors, uint8 (value / 255), float32 or float64; only read, block by block. Raises
    ValueError for tensors of another form, RuntimeError without the extension.
    """
    queries, samples, bandwidths = _readable(queries), _readable(samples), bandwidths.contiguous()
    dtypes = NUMBERS
    extension._require(queries, "queries", dtypes, 2)
    extension._require(samples, "samples", dtypes, 2)
    extension._require(bandwidths, "bandwidths", (torch.float64,), 1)
    (rows, columns), count = queries.shape, len(samples)
    if columns != samples.shape[1]:
        raise ValueError(f"queries must have {samples.shape[1]} columns as samples have, got {columns}")
    out = empty(len(bandwidths), rows, dtype=torch.float64, device=samples.device)
    if rows:
        asked = (queries.data_ptr(), extension.word(queries.dtype), rows, columns)
        known = (samples.data_ptr(), extension.word(samples.dtype), count, columns)
        grid, threads = (bandwidths.data_ptr(), len(bandwidths)), torch.get_num_threads()
        extension.load().parzen_log_density(asked, known, *grid, out.data_ptr(), threads)
    return out


def _readable(points: Tensor) -> Tensor:
    points = points if points.dtype in NUMBERS else points.float()
    return points.contiguous()
