"""The machine line: what a number was measured on."""

import os
import platform
from pathlib import Path

import torch

from fastdaae import backend
from fastdaae.kernels import compiled


def machine_line(device: torch.device | None = None) -> dict:
    """Processor, cores and system (and the `device`, if it is a GPU) in one text; threads, PyTorch, the C++ kernels."""
    gpu = f", {torch.cuda.get_device_name(device)}" if device is not None and device.type == "cuda" else ""
    line = f"{_processor()}, {os.cpu_count()} cores{gpu}, {platform.system()}, torch {torch.__version__}"
    live, detail = backend.backends()["cpp"]
    return {
        "machine": line,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "isa": compiled.load().build_info()["isa"] if live else None,
        "cpp": detail,
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
