"""Fully connected networks."""

from collections.abc import Iterable
from itertools import pairwise

from torch import nn

from fastdaae.arguments import whole_in
from fastdaae.networks.parts import WIDEST, activation_named, ending, remembering


def mlp(sizes: Iterable[int], output: str | None = None, activation: str | None = None) -> nn.Sequential:
    """Fully connected layers with an activation between them: x [N, ...], sizes[0] numbers a row -> [N, sizes[-1]].

    `activation` is "relu" (None), "sigmoid", "leaky_relu" (slope 0.01) or "tanh"; `output` is None (linear), "sigmoid",
    "tanh" or "relu". The result carries `config`, from which the same network can be made. Raises ValueError for fewer
    than two sizes, sizes below 1, another activation or output. Source: Creswell and Bharath 2018, section VI-C;
    sigmoid layers as Jow 2019, section 2.
    """
    if not isinstance(sizes, Iterable) or isinstance(sizes, str):
        raise ValueError(f"sizes must be at least two whole numbers >= 1, got {sizes!r}")
    sizes = [whole_in(f"sizes[{place}]", size, 1, WIDEST) for place, size in enumerate(sizes)]
    if len(sizes) < 2:
        raise ValueError(f"sizes must be at least two whole numbers >= 1, got {sizes}")
    layers: list[nn.Module] = [nn.Flatten()]
    last = ending(output)
    for inputs, outputs in pairwise(sizes[:-1]):
        layers += [nn.Linear(inputs, outputs), activation_named(activation)]
    layers += [nn.Linear(sizes[-2], sizes[-1]), *last]
    return remembering(layers, network="mlp", sizes=sizes, output=output, activation=activation)
