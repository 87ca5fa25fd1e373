"""The shipped forms of the linear_mean kernels, for offline compilation: 1000 -> 10, five copies."""

import torch

from fastdaae.activation import Activation
from fastdaae.kernels.triton.jit import linear_mean


def _both(dtype: torch.dtype, rows: int, activation: str = "relu"):
    h, weight, bias = (torch.empty(shape, dtype=dtype) for shape in ((5, rows, 1000), (10, 1000), (10,)))
    grad = torch.empty(rows, 10, dtype=dtype)

    def launch():
        linear_mean.linear_mean(h, weight, bias, Activation(activation, 0.2))
        linear_mean.linear_mean_backward(grad, h, weight, bias, Activation(activation, 0.2))

    return launch


def launches():
    """{case: launch}, forward and gradient."""
    return {
        "bfloat16, 64 rows": _both(torch.bfloat16, 64),
        "bfloat16, 65536 rows": _both(torch.bfloat16, 65536),
        "float32, 64 rows": _both(torch.float32, 64),
        "bfloat16, 65536 rows, leaky relu": _both(torch.bfloat16, 65536, "leaky_relu"),
        "bfloat16, 65536 rows, tanh": _both(torch.bfloat16, 65536, "tanh"),
        "float32, 64 rows, tanh": _both(torch.float32, 64, "tanh"),
    }
