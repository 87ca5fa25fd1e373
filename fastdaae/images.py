"""Images as they come in, [N, C, H, W], [N, H, W] or flat [N, D]; other layouts, dtypes and scales are refused."""

import math

import numpy as np
import torch
from torch import Tensor

from fastdaae import arrays, pixels

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_LAST = (1, 3, 4)  # grey, RGB and RGBA, where channels come last
_FIRST = (1, 2, 3, 4)  # sizes that a second dimension has where channels come there
_SIDE = 8  # pixels that the sides of a picture have at least, where one alone is told from a set


def as_set(array: np.ndarray | Tensor, name: str = "images") -> Tensor:
    """A numpy array or tensor as a set of images [N, ...] in its own dtype, uint8 or floating; only to be read.

    It shares the array's memory where torch can, and a tensor stays on its device. `name` is what errors call it.
    Raises TypeError for another type or dtype, and ValueError for fewer than 2 dimensions, an empty set, a layout
    that `require_layout` refuses, or uint8 that are 0 and 1 alone.
    """
    _require_kind(array, name)
    if array.ndim < 2:
        raise ValueError(f"{name} must have at least 2 dimensions [N, ...], got {list(array.shape)}; reshape to [N, D]")
    if 0 in array.shape:
        raise ValueError(
            f"{name} must hold at least one image of one pixel, got shape {list(array.shape)}; drop this set"
        )
    require_layout(array, name)
    images = array.detach() if isinstance(array, Tensor) else arrays.to_tensor(array)
    if images.dtype == torch.uint8 and int(images.max()) == 1:
        raise ValueError(
            f"{name} must be uint8 grey levels 0..255, got 0..1; multiply by 255 (images * 255), or make them floats"
        )
    return images


def require_layout(array: np.ndarray | Tensor, name: str = "images") -> None:
    """Raises ValueError, with the remedy, for a set with channels last or for one picture; looks at the shape alone.

    A last dimension of 1, 3 or 4 is taken for channels where the second cannot be them; uint8 [H, W, 3 or 4] for a
    picture.
    """
    shape = list(array.shape)
    if len(shape) == 4 and shape[3] in _LAST and shape[1] not in _FIRST:
        way = "permute(0, 3, 1, 2)" if isinstance(array, Tensor) else "transpose(0, 3, 1, 2)"
        raise ValueError(f"{name} must be [N, C, H, W], got {shape} with channels last; use {_colours(shape)}.{way}")
    if len(shape) == 3 and "uint8" in str(array.dtype) and shape[2] in _LAST[1:] and min(shape[:2]) >= _SIDE:
        way = "permute(2, 0, 1)" if isinstance(array, Tensor) else "transpose(2, 0, 1)"
        raise ValueError(
            f"{name} must be a set [N, ...], got one picture {shape}; a set of one is {_colours(shape)}.{way}[None]"
        )


def finite_range(images: Tensor, name: str = "images") -> tuple[float, float]:
    """The least and the greatest value of floats; raises ValueError, with the count, for NaN and infinite ones."""
    low, high = (float(bound) for bound in images.aminmax())
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    bad = int((~images.isfinite()).sum())
    raise ValueError(
        f"{name} must be finite, got {bad} NaN or infinite of {images.numel()} values; remove or replace them"
    )


def require_unit_interval(
    images: Tensor, name: str = "images", *, reason: str = "", way_out: str = ""
) -> tuple[float, float]:
    """The least and the greatest value of floats in [0, 1].

    Raises ValueError where not all are there: how many, the range seen, and the way back. `reason` says in the message
    what needs [0, 1], and `way_out` what else there is to do.
    """
    low, high = finite_range(images, name)
    if low >= 0.0 and high <= 1.0:
        return low, high
    outside = int(((images < 0) | (images > 1)).sum())
    raise ValueError(
        f"{name} must hold floats in [0, 1]{reason}, got {outside} of {images.numel()} values outside, range "
        f"{_bound(low)}..{_bound(high)}; {pixels.advice(low, high)}{way_out}"
    )


def _bound(value: float) -> str:
    """A number in six digits, or in all of them where six put one outside [0, 1] inside."""
    text = f"{value:g}"
    return text if (0 <= value <= 1) == (0 <= float(text) <= 1) else repr(value)


def _require_kind(array, name: str) -> None:
    if isinstance(array, Tensor):
        supported = array.dtype == torch.uint8 or array.dtype in _FLOATS
    elif isinstance(array, np.ndarray):
        supported = array.dtype == np.uint8 or (array.dtype.kind == "f" and array.dtype.itemsize <= 8)
    else:
        how = "numpy.stack" if isinstance(array, list | tuple) else "numpy.asarray"
        given = type(array).__name__
        raise TypeError(f"{name} must be a numpy array or a torch tensor, got {given}; convert with {how}")
    if not supported:
        hint = pixels.dtype_advice(array)
        raise TypeError(f"{name} must be uint8 or floats in [0, 1], got dtype {array.dtype}; {hint}")


def _colours(shape: list[int]) -> str:
    """How a remedy names the images: without the alpha channel, where there is one."""
    return "images[..., :3]" if shape[-1] == 4 else "images"
