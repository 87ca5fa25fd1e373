"""What the builders share: activations by name, the way into and out of feature maps, networks that remember."""

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from fastdaae.arguments import whole_in
from fastdaae.schema import shortened

WIDEST = 2**31 - 1
_ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "leaky_relu": nn.LeakyReLU, "tanh": nn.Tanh}
_OUTPUTS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}


class Maps(nn.Module):
    """Rows as feature maps [N, C, H, W]: takes those, flat rows [N, C H W] and, where C is 1, images [N, H, W].

    The one place where a network of images says which shape it takes. On the CPU the maps, and all that are made of
    them, have their channels last in memory, where pooling by 2 is ten times as fast and convolutions are no slower.
    Raises ValueError for another shape.
    """

    def __init__(self, channels: int, height: int, width: int):
        super().__init__()
        self.shape = channels, height, width

    def forward(self, x: Tensor) -> Tensor:
        """Rows x [N, ...] as [N, C, H, W]."""
        given, (channels, height, width) = x.shape[1:], self.shape
        if given not in (self.shape, (math.prod(self.shape),), (height, width) if channels == 1 else None):
            got = ", ".join(map(str, ("N", *given)))
            raise ValueError(
                f"x must be images of the shape {list(self.shape)}, [N, C, H, W] or flat rows, got [{got}]"
            )
        if not x.is_cpu:
            return x.reshape(-1, *self.shape)
        if channels > 1:
            return x.reshape(-1, *self.shape).contiguous(memory_format=torch.channels_last)
        # a single channel is first and last at once, and the strides tell which: these cost nothing
        return x.reshape(-1, height, width, 1).permute(0, 3, 1, 2)

    def extra_repr(self) -> str:
        """The shape, for whoever prints the network."""
        return f"{', '.join(map(str, self.shape))}"


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


def maps_of(image_shape: Sequence[int], multiple: int, least: int) -> tuple[int, int, int]:
    """(channels, height, width) of images [H, W] or [C, H, W] whose sides halve evenly into `multiple`.

    Raises ValueError for another shape, and for sides below `least`; TypeError for sides that are no whole numbers.
    """
    expected = f"(H, W) or (C, H, W) with sides that are multiples of {multiple} and at least {least}"
    sizes = list(image_shape) if isinstance(image_shape, Iterable) and not isinstance(image_shape, str) else []
    if len(sizes) not in (2, 3):
        raise ValueError(f"image_shape must be {expected}, got {shortened(image_shape)}")
    sizes = [whole_in(f"image_shape[{place}]", size, 1, WIDEST) for place, size in enumerate(sizes)]
    if any(side % multiple or side < least for side in sizes[-2:]):
        raise ValueError(f"image_shape must be {expected}, got {tuple(sizes)}; crop or resize the images")
    channels, height, width = sizes if len(sizes) == 3 else [1, *sizes]
    return channels, height, width


def widths_of(filters: Sequence[int]) -> list[int]:
    """Filters of layers as a list; raises ValueError for none of them."""
    if not isinstance(filters, Iterable) or isinstance(filters, str) or not (widths := list(filters)):
        raise ValueError(f"filters must be at least one whole number >= 1, got {shortened(filters)}")
    return [whole_in(f"filters[{place}]", width, 1, WIDEST) for place, width in enumerate(widths)]


def same_padding(kernel: int) -> int:
    """The padding that keeps the size of maps under a kernel; raises ValueError for an even one."""
    if whole_in("kernel", kernel, 1, WIDEST) % 2 == 0:
        raise ValueError(f"kernel must be odd, so that maps keep their size, got {kernel}")
    return kernel // 2


def to_code(maps: tuple[int, int, int], code: int | None) -> list[nn.Module]:
    """The end of an encoder: maps as rows [N, C h w], and for a `code` a layer to that many numbers."""
    if code is None:
        return [nn.Flatten()]
    return [nn.Flatten(), nn.Linear(math.prod(maps), whole_in("code", code, 1, WIDEST))]


def from_code(maps: tuple[int, int, int], code: int | None) -> list[nn.Module]:
    """The beginning of a decoder: rows [N, C h w] as maps, and for a `code` a layer from that many numbers before."""
    if code is None:
        return [Maps(*maps)]
    return [nn.Linear(whole_in("code", code, 1, WIDEST), math.prod(maps)), nn.ReLU(), Maps(*maps)]


def to_images(image_shape: Sequence[int], output: str | None) -> list[nn.Module]:
    """The end of a decoder: maps [N, 1, H, W] as grey images [N, H, W] where those are asked for, and its output."""
    return [*([nn.Flatten(1, 2)] if len(image_shape) == 2 else []), *ending(output)]


def remembering(layers: Iterable[nn.Module], **config) -> nn.Sequential:
    """The layers one after the other, with the `config` of which the same network can be made.

    Weights of convolutions have their channels last in memory, as the maps that they meet.
    """
    network = nn.Sequential(*layers)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # which torch's types leave out
    network.config = config  # type: ignore[assignment]  # a plain attribute, no tensor and no module
    return network
