"""The shipped forms of the addressed draws, for offline compilation."""

import torch

from fastdaae.draw import draw_of
from fastdaae.kernels.triton.jit import random


def launches():
    """{case: launch}: both tilings of both draws."""

    def call(rows: int, dtype: torch.dtype):
        return lambda: random.draws(torch.empty(3, dtype=torch.int64), rows, 784, draw_of(None, copies=5), dtype)

    return {
        "normal, 64 rows": call(64, torch.float32),
        "normal, 65536 rows": call(65536, torch.float32),
        "uniform, 64 rows": call(64, torch.float64),
        "uniform, 65536 rows": call(65536, torch.float64),
    }
