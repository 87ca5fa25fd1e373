"""The memory of tensors, which kernels read and write by bare addresses: what they can read, and new tensors.

For new ones the dtype and the device are always named: torch.empty alone takes what it is not told from the process's
defaults, which are the user's to set.
"""

import torch
from torch import Tensor
from torch.autograd import forward_ad

from fastdaae import reference


def empty(*shape: int, dtype: torch.dtype, device: torch.device | str) -> Tensor:
    """A tensor whose values are not set."""
    return torch.empty(shape, dtype=dtype, device=device)


def zeros(*shape: int, dtype: torch.dtype, device: torch.device | str) -> Tensor:
    """A tensor of zeros."""
    return torch.zeros(shape, dtype=dtype, device=device)


def empty_densities(queries: Tensor, samples: Tensor, bandwidths: Tensor) -> Tensor:
    """What a Parzen window gives, its values not set: float64 [B, Q]."""
    return queries.new_empty((bandwidths.shape[0], queries.shape[0]), dtype=torch.float64)


def empty_neighbors(points: Tensor, k: int, queries: Tensor | None) -> tuple[Tensor, Tensor]:
    """What a search for neighbours gives, its values not set: distances [Q, k] and int64 indices [Q, k]."""
    rows = points.shape[0] if queries is None else queries.shape[0]
    distances = points.new_empty((rows, k), dtype=reference.distance_dtype(points))
    return distances, points.new_empty((rows, k), dtype=torch.int64)


def memory_problem(name: str, x: Tensor) -> str | None:
    """Why a kernel cannot read the memory of x and be done, or None; that of a traced tensor comes later."""
    if torch.compiler.is_compiling():
        return None
    if type(x).__torch_dispatch__ is not Tensor.__torch_dispatch__:
        return f"it reads plain tensors, and {name} is a {type(x).__name__}"
    if torch._C._functorch.is_functorch_wrapped_tensor(x):
        return f"it takes no part in torch.func's transforms, and {name} does"
    return "it computes no forward-mode derivatives" if forward_ad._current_level >= 0 else None


def autocast_dtype(x: Tensor) -> torch.dtype | None:
    """The dtype that products on the device of x are cast to, or None."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None


def rows_of(x: Tensor, index: Tensor | None) -> int:
    """The number of rows that an index gathers, or of x."""
    return x.shape[0] if index is None else index.shape[0]


def wants_gradient(*tensors: Tensor | None) -> bool:
    """Whether a call on these tensors takes part in a graph of gradients."""
    return torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors)
