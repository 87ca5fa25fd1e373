"""Plain fully connected networks on the engine: a layer and its activation in one pass."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from fastdaae import backend as backends
from fastdaae import reference
from fastdaae.ops import engine_layers, library_products
from fastdaae.ops.splitting import is_observed

# Below these sizes packing costs more than PyTorch's product takes. Measured on one thread of a Xeon with 1000 numbers
# on the other side: 320 rows to 10 outputs 0.18 ms against 0.09, to 64 outputs 0.37 against 0.25; 8 rows to 1000
# outputs 0.37 against 0.42, 4 rows 0.37 against 0.29. From 10 inputs the forward pass is up to twice PyTorch's speed,
# its gradients half of it.
_NARROW = 128
_FEWEST_ROWS = 8


class DenseLayer(NamedTuple):
    """activation(x W^T + b): weight [H, D], bias [H] or None, activation "relu", "sigmoid" or "none"."""

    weight: Tensor
    bias: Tensor | None
    activation: str


def dense_layers(network: Callable) -> list[DenseLayer] | None:
    """The layers of a plain `nn.Sequential` of Flatten, Linear, ReLU and Sigmoid that maps rows to rows; else None.

    Flatten may only come first, an activation only after a Linear.
    """
    if not _is_plain_network(network):
        return None
    modules = [module for module in network if type(module) is not nn.Identity]
    if modules and type(modules[0]) is nn.Flatten and (modules[0].start_dim, modules[0].end_dim) == (1, -1):
        modules = modules[1:]
    layers: list[DenseLayer] = []
    for module in modules:
        activation = activation_of(module)
        if type(module) is nn.Linear:
            layers.append(DenseLayer(module.weight, module.bias, "none"))
        elif activation is not None and layers and layers[-1].activation == "none":
            layers[-1] = layers[-1]._replace(activation=activation)
        else:
            return None
    fit = all(a.weight.shape[0] == b.weight.shape[1] for a, b in zip(layers, layers[1:], strict=False))
    return layers if layers and fit else None


def run(network: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """network(x), for x [N, ...]; on the CPU a plain `nn.Sequential` runs on the engine, to rounding the same.

    Plain are Flatten, Linear, ReLU, Sigmoid and Identity that nothing observes, in float32 or bf16 (autocast included);
    anything else is called as it is. Differentiable in x and in the parameters.
    """
    return run_layers(list(network), x) if _runs_on_engine(network, x) else network(x)


def run_without_last(network: nn.Sequential, x: Tensor) -> Tensor:
    """What `run` gives to the last layer of an `nn.Sequential`."""
    layers = list(network)[:-1]
    if _runs_on_engine(network, x):
        return run_layers(layers, x)
    for layer in layers:
        x = layer(x)
    return x


def run_layers(layers: Sequence[nn.Module], x: Tensor) -> Tensor:
    """The layers of a network that `run` takes, or of a part of it, one after the other on x [N, ...]."""
    position = 0
    while position < len(layers):
        layer = layers[position]
        position += 1
        if not is_plain(layer, nn.Linear) or x.dim() != 2:
            x = layer(x)
            continue
        activation = activation_of(layers[position]) if position < len(layers) else None
        position += activation is not None
        x = linear(x, layer.weight, layer.bias, activation or "none")
    return x


def linear(x: Tensor, weight: Tensor, bias: Tensor | None, activation: str) -> Tensor:
    """activation(x W^T + b) for x [N, D] on the engine, or by PyTorch where that is the faster of the two."""
    float32 = weight.dtype == x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    if (
        (float32 and library_products.faster("forward", x.shape[0]))
        or not pays(x.shape[0], x, weight)
        or engine_layers.problem(x, weight) is not None
    ):
        return reference.activate(nn.functional.linear(x, weight, bias), activation)
    return engine_layers.linear(x, weight, bias, activation)


def pays(rows: int, x: Tensor, weight: Tensor) -> bool:
    """Whether the engine is the faster one for so many rows like those of x, by the measurements above."""
    outputs, inputs = weight.shape
    trains = torch.is_grad_enabled() and (weight.requires_grad or x.requires_grad)
    wide = min(outputs, inputs if trains else outputs) >= _NARROW
    # a traced graph serves every number of rows
    return wide and (torch.compiler.is_compiling() or rows >= _FEWEST_ROWS)


def is_plain(layer: nn.Module, kind: type[nn.Module]) -> bool:
    """Whether a layer is exactly of a kind, and calling it runs nothing else."""
    return type(layer) is kind and not is_observed(layer)


def activation_of(layer: nn.Module) -> str | None:
    """The name of the activation that a layer is, or None."""
    return "relu" if is_plain(layer, nn.ReLU) else "sigmoid" if is_plain(layer, nn.Sigmoid) else None


def _is_plain_network(network: Callable) -> bool:
    if not isinstance(network, nn.Sequential) or type(network).forward is not nn.Sequential.forward:
        return False
    kinds = (nn.Flatten, nn.Linear, nn.ReLU, nn.Sigmoid, nn.Identity)
    return not is_observed(network) and all(type(layer) in kinds and not is_observed(layer) for layer in network)


def _runs_on_engine(network: Callable, x: Tensor) -> bool:
    if not _is_plain_network(network):
        return False
    return backends.choose("run", "auto", {"cpp": _problem(network, x), "reference": None}) == "cpp"


def _problem(network: nn.Sequential, x: Tensor) -> str | None:
    weights = [layer.weight for layer in network if type(layer) is nn.Linear]
    if not weights:
        return "the network has no Linear layer"
    # where PyTorch's own product would raise, PyTorch shall say so
    cast = torch.is_autocast_enabled("cpu")
    if not x.is_floating_point() or not (cast or all(weight.dtype == x.dtype for weight in weights)):
        return "its dtypes differ"
    return next(filter(None, (engine_layers.problem(x, weight) for weight in weights)), None)
