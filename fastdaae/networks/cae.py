"""The convolutional autoencoders of Jow's report (2019, sections 6 and 7): blocks of a stack, by its public code.

The report prints no architecture, and its text prefers upsampling to transposed convolutions, which make checkerboards.
Its code has two forms, kept apart here: the blocks of the MNIST stack, whose decoders do begin with a transposed
convolution (kernel and stride 2, so that no two of its windows overlap), and those of CIFAR-10 and CUB, which upsample.
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from fastdaae.networks.parts import (
    Maps,
    from_code,
    maps_of,
    remembering,
    same_padding,
    to_code,
    to_images,
    widths_of,
)


def cae_block_encoder(
    image_shape: Sequence[int], filters: Sequence[int] = (8, 16), kernel: int = 7, code: int | None = None
) -> nn.Sequential:
    """A block of the MNIST stack: convolutions with ReLU between them, pooled by 2, then sigmoid.

    images [N, *image_shape], or rows that a block below gives -> codes [N, filters[-1] H/2 W/2] in (0, 1), or with a
    `code` [N, code] of a last layer. image_shape is (H, W) or (C, H, W) with even sides; the report's blocks have
    filters (8, 16) of 7 and (16, 16) of 5. Raises ValueError for a shape that does not fit, an even kernel or no
    filters. Source: Jow 2019, section 6.
    """
    channels, height, width = maps_of(image_shape, 2, 2)
    widths, padding = widths_of(filters), same_padding(kernel)
    layers: list[nn.Module] = [Maps(channels, height, width)]
    for inputs, outputs in pairwise([channels, *widths]):
        layers += [nn.Conv2d(inputs, outputs, kernel, padding=padding), nn.ReLU()]
    layers[-1:] = [nn.MaxPool2d(2), nn.Sigmoid(), *to_code((widths[-1], height // 2, width // 2), code)]
    config = {"image_shape": list(image_shape), "filters": widths, "kernel": kernel, "code": code}
    return remembering(layers, network="cae_block_encoder", **config)


def cae_block_decoder(
    image_shape: Sequence[int],
    filters: Sequence[int] = (8, 16),
    kernel: int = 7,
    code: int | None = None,
    output: str | None = "sigmoid",
) -> nn.Sequential:
    """The decoder of `cae_block_encoder`: a transposed convolution of 2, then convolutions with ReLU between them.

    codes [N, filters[-1] H/2 W/2] or [N, code] -> images [N, *image_shape]; `output` is None (linear), "sigmoid",
    "tanh" or "relu". Errors as there. Source: Jow 2019, section 6.
    """
    channels, height, width = maps_of(image_shape, 2, 2)
    widths, padding = widths_of(filters), same_padding(kernel)
    back = widths[-2::-1] or widths
    layers = from_code((widths[-1], height // 2, width // 2), code)
    layers.append(nn.ConvTranspose2d(widths[-1], back[0], 2, stride=2))
    for inputs, outputs in pairwise([*back, channels]):
        layers += [nn.ReLU(), nn.Conv2d(inputs, outputs, kernel, padding=padding)]
    config = {"image_shape": list(image_shape), "filters": widths, "kernel": kernel, "code": code, "output": output}
    return remembering([*layers, *to_images(image_shape, output)], network="cae_block_decoder", **config)


def cae_encoder(
    image_shape: Sequence[int], filters: Sequence[int] = (8, 16, 32), kernel: int = 3, code: int | None = None
) -> nn.Sequential:
    """A block of the colour stacks: n convolutions, each pooled by 2 and then ReLU.

    images [N, *image_shape], or rows that a block below gives -> codes [N, filters[-1] H/2^n W/2^n], or with a `code`
    [N, code] of a last layer. image_shape is (H, W) or (C, H, W) with sides that halve n times. The report has
    (8, 16, 32) of 3 for CIFAR-10, and for CUB at 128 x 128 (8, 16, 32), then (64, 128, 256), all of 5. Raises
    ValueError for a shape that does not fit, an even kernel or no filters. Source: Jow 2019, section 7.
    """
    widths, padding = widths_of(filters), same_padding(kernel)
    (channels, height, width), codes = _halved(image_shape, widths, padding)
    layers: list[nn.Module] = [Maps(channels, height, width)]
    for inputs, outputs in pairwise([channels, *widths]):
        layers += [nn.Conv2d(inputs, outputs, kernel, padding=padding), nn.MaxPool2d(2), nn.ReLU()]
    config = {"image_shape": list(image_shape), "filters": widths, "kernel": kernel, "code": code}
    return remembering([*layers, *to_code(codes, code)], network="cae_encoder", **config)


def cae_decoder(
    image_shape: Sequence[int],
    filters: Sequence[int] = (8, 16, 32),
    kernel: int = 3,
    code: int | None = None,
    output: str | None = None,
) -> nn.Sequential:
    """The decoder of `cae_encoder`: n times upsampling by 2 (nearest), padding by reflection, and a convolution.

    codes [N, filters[-1] H/2^n W/2^n] or [N, code] -> images [N, *image_shape]. ReLU stands between the layers; after
    the last `output`: None (linear, as the report's images are), "sigmoid", "tanh", or "relu" in an upper block of a
    stack, since the codes below are not negative. Errors as there. Source: Jow 2019, sections 6 and 7.
    """
    widths, padding = widths_of(filters), same_padding(kernel)
    (channels, _, _), codes = _halved(image_shape, widths, padding)
    layers = from_code(codes, code)
    for inputs, outputs in pairwise([*reversed(widths), channels]):
        layers += [nn.Upsample(scale_factor=2), nn.ReflectionPad2d(padding), nn.Conv2d(inputs, outputs, kernel)]
        layers.append(nn.ReLU())
    config = {"image_shape": list(image_shape), "filters": widths, "kernel": kernel, "code": code, "output": output}
    return remembering([*layers[:-1], *to_images(image_shape, output)], network="cae_decoder", **config)


def _halved(
    image_shape: Sequence[int], widths: list[int], padding: int
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """The maps of images and those of their codes; the smallest, upsampled, must be wider than their reflection."""
    scale = 2 ** len(widths)
    channels, height, width = maps_of(image_shape, scale, scale * (padding // 2 + 1))
    return (channels, height, width), (widths[-1], height // scale, width // scale)
