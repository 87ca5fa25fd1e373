"""CUDA tensors on a machine without a GPU: they say that they are on cuda:0, compute on the CPU, and count what is
copied back."""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

CUDA = torch.device("cuda", 0)
_CPU = torch.device("cpu")
_MIXES = {Tensor.to, Tensor.copy_, Tensor.__getitem__, Tensor.__setitem__}  # which CUDA allows with others on the CPU
_FETCHES = {Tensor.cpu, Tensor.numpy, Tensor.tolist, Tensor.__array__}


class OnCuda(Tensor):
    """A tensor that is on the pretended device; only within `pretended`."""


class _Pretence(TorchFunctionMode):
    """Gives every result the device that the function would; NumPy is refused what lies on the device."""

    def __init__(self):
        super().__init__()
        self.fetched: list[tuple[int, ...]] = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, OnCuda)]
        if function == Tensor.device.__get__ and given:
            return CUDA
        if function == Tensor.is_cuda.__get__:
            return bool(given)
        forced = function == Tensor.numpy and kwargs.get("force")
        if given and function in (Tensor.numpy, Tensor.__array__) and not forced:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        elsewhere = [leaf for leaf in tree_leaves((args, kwargs)) if _is_on_cpu(leaf)]
        if given and elsewhere and function not in _MIXES:
            raise RuntimeError(f"all tensors must be on one device, got {elsewhere[0].shape} on the CPU in {function}")
        target = _CPU if function in _FETCHES else _target(args, kwargs)
        on_cuda = bool(given) if target is None else target.type == "cuda"
        if given and not on_cuda:
            self.fetched.append(tuple(given[0].shape))
        result = function(*tree_map(_real, args), **tree_map(_real, kwargs))
        return tree_map(_on_cuda if on_cuda else _real, result)


def _is_on_cpu(value) -> bool:
    return isinstance(value, Tensor) and not isinstance(value, OnCuda) and value.ndim > 0


def _target(args, kwargs) -> torch.device | None:
    """The device that is asked for, by itself or by a tensor that lies there."""
    device = kwargs.get("device")
    named = [torch.device(device)] if isinstance(device, str) else []
    named += [leaf for leaf in tree_leaves((args[1:], kwargs)) if isinstance(leaf, torch.device)]
    return named[0] if named else None


def _real(value):
    if isinstance(value, OnCuda):
        return value.as_subclass(Tensor)
    return _CPU if isinstance(value, torch.device) else value


def _on_cuda(value):
    return value.as_subclass(OnCuda) if isinstance(value, Tensor) else value


def move(module: nn.Module) -> nn.Module:
    """A module with its parameters and buffers on the pretended device."""
    for part in module.modules():
        for name, parameter in list(part.named_parameters(recurse=False)):
            part.register_parameter(name, nn.Parameter(_on_cuda(parameter.detach()), requires_grad=False))
        for name, buffer in list(part.named_buffers(recurse=False)):
            part.register_buffer(name, _on_cuda(buffer))
    return module


@contextlib.contextmanager
def pretended() -> Iterator[list[tuple[int, ...]]]:
    """Tensors may be on CUDA within; gives the list of the shapes of all that is copied back to the CPU."""
    with _Pretence() as pretence:
        yield pretence.fetched
