"""New tensors of the launchers: the dtype and the device are always named, since kernels write to bare addresses.

torch.empty alone takes what it is not told from the process's defaults, which are the user's to set.
"""

import torch
from torch import Tensor


def empty(*shape: int, dtype: torch.dtype, device: torch.device | str) -> Tensor:
    """A tensor whose values are not set."""
    return torch.empty(shape, dtype=dtype, device=device)


def zeros(*shape: int, dtype: torch.dtype, device: torch.device | str) -> Tensor:
    """A tensor of zeros."""
    return torch.zeros(shape, dtype=dtype, device=device)
