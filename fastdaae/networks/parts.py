"""What the builders share: activations and outputs by name, and networks that remember how they were made."""

from collections.abc import Iterable

from torch import nn

_ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "leaky_relu": nn.LeakyReLU, "tanh": nn.Tanh}
_OUTPUTS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


def activation_named(name: str | None) -> nn.Module:
    """A new module of an activation, ReLU for None; raises ValueError for another name."""
    return _made("activation", "relu" if name is None else name, _ACTIVATIONS)


def ending(output: str | None) -> list[nn.Module]:
    """The modules of a network's last activation, none for None (linear); raises ValueError for another name."""
    return [] if output is None else [_made("output", output, _OUTPUTS)]


def _made(argument: str, name, known: dict[str, type[nn.Module]]) -> nn.Module:
    if not isinstance(name, str) or name not in known:
        raise ValueError(f"{argument} must be None or one of {', '.join(map(repr, known))}, got {name!r}")
    return known[name]()


def remembering(layers: Iterable[nn.Module], **config) -> nn.Sequential:
    """The layers one after the other, with the `config` of which the same network can be made."""
    network = nn.Sequential(*layers)
    network.config = config  # type: ignore[assignment]  # a plain attribute, no tensor and no module
    return network
