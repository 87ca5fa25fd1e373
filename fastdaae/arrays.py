"""How tensors lie in memory: on that of NumPy arrays, wherever torch can read it, and as a parameter lies."""

import numpy as np
import torch
from torch import Tensor


class _Writable:
    """An array's memory without its read-only mark, which tensors do not know."""

    def __init__(self, array: np.ndarray):
        self.kept = array
        address, _ = array.__array_interface__["data"]
        self.__array_interface__ = {**array.__array_interface__, "data": (address, False)}


def to_tensor(array: np.ndarray) -> Tensor:
    """The array as a tensor, only to be read: mapped files and read-only arrays share their memory.

    Foreign byte orders and negative strides, which torch does not know, are copied.
    """
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if min(array.strides, default=0) < 0:
        array = array.copy()
    # a warning of torch's stays away so too, that writing to a read-only array is undefined
    return torch.from_numpy(array if array.flags.writeable else np.asarray(_Writable(array)))


def laid_out_like(parameter: Tensor, tensor: Tensor) -> Tensor:
    """A tensor of a parameter's shape in that one's memory layout, which fused optimisers trust and do not look at."""
    if tensor.layout != torch.strided or tensor.stride() == parameter.stride():
        return tensor
    return torch.empty_like(parameter, dtype=tensor.dtype, device=tensor.device).copy_(tensor)
