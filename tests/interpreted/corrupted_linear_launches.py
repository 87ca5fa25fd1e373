"""The shipped forms of the corrupted_linear kernels, for offline compilation: 784 -> 1000 and a wide tiled one."""

import torch

from fastdaae.kernels import triton_corrupted_linear, triton_corrupted_linear_backward
from fastdaae.kernels.triton_source import Draw

RELU = 1


def _batch(rows: int, copies: int, columns: int, kind: int, gather: bool):
    x = torch.empty(rows, columns, dtype=torch.uint8 if gather else torch.float32)
    index = torch.empty(rows, dtype=torch.int64) if gather else None
    return x, index, torch.empty(3, dtype=torch.int64), Draw.of(kind, 0.5, 0.0, 1.0, copies, 0, 1)


def _forward(dtype, rows, copies=1, kind=1, gather=False, columns=784):
    x, index, state, draw = _batch(rows, copies, columns, kind, gather)
    weight, bias = torch.empty(1000, columns, dtype=dtype), torch.empty(1000, dtype=dtype)
    return lambda: triton_corrupted_linear.corrupted_linear(x, index, state, weight, bias, draw, RELU)


def _backward(dtype, rows, copies, kind, gather):
    x, index, state, draw = _batch(rows, copies, 784, kind, gather)
    y = torch.empty(copies, rows, 1000, dtype=dtype)
    return lambda: triton_corrupted_linear_backward.weight_gradient(y, y, x, index, state, draw, RELU)


def launches():
    """{case: launch}: every tiling, with the corruptions that need most registers."""
    half, full = torch.bfloat16, torch.float32
    return {
        "bfloat16, 64 rows": _forward(half, 64),
        "bfloat16, 64 rows x 5 copies, gathered, clip": _forward(half, 64, 5, 2, True),
        "bfloat16, 65536 rows": _forward(half, 65536),
        "bfloat16, 65536 rows x 5 copies, gathered, clip": _forward(half, 65536, 5, 2, True),
        "float32, 64 rows x 5 copies, gathered, clip": _forward(full, 64, 5, 2, True),
        "float32, 65536 rows, clip": _forward(full, 65536, 1, 2),
        "tiled bfloat16, 320 rows x 3072": _forward(half, 320, 1, 1, False, 3072),
        "tiled bfloat16, 65536 rows x 3072": _forward(half, 65536, 1, 1, False, 3072),
        "tiled float32, 320 rows x 3072": _forward(full, 320, 1, 1, False, 3072),
        "gradient, bfloat16, 64 rows x 5 copies, clip": _backward(half, 64, 5, 2, True),
        "gradient, float32, 64 rows x 5 copies, clip": _backward(full, 64, 5, 2, True),
    }
