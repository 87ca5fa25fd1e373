"""Launching from a frozen table of configurations, one for each family of architectures."""

import torch

from fastdaae.kernels import triton_configs
from fastdaae.kernels.triton_noise import INTERPRET

_PROCESSORS_WITHOUT_GPU = 4  # so that the interpreter splits small problems as a device splits large ones


def configuration(table: dict[str, dict[str, int]], device: torch.device) -> dict[str, int]:
    """The entry of a table with the keys "sm_80", "sm_90", "sm_100" and "interpreter" for a device."""
    number = triton_configs.architecture(device)
    return table["interpreter" if INTERPRET else "sm_80" if number < 90 else "sm_90" if number < 100 else "sm_100"]


def processors(device: torch.device) -> int:
    """The multiprocessors of a device."""
    if device.type != "cuda":
        return _PROCESSORS_WITHOUT_GPU
    return torch.cuda.get_device_properties(device).multi_processor_count


def launch(kernel, programs: int, config: dict[str, int], device: torch.device, *arguments, **constants) -> None:
    """Runs `programs` programs of a kernel on a device and torch's current stream there."""
    with triton_configs.on_device(device):
        kernel[(programs,)](*arguments, **constants, **config, **triton_configs.COMMON)
