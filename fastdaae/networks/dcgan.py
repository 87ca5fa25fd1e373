"""The DAAE paper's networks for faces: "4 convolutional layers with a similar structure to that of the DCGAN".

The paper prints no sizes; the authors' released code has them: kernels of 5 in the encoder and 3 in the decoder,
strides of 2, 64 filters that double from layer to layer, ReLU everywhere, and a linear layer at the code. It has no
batch norm, which DCGAN has in every layer but the first of one network and the last of the other; `batch_norm` chooses.
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from fastdaae.arguments import whole_in
from fastdaae.networks.parts import WIDEST, Maps, maps_of, remembering, to_code, to_images
from fastdaae.schema import shortened

FACES_CODE = 200  # numbers of a code, in the paper


def dcgan_encoder(
    image_shape: Sequence[int] = (3, 64, 64), code: int = FACES_CODE, filters: int = 64, batch_norm: bool = True
) -> nn.Sequential:
    """Four convolutions of 5 with stride 2, ReLU and batch norm but in the first, and a linear layer.

    images [N, *image_shape] -> codes [N, code]. image_shape is (H, W) or (C, H, W) with sides that are multiples of 16;
    layer i has 2^i `filters`. With batch_norm=False it is the encoder of the authors' released code. Raises ValueError
    for a shape that does not fit, and for no filters. Source: Creswell and Bharath 2018, section VI-C3; Radford et al.
    2016.
    """
    maps, widths = maps_of(image_shape, 16, 16), _widths(filters, batch_norm)
    layers: list[nn.Module] = [Maps(*maps)]
    for place, (inputs, outputs) in enumerate(pairwise([maps[0], *widths])):
        normed = batch_norm and place > 0
        layers.append(nn.Conv2d(inputs, outputs, 5, stride=2, padding=2, bias=not normed))
        layers += [*([nn.BatchNorm2d(outputs)] if normed else []), nn.ReLU()]
    layers += to_code(_smallest(maps, widths), code)
    config = {"image_shape": list(image_shape), "code": code, "filters": filters, "batch_norm": batch_norm}
    return remembering(layers, network="dcgan_encoder", **config)


def dcgan_decoder(
    image_shape: Sequence[int] = (3, 64, 64),
    code: int = FACES_CODE,
    filters: int = 64,
    batch_norm: bool = True,
    output: str | None = "sigmoid",
) -> nn.Sequential:
    """A linear layer, and four transposed convolutions of 3 with stride 2, ReLU and batch norm but in the last.

    codes [N, code] -> images [N, *image_shape]; `output` is "sigmoid", None (linear), "tanh" (DCGAN's own, for pixels
    in [-1, 1]) or "relu". Other arguments and errors as `dcgan_encoder`. Source: Creswell and Bharath 2018, section
    VI-C3; Radford et al. 2016.
    """
    maps, widths = maps_of(image_shape, 16, 16), _widths(filters, batch_norm)
    smallest = _smallest(maps, widths)
    numbers = smallest[0] * smallest[1] * smallest[2]
    layers: list[nn.Module] = [nn.Linear(whole_in("code", code, 1, WIDEST), numbers), Maps(*smallest)]
    for inputs, outputs in pairwise([*reversed(widths), maps[0]]):
        layers += [*([nn.BatchNorm2d(inputs)] if batch_norm else []), nn.ReLU()]
        layers.append(nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1))
    config = {"image_shape": list(image_shape), "code": code, "filters": filters, "batch_norm": batch_norm}
    return remembering([*layers, *to_images(image_shape, output)], network="dcgan_decoder", **config, output=output)


def _widths(filters: int, batch_norm: bool) -> list[int]:
    if not isinstance(batch_norm, bool):
        raise TypeError(f"batch_norm must be True or False, got {shortened(batch_norm)}")
    return [whole_in("filters", filters, 1, WIDEST // 8) * 2**place for place in range(4)]


def _smallest(maps: tuple[int, int, int], widths: list[int]) -> tuple[int, int, int]:
    return widths[-1], maps[1] // 16, maps[2] // 16
