"""The shipped forms of the linear_mean kernels, for offline compilation: 1000 -> 10, five copies."""

import torch

from fastdaae.kernels import triton_linear_mean

RELU = 1


def _both(dtype: torch.dtype, rows: int):
    h, weight, bias = (torch.empty(shape, dtype=dtype) for shape in ((5, rows, 1000), (10, 1000), (10,)))
    grad = torch.empty(rows, 10, dtype=dtype)

    def launch():
        triton_linear_mean.linear_mean(h, weight, bias, RELU)
        triton_linear_mean.linear_mean_backward(grad, h, weight, bias, RELU)

    return launch


def launches():
    """{case: launch}, forward and gradient."""
    return {
        "bfloat16, 64 rows": _both(torch.bfloat16, 64),
        "bfloat16, 65536 rows": _both(torch.bfloat16, 65536),
        "float32, 64 rows": _both(torch.float32, 64),
    }
