"""The filters of a first layer: how local, how oriented and how concentrated in frequency each of them is."""

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from fastdaae.arrays import to_tensor
from fastdaae.evaluation.codes.representation import as_array
from fastdaae.noise import Noise, Site, uniform

_LEAST_GRID = 32  # of frequencies a side: small filters are padded to it


class Filters(NamedTuple):
    """What each filter is like, float64 [F]; NaN for a filter that is constant.

    `concentration`: the greatest share of its power spectrum in one band, an octave of frequency and 45 degrees of
    orientation. Above 0.5 for Gabor filters of 12 x 12 and more, 0.2 to 0.3 for white noise and for round blobs, which
    have no direction; a side of 5 is too small to tell.
    `orientation`: |sum P exp(2 i theta)| / sum P over frequencies of power P and direction theta. 1 for a grating, 0
    for a round blob and for a single pixel.
    `extent`: the root-mean-square distance of its energy from its centre of energy, over that of an even spread: 0 for
    a single pixel, about 1 for noise and for gratings that fill the filter.
    """

    concentration: np.ndarray
    orientation: np.ndarray
    extent: np.ndarray


def filter_statistics(filters: Any) -> Filters:
    """How concentrated in frequency, how oriented and how local filters [F, H, W] or [F, C, H, W] are: a Filters.

    Each channel is less its mean; spectra and energies are summed over channels. Spectra are those of the filter padded
    with zeros to at least 32 x 32. Raises ValueError for another number of dimensions, for sides below 3 and for values
    that are not finite. Sources: Olshausen and Field 1996 (localised, oriented, bandpass: the words that this makes
    numbers); Bigun and Granlund 1987 (orientation from second moments of the spectrum).
    """
    filters = to_tensor(as_array(filters)).double()
    filters = filters[:, None] if filters.dim() == 3 else filters
    if filters.dim() != 4 or min(filters.shape[2:]) < 3 or not len(filters):
        raise ValueError(f"filters must be [F, H, W] or [F, C, H, W] with sides >= 3, got {list(filters.shape)}")
    if not bool(filters.isfinite().all()):
        raise ValueError("filters must be finite numbers, got NaN or infinite values: the model has diverged")
    even = filters.mean((2, 3), keepdim=True)
    filters = torch.where((filters - even).abs().amax((1, 2, 3), keepdim=True) > 1e-12, filters - even, 0.0)
    grid = max(_LEAST_GRID, *filters.shape[2:])
    power = torch.fft.fft2(filters, s=(grid, grid)).abs().square().sum(1).flatten(1)
    power = power / power.sum(1, keepdim=True)
    bands, doubled = _bands(grid)
    concentration = (power @ bands.T).amax(1)
    return Filters(concentration.numpy(), (power.to(doubled) @ doubled).abs().numpy(), _extents(filters).numpy())


def shuffled(filters: Tensor, noise: Noise) -> Tensor:
    """Filters [F, C, H, W] with the pixels of each in an addressed order, the channels of a pixel together."""
    flat = filters.flatten(2)
    order = uniform(noise, len(flat), flat.shape[2], site=Site.DRAWS)[0].argsort(-1)[:, None]
    return flat.gather(2, order.expand_as(flat)).reshape(filters.shape)


def first_filters(network: nn.Module, image_shape: tuple[int, ...]) -> Tensor:
    """The weights of a network's first dense or convolutional layer as filters [F, C, H, W].

    Raises ValueError for a network without one, for one that does not take the pixels of images of that shape, [H, W]
    or [C, H, W], and for images that are rows of numbers.
    """
    layers = (layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d))
    layer = next(layers, None)
    if layer is None:
        raise ValueError("filters are those of a first nn.Linear or nn.Conv2d, and the encoder has neither")
    weight = layer.weight.detach()
    if isinstance(layer, nn.Conv2d):
        return weight
    if len(image_shape) not in (2, 3) or weight.shape[1] != math.prod(image_shape):
        raise ValueError(
            f"filters need a first layer on the pixels of images [H, W] or [C, H, W], got one on {weight.shape[1]} "
            f"numbers and images {list(image_shape)}"
        )
    shape = image_shape if len(image_shape) == 3 else (1, *image_shape)
    return weight.reshape(-1, *shape)


@cache
def _bands(grid: int) -> tuple[Tensor, Tensor]:
    """Bands of an octave and 45 degrees as masks [B, grid * grid], at steps of half of each; and exp(2 i theta)."""
    line = torch.fft.fftfreq(grid, dtype=torch.float64)
    y, x = torch.meshgrid(line, line, indexing="ij")
    radius, angle = (x.square() + y.square()).sqrt().flatten(), torch.atan2(y, x).flatten()
    highest = math.sqrt(0.5) * (1 + 1e-9)
    steps = range(2 * math.ceil(math.log2(grid)) - 2)
    octaves = [(radius > highest * 2 ** (-1 - s / 2)) & (radius <= highest * 2 ** (-s / 2)) for s in steps]
    sectors = [(angle - math.pi / 8 * s).cos().abs() >= math.cos(math.pi / 8) for s in range(8)]
    bands = torch.stack([octave & sector for octave in octaves for sector in sectors]).double()
    return bands, torch.polar(torch.ones_like(angle), 2 * angle)


def _extents(filters: Tensor) -> Tensor:
    energy = filters.square().sum(1)
    energy = energy / energy.sum((1, 2), keepdim=True)
    variance = torch.zeros_like(energy[:, 0, 0])
    for side, weights in zip(filters.shape[2:], (energy.sum(2), energy.sum(1)), strict=True):
        places = torch.arange(side, dtype=torch.float64, device=energy.device)
        variance += weights @ places.square() - (weights @ places).square()
    height, width = filters.shape[2:]
    return (variance.clamp_min(0) / ((height * height - 1 + width * width - 1) / 12)).sqrt()
