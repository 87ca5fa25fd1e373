"""Every shipped form of the decoder's end, for offline compilation: dtypes, corruptions, widths and a kept x."""

import torch

from fastdaae.kernels import triton_linear_sigmoid_corrupt as fused


def _launch(kind: int, a: float, dtype: torch.dtype, width: int, keep: bool, first: bool) -> None:
    h, weight, bias = (torch.zeros(shape, dtype=dtype) for shape in ((64, width), (784, width), (784,)))
    first_row = torch.zeros(1, dtype=torch.int64) if first else None
    state = torch.zeros(3, dtype=torch.int64)
    fused.linear_sigmoid_corrupt(h, weight, bias, state, first_row, kind, a, 0.0, 1.0, keep, 0, 3, 1)


def launches():
    cases = {
        "copy, float32, 30 inputs": (0, 0.0, torch.float32, 30, False, False),
        "gaussian, float32": (1, 0.5, torch.float32, 1000, False, False),
        "clip, float32, x kept, row in memory": (2, 0.5, torch.float32, 1000, True, True),
        "salt, float32": (4, 0.3, torch.float32, 1000, False, False),
        "gaussian, bfloat16, row in memory": (1, 0.5, torch.bfloat16, 1000, False, True),
        "clip, bfloat16, x kept, row in memory": (2, 0.5, torch.bfloat16, 1000, True, True),
        "masking, float16, 1024 inputs": (3, 0.3, torch.float16, 1024, False, False),
    }
    return {case: lambda arguments=arguments: _launch(*arguments) for case, arguments in cases.items()}
