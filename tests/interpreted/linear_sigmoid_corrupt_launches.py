"""Every shipped form of the decoder's end, for offline compilation: dtypes, corruptions, widths and a kept x."""

import torch

from fastdaae.corruptions import Corruption, Gaussian, Masking, Patches, SaltAndPepper
from fastdaae.draw import draw_of
from fastdaae.kernels.triton.jit import linear_sigmoid_corrupt as fused

PLAIN, CLIP = Gaussian(0.5), Gaussian(0.5, clip=(0.0, 1.0))


def _launch(corruption: Corruption | None, dtype: torch.dtype, width: int, keep: bool, first: bool) -> None:
    h, weight, bias = (torch.zeros(shape, dtype=dtype) for shape in ((64, width), (784, width), (784,)))
    first_row = torch.zeros(1, dtype=torch.int64) if first else None
    draw, state = draw_of(corruption, image=(28, 28), site=3, ahead=1), torch.zeros(3, dtype=torch.int64)
    fused.linear_sigmoid_corrupt(h, weight, bias, state, first_row, keep, draw)


def launches():
    """{case: launch}."""
    cases = {
        "copy, float32, 30 inputs": (None, torch.float32, 30, False, False),
        "gaussian, float32": (PLAIN, torch.float32, 1000, False, False),
        "clip, float32, x kept, row in memory": (CLIP, torch.float32, 1000, True, True),
        "patches, float32, x kept, row in memory": (Patches(7, 5), torch.float32, 1000, True, True),
        "patches, bfloat16": (Patches(7, 5), torch.bfloat16, 1000, False, False),
        "salt, float32": (SaltAndPepper(0.3), torch.float32, 1000, False, False),
        "gaussian, bfloat16, row in memory": (PLAIN, torch.bfloat16, 1000, False, True),
        "clip, bfloat16, x kept, row in memory": (CLIP, torch.bfloat16, 1000, True, True),
        "masking, float16, 1024 inputs": (Masking(0.3), torch.float16, 1024, False, False),
    }
    return {case: lambda arguments=arguments: _launch(*arguments) for case, arguments in cases.items()}
