"""Where the CUDA kernels run, and on which stream."""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor

from fastdaae import backend
from fastdaae.kernels import compiled

# probed once, at import: a probe inside a call could not be traced by torch.compile
BUILT_PROBLEM = backend.cuda_build_problem()


def problem(x: Tensor) -> str | None:
    """Why the CUDA kernels cannot take x, or None."""
    if not x.is_cuda:
        return f"it runs on a CUDA device, and its input is on {x.device}"
    if BUILT_PROBLEM is not None or torch.compiler.is_compiling():
        return BUILT_PROBLEM
    found = compiled.load().cuda_problem(x.device.index)
    return (
        f"the kernels cannot run on {x.device} ({found}); FASTDAAE_CUDA_ARCHS names its architecture" if found else None
    )


@contextlib.contextmanager
def place_of(device: torch.device) -> Iterator[tuple[int, int]]:
    """The device guard; inside it, (device index, torch's current stream)."""
    with torch.cuda.device(device):
        yield device.index, torch.cuda.current_stream(device).cuda_stream
