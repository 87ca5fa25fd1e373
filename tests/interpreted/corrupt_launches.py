"""The shipped forms of the corrupt kernels, for offline compilation."""

import torch

from fastdaae.corruptions import Corruption, Gaussian, Patches, SaltAndPepper
from fastdaae.draw import draw_of
from fastdaae.kernels.triton.jit import corruption as kernels

PLAIN, CLIP, SALT = Gaussian(0.5), Gaussian(0.5, clip=(0.0, 1.0)), SaltAndPepper(0.5)
PATCHES = Patches(7, 5)


def _inputs(rows: int, source: torch.dtype, corruption: Corruption, gather: bool):
    x, state = torch.empty(rows, 784, dtype=source), torch.empty(3, dtype=torch.int64)
    draw = draw_of(corruption, image=(28, 28), copies=5, site=1)
    return x, torch.empty(rows, dtype=torch.int64) if gather else None, state, draw


def _forward(rows: int, source: torch.dtype, corruption: Corruption, gather: bool, result: torch.dtype):
    return lambda: kernels.corrupt(*_inputs(rows, source, corruption, gather), result)


def _backward(rows: int, source: torch.dtype, corruption: Corruption):
    grad = torch.empty(5, rows, 784)
    return lambda: kernels.corrupt_backward(grad, *_inputs(rows, source, corruption, False))


def launches():
    """{case: launch}: both tilings, with the corruptions that need most registers."""
    return {
        "gaussian, uint8 -> float32, gathered, 64 rows": _forward(64, torch.uint8, PLAIN, True, torch.float32),
        "gaussian, float32 -> bfloat16, 65536 rows": _forward(65536, torch.float32, PLAIN, False, torch.bfloat16),
        "clip, uint8 -> float32, gathered, 65536 rows": _forward(65536, torch.uint8, CLIP, True, torch.float32),
        "salt and pepper, float32 -> float32, 65536 rows": _forward(65536, torch.float32, SALT, False, torch.float32),
        "patches, uint8 -> float32, gathered, 64 rows": _forward(64, torch.uint8, PATCHES, True, torch.float32),
        "patches, float32 -> bfloat16, 65536 rows": _forward(65536, torch.float32, PATCHES, False, torch.bfloat16),
        "gradient, patches, 65536 rows": _backward(65536, torch.float32, PATCHES),
        "gradient, clip, 64 rows": _backward(64, torch.float32, CLIP),
        "gradient, clip, 65536 rows": _backward(65536, torch.float32, CLIP),
    }
