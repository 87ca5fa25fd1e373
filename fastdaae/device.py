"""Where a model computes, by name."""

import torch


def choose_device(name: str | torch.device) -> torch.device:
    """The device called "auto" (a GPU where there is one), "cpu", "cuda" or "cuda:1".

    Raises ValueError for another name, and for a GPU that is not there, with the reason.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise ValueError(f"device must be 'auto', 'cpu', 'cuda' or a GPU's number as in 'cuda:1', got {name!r}")
    problem = _gpu_problem(device) if device.type == "cuda" else None
    if problem is not None:
        raise ValueError(f"device cannot be {str(name)!r}: {problem}; use 'auto' or 'cpu'")
    return device


def _gpu_problem(device: torch.device) -> str | None:
    if not torch.backends.cuda.is_built():
        return f"PyTorch {torch.__version__} was built without CUDA"
    count = torch.cuda.device_count()
    if count == 0:
        return "PyTorch sees no CUDA device"
    if device.index is not None and device.index >= count:
        return f"PyTorch sees {count} CUDA device{'s' if count > 1 else ''}, numbered from 0"
    return None
