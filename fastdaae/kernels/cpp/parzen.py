"""The Parzen window in C++: tensors of any of three dtypes in, memory maps included, nothing copied."""

import torch
from torch import Tensor

from fastdaae.kernels.compiled import load
from fastdaae.kernels.cpp import border
from fastdaae.kernels.memory import empty, empty_densities
from fastdaae.kernels.registration import operator

POINTS = (torch.uint8, torch.float32, torch.float64)


def problem(queries: Tensor, samples: Tensor) -> str | None:
    """Why these points cannot be compared here, or None."""
    return border.problem("queries", queries) or border.problem("samples", samples)


def _launch(queries, samples, bandwidths):
    queries, samples, bandwidths = _readable(queries), _readable(samples), bandwidths.contiguous()
    points = [
        (*border.numbers(name, rows, POINTS, 2), *rows.shape)
        for name, rows in (("queries", queries), ("samples", samples))
    ]
    border.require("bandwidths", bandwidths, (torch.float64,), 1)
    border.require_shape("queries", queries, (len(queries), samples.shape[1]))
    out = empty(len(bandwidths), len(queries), dtype=torch.float64, device=samples.device)
    if len(queries):
        threads = torch.get_num_threads()
        load().parzen_log_density(*points, bandwidths.data_ptr(), len(bandwidths), out.data_ptr(), threads)
    return out


def _readable(points: Tensor) -> Tensor:
    return (points if points.dtype in POINTS else points.float()).contiguous()


_parzen_log_density = operator(
    "cpp_parzen_log_density(Tensor queries, Tensor samples, Tensor bandwidths) -> Tensor", _launch, empty_densities
)


def parzen_log_density(queries: Tensor, samples: Tensor, bandwidths: Tensor) -> Tensor:
    """The log-densities [B, Q] in nats, float64, of queries [Q, D] under samples [N, D] for every bandwidth [B].

    Finite points, uint8 (value / 255), float32 or float64, only read, block by block; float16 and bfloat16 are copied.
    """
    return _parzen_log_density(queries, samples, bandwidths)
