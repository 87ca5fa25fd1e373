"""The shape of images: what a model says of it, and pixels in it."""

import math
from collections.abc import Iterable

from torch import Tensor

from fastdaae.arguments import whole_in
from fastdaae.schema import shortened


def as_shape(image_shape) -> tuple[int, ...] | None:
    """The shape of one image as a tuple, None for one that is not known; raises for what is no shape."""
    if image_shape is None:
        return None
    given = image_shape
    if isinstance(given, str) or not isinstance(given, Iterable) or not (shape := list(given)):
        raise TypeError(
            f"image_shape must be the shape of one image such as (3, 32, 32), or None, got {shortened(given)}"
        )
    return tuple(whole_in(f"image_shape[{place}]", size, 1) for place, size in enumerate(shape))


def as_images(pixels: Tensor, shape: tuple[int, ...] | None, leading: int = 1) -> Tensor:
    """Pixels [N, ...] (or with more `leading` dimensions) in the shape of images, where that is known."""
    if shape is None or pixels.shape[leading:] == shape:
        return pixels
    if math.prod(pixels.shape[leading:]) != math.prod(shape):
        raise ValueError(
            f"decoder must give images of the shape {list(shape)}, {math.prod(shape)} numbers each, got "
            f"{list(pixels.shape[leading:])}; build the model with its image_shape, or change the decoder"
        )
    return pixels.reshape(*pixels.shape[:leading], *shape)


def unlike(expected: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """What to say, and to do, about training images of another shape than the model's."""
    remedy = "build the model with the image_shape of the data"
    if math.prod(expected) == math.prod(shape):
        sizes = ", ".join(map(str, expected))
        remedy = f"use images.reshape(len(images), {sizes}), or {remedy}"
    return f"dataset must hold images of the model's image_shape {list(expected)}, got {list(shape)}; {remedy}"
