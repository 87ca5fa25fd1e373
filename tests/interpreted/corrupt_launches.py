"""The shipped forms of the corrupt kernels, for offline compilation."""

import torch

from fastdaae.kernels import triton_corrupt
from fastdaae.kernels.triton_source import Draw


def _inputs(rows: int, source: torch.dtype, kind: int, gather: bool):
    x, state = torch.empty(rows, 784, dtype=source), torch.empty(3, dtype=torch.int64)
    return x, torch.empty(rows, dtype=torch.int64) if gather else None, state, Draw.of(kind, 0.5, 0.0, 1.0, 5, 0, 1)


def _forward(rows: int, source: torch.dtype, kind: int, gather: bool, result: torch.dtype):
    return lambda: triton_corrupt.corrupt(*_inputs(rows, source, kind, gather), result)


def _backward(rows: int, source: torch.dtype, kind: int):
    grad = torch.empty(5, rows, 784)
    return lambda: triton_corrupt.corrupt_backward(grad, *_inputs(rows, source, kind, False))


def launches():
    """{case: launch}: both tilings, with the corruptions that need most registers."""
    return {
        "gaussian, uint8 -> float32, gathered, 64 rows": _forward(64, torch.uint8, 1, True, torch.float32),
        "gaussian, float32 -> bfloat16, 65536 rows": _forward(65536, torch.float32, 1, False, torch.bfloat16),
        "clip, uint8 -> float32, gathered, 65536 rows": _forward(65536, torch.uint8, 2, True, torch.float32),
        "salt and pepper, float32 -> float32, 65536 rows": _forward(65536, torch.float32, 4, False, torch.float32),
        "gradient, clip, 64 rows": _backward(64, torch.float32, 2),
        "gradient, clip, 65536 rows": _backward(65536, torch.float32, 2),
    }
