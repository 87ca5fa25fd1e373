"""What the machine is: `python -m gpu_check.machine` prints one JSON object; it alone imports PyTorch."""

import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
from pathlib import Path

TOOLS = ("nvcc", "ncu", "compute-sanitizer", "cuobjdump", "g++", "ninja")
PACKAGES = ("triton", "numpy", "pytest", "pytest-benchmark", "pytest-xdist", "pytest-timeout", "faiss-gpu", "pybind11")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _driver() -> dict:
    command = ["nvidia-smi", "--query-gpu=driver_version,clocks.max.sm,clocks.max.mem,power.limit", "--format=csv"]
    try:
        lines = subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.splitlines()
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return dict(zip(lines[0].split(", "), lines[1].split(", "), strict=False)) if len(lines) > 1 else {}


def _device() -> dict:
    import torch

    found = {"torch": torch.__version__, "cuda": torch.version.cuda, "gpu": None}
    if torch.cuda.is_available():
        of = torch.cuda.get_device_properties(0)
        found |= {"gpu": of.name, "architecture": f"{of.major}{of.minor}", "multiprocessors": of.multi_processor_count}
        found |= {"memory_gib": round(of.total_memory / 2**30, 1), "devices": torch.cuda.device_count()}
    return found


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())


def facts() -> dict:
    """The GPU and its driver, the processor, and the versions of all that takes part; what is not there is None."""
    versions = {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}
    machine = {"processor": _processor(), "cores": os.cpu_count(), "kernel": platform.release()}
    return {**_device(), **_driver(), **machine, **versions, "tools": {name: shutil.which(name) for name in TOOLS}}


if __name__ == "__main__":
    print(json.dumps(facts()))
