"""Fully connected networks as the engine sees them: their layers, where nothing else can happen in a forward pass."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from fastdaae import backend as backends
from fastdaae.ops.splitting import _has_hooks


class DenseLayer(NamedTuple):
    """activation(x W^T + b): weight [H, D], bias [H] or None, activation "relu", "sigmoid" or "none"."""

    weight: Tensor
    bias: Tensor | None
    activation: str


_ACTIVATIONS = {nn.ReLU: "relu", nn.Sigmoid: "sigmoid"}


def dense_layers(network: Callable) -> list[DenseLayer] | None:
    """The layers of a plain `nn.Sequential` of Flatten, Linear, ReLU and Sigmoid that maps rows to rows; else None.

    Flatten may only come first, an activation only after a Linear; a network or layer with hooks is not plain.
    """
    if not isinstance(network, nn.Sequential) or type(network).forward is not nn.Sequential.forward:
        return None
    modules = [module for module in network if type(module) is not nn.Identity]
    if any(_has_hooks(module) for module in (network, *modules)):
        return None
    if modules and type(modules[0]) is nn.Flatten and (modules[0].start_dim, modules[0].end_dim) == (1, -1):
        modules = modules[1:]
    layers: list[DenseLayer] = []
    for module in modules:
        if type(module) is nn.Linear:
            layers.append(DenseLayer(module.weight, module.bias, "none"))
        elif type(module) in _ACTIVATIONS and layers and layers[-1].activation == "none":
            layers[-1] = layers[-1]._replace(activation=_ACTIVATIONS[type(module)])
        else:
            return None
    fit = all(a.weight.shape[0] == b.weight.shape[1] for a, b in zip(layers, layers[1:], strict=False))
    return layers if layers and fit else None


def engine_problem(layers: list[DenseLayer] | None, x: Tensor) -> str | None:
    """Why the C++ engine cannot take x [N, D] through these layers, or None."""
    if backends.EXTENSION_PROBLEM is not None:
        return backends.EXTENSION_PROBLEM
    if layers is None:
        return "it runs plain nn.Sequential networks of Flatten, Linear, ReLU and Sigmoid only"
    tensors = [x, *(t for layer in layers for t in (layer.weight, layer.bias) if t is not None)]
    if any(t.device.type != "cpu" or t.dtype != torch.float32 for t in tensors):
        return "it takes float32 tensors on the CPU only"
    return None
