"""How every kernel is started."""

import contextlib

import torch

# kernels are compiled with contraction to FMA on every version of Triton; newer ones turn it off by default
_COMMON = {"enable_fp_fusion": True}


def on_device(device: torch.device) -> contextlib.AbstractContextManager:
    """Makes `device` current for a launch; Triton launches on the current device's current stream."""
    return torch.cuda.device(device) if device.type == "cuda" else contextlib.nullcontext()


def launch(kernel, programs: int, config: dict[str, int], device: torch.device, *arguments, **constants) -> None:
    """Runs `programs` programs of a kernel on a device and torch's current stream there."""
    with on_device(device):
        kernel[(programs,)](*arguments, **constants, **config, **_COMMON)
