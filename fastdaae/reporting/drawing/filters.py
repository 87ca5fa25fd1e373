"""The weights of first layers as images; of a stack's deeper blocks, seen through the blocks below."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from torch import Tensor, nn

from fastdaae.evaluation.attempt import require_finite
from fastdaae.reporting.drawing.drawn import Drawn, pictured
from fastdaae.reporting.drawing.subject import Subject
from fastdaae.reporting.figures.pictures import as_pictures
from fastdaae.reporting.figures.samples import Gallery, sample_grids

_SHOWN = 120  # as many as the report draws


class Filters(NamedTuple):
    """Weights [units, *shape] that are shown as images, and the block of a stack whose units they are."""

    weights: Tensor
    block: int = 1


def draw(subject: Subject) -> Iterator[Drawn]:
    """The filters of a model whose first layer sees images."""
    found = filters_of(subject.body, subject.shape)
    if found:
        yield pictured("filters", lambda: filters(subject, found))


def filters_of(model: nn.Module, shape: tuple[int, ...]) -> list[Filters]:
    """The first layer's weights as images of `shape`, or as kernels, and those of a stack's deeper dense blocks.

    A deeper unit is the sum of the filters below it, each times its weight: what it would be without nonlinearities
    and biases (the linear combination of Lee et al. 2008 that Erhan et al. 2009 compare). Nothing for a model whose
    first layer is neither dense nor convolutional or sees something else than the image.
    """
    blocks = list(getattr(model, "blocks", [model]))
    layers = _layers(blocks[0])
    if layers and isinstance(layers[0], nn.Conv2d):
        channels, *size = layers[0].weight.shape[1:]
        return [Filters(layers[0].weight)] if channels in (1, 3) and min(size) > 1 else []
    found: list[Filters] = []
    below = None  # the weights of a block's codes on pixels
    for number, block in enumerate(blocks, start=1):
        layers = [layer for layer in _layers(block) if isinstance(layer, nn.Linear)]
        inputs = math.prod(shape) if below is None else len(below)
        if not layers or layers[0].in_features != inputs:
            return found
        below = layers[0].weight if below is None else layers[0].weight @ below
        found.append(Filters(below.unflatten(1, shape), number))
        for layer in layers[1:]:
            below = layer.weight @ below
        if hasattr(block, "posterior"):
            below = below[: len(below) // 2]  # the means
    return found


def _layers(block: nn.Module) -> list[nn.Module]:
    encoder = getattr(block, "encoder", None)
    return [] if encoder is None else [one for one in encoder.modules() if isinstance(one, nn.Linear | nn.Conv2d)]


def filters(subject: Subject, found: list[Filters]) -> tuple[str, Gallery]:
    """Up to 120 filters of each block, in their order."""
    grids = []
    for weights, block in found:
        require_finite("filters", weights)
        count = min(_SHOWN, len(weights))
        told = f"{count} of {len(weights):,} units" if count < len(weights) else f"{count} units"
        grids.append((f"block {block}: {told}" if len(found) > 1 else told, pictures_of(weights[:count])))
    return _caption(subject, found), sample_grids(grids, "What the units of the first layer look for" + _deeper(found))


def _deeper(found: list[Filters]) -> str:
    return ", and of each block above" if len(found) > 1 else ""


def pictures_of(weights: Tensor) -> np.ndarray:
    """Weights [N, *shape] as pictures in which 0 is grey and the largest of each is white or black."""
    largest = weights.flatten(1).abs().amax(1).clamp_min(1e-12)
    scaled = 0.5 + weights / (2 * largest.reshape(-1, *[1] * (weights.dim() - 1)))
    return as_pictures(scaled.detach().float().cpu(), tuple(weights.shape[1:]))


def _caption(subject: Subject, found: list[Filters]) -> str:
    first = found[0].weights.flatten(1).abs().amax(1)
    kernels = found[0].weights.dim() == 4 and tuple(found[0].weights.shape[1:]) != subject.shape
    told = (
        f"The weights of each unit as {'a kernel' if kernels else 'an image'}, in the units' order: grey is 0, white "
        f"or black its own largest weight (the median of these is {first.median():.2g}). "
    )
    if len(found) > 1:
        told += (
            "A unit of a deeper block is drawn as the sum of the filters below it times its weights, which leaves out "
            "the nonlinearities between them (Erhan et al. 2009). "
        )
    look = "Strokes, edges and blots are features that denoising makes; weights without structure look like noise"
    return f"{told}{look} (Figures 1–3 of the report)."
