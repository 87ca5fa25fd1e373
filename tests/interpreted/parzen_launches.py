"""The launches of `parzen_log_density` that are compiled offline: widths that are multiples of 16 and that are not."""

import torch

from fastdaae.kernels.triton.jit import parzen


def launches():
    def call(width: int, bandwidths: int, dtype: torch.dtype = torch.float32):
        queries, samples = torch.ones(8, width, dtype=dtype), torch.zeros(32, width, dtype=dtype)
        return lambda: parzen.parzen_log_density(queries, samples, torch.ones(bandwidths).double())

    def call_beside_bytes():
        queries, samples = torch.ones((8, 50), dtype=torch.float32), torch.zeros((32, 50), dtype=torch.uint8)
        return parzen.parzen_log_density(queries, samples, torch.ones(1).double())

    return {
        "50 columns of floats beside pixels": call_beside_bytes,
        "784 columns, 10 bandwidths": call(784, 10),
        "50 columns of pixels, 1 bandwidth": call(50, 1, torch.uint8),
        "784 columns in float64, 16 bandwidths": call(784, 16, torch.float64),
    }
