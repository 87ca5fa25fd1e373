"""The shipped forms of the corrupted_linear kernels, for offline compilation: 784 -> 1000 and a wide tiled one."""

import torch

from fastdaae.activation import Activation
from fastdaae.corruptions import Gaussian, Patches
from fastdaae.draw import draw_of
from fastdaae.kernels.triton.jit import corrupted_linear, corrupted_linear_backward

RELU, LEAKY, TANH = Activation("relu"), Activation("leaky_relu", 0.2), Activation("tanh")
PLAIN, CLIP, PATCHES = Gaussian(0.5), Gaussian(0.5, clip=(0.0, 1.0)), Patches(7, 5)


def _batch(rows, copies, columns, corruption, gather):
    x = torch.empty(rows, columns, dtype=torch.uint8 if gather else torch.float32)
    index = torch.empty(rows, dtype=torch.int64) if gather else None
    return x, index, torch.empty(3, dtype=torch.int64), draw_of(corruption, (28, columns // 28), copies=copies, site=1)


def _forward(dtype, rows, copies=1, corruption=PLAIN, gather=False, columns=784, activation=RELU):
    x, index, state, draw = _batch(rows, copies, columns, corruption, gather)
    weight, bias = torch.empty(1000, columns, dtype=dtype), torch.empty(1000, dtype=dtype)
    return lambda: corrupted_linear.corrupted_linear(x, index, state, weight, bias, activation, draw)


def _backward(dtype, rows, copies, corruption, gather, activation=RELU):
    x, index, state, draw = _batch(rows, copies, 784, corruption, gather)
    y = torch.empty(copies, rows, 1000, dtype=dtype)
    return lambda: corrupted_linear_backward.weight_gradient(y, y, x, index, state, activation, draw)


def launches():
    """{case: launch}: every tiling, with the corruptions that need most registers."""
    half, full = torch.bfloat16, torch.float32
    return {
        "bfloat16, 64 rows": _forward(half, 64),
        "bfloat16, 64 rows x 5 copies, gathered, clip": _forward(half, 64, 5, CLIP, True),
        "bfloat16, 65536 rows": _forward(half, 65536),
        "bfloat16, 65536 rows x 5 copies, gathered, clip": _forward(half, 65536, 5, CLIP, True),
        "float32, 64 rows x 5 copies, gathered, clip": _forward(full, 64, 5, CLIP, True),
        "float32, 65536 rows, clip": _forward(full, 65536, 1, CLIP),
        "bfloat16, 65536 rows x 5 copies, gathered, patches": _forward(half, 65536, 5, PATCHES, True),
        "float32, 65536 rows, patches": _forward(full, 65536, 1, PATCHES),
        "gradient, bfloat16, 64 rows x 5 copies, patches": _backward(half, 64, 5, PATCHES, True),
        "bfloat16, 64 rows x 5 copies, gathered, clip, leaky relu": _forward(half, 64, 5, CLIP, True, 784, LEAKY),
        "bfloat16, 65536 rows x 5 copies, gathered, clip, tanh": _forward(half, 65536, 5, CLIP, True, 784, TANH),
        "float32, 65536 rows, clip, tanh": _forward(full, 65536, 1, CLIP, False, 784, TANH),
        "tiled bfloat16, 320 rows x 3072": _forward(half, 320, 1, PLAIN, False, 3072),
        "tiled bfloat16, 65536 rows x 3072": _forward(half, 65536, 1, PLAIN, False, 3072),
        "tiled float32, 320 rows x 3072": _forward(full, 320, 1, PLAIN, False, 3072),
        "gradient, bfloat16, 64 rows x 5 copies, clip": _backward(half, 64, 5, CLIP, True),
        "gradient, float32, 64 rows x 5 copies, clip": _backward(full, 64, 5, CLIP, True),
        "gradient, bfloat16, 64 rows x 5 copies, clip, leaky relu": _backward(half, 64, 5, CLIP, True, LEAKY),
        "gradient, float32, 64 rows x 5 copies, clip, tanh": _backward(full, 64, 5, CLIP, True, TANH),
    }
