"""Argument checks of the operators: each error names the argument, what was expected, what was given and what to do."""

import math
from collections.abc import Sequence
from typing import overload

import numpy as np
import torch
from torch import Tensor

from fastdaae import arrays, corruptions
from fastdaae.activation import ACTIVATIONS, Activation
from fastdaae.arguments import is_number, whole, whole_in
from fastdaae.corruptions import Corruption
from fastdaae.corruptions.regions import has_regions, planes_of
from fastdaae.draw import Draw, draw_of
from fastdaae.kernels.memory import rows_of
from fastdaae.noise import Noise, require_rows

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
COPIES_LIMIT = 1 << 16
_FINITE_BLOCK = 1 << 22  # numbers checked at a time
_LARGEST_NORM = 1e150  # whose square, and what is summed of squares, stays well within float64


@overload
def as_tensor(name: str, x: Tensor | np.ndarray) -> Tensor: ...
@overload
def as_tensor(name: str, x: None) -> None: ...
def as_tensor(name: str, x: Tensor | np.ndarray | None) -> Tensor | None:
    """An array's own memory as a tensor, mapped files and read-only arrays too."""
    if not isinstance(x, np.ndarray):
        return x
    if x.dtype.kind not in "fu" or not x.dtype.isnative or x.dtype.itemsize > 8:
        raise TypeError(
            f"{name} must be uint8 (value / 255) or a floating dtype, got {x.dtype}; use .astype(np.float32)"
        )
    return arrays.to_tensor(x)


def shown(x) -> str:
    """An array or tensor in a few words: its kind and its shape."""
    return f"{'a tensor' if isinstance(x, Tensor) else 'an array'} {list(x.shape)}"


def require_batch(name: str, x: Tensor, *, floats_only: bool = False) -> None:
    """x is a tensor [N, ...] of uint8 or a floating dtype."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor [N, ...], got {type(x).__name__}; use torch.as_tensor")
    if x.dim() < 2:
        raise ValueError(f"{name} must have the shape [N, ...] with at least 2 dimensions, got {list(x.shape)}")
    if x.dtype not in FLOATS and (floats_only or x.dtype != torch.uint8):
        expected = "a floating dtype" if floats_only else "uint8 (value / 255) or a floating dtype"
        raise TypeError(f"{name} must be {expected}, got {x.dtype}; convert it with .float()")


def require_points(name: str, x: Tensor, *, distances: torch.dtype = torch.float64) -> None:
    """x is a set of finite points [N, D] with at least one row and one column, whose distances stay within a dtype."""
    require_batch(name, x)
    if x.dim() != 2:
        raise ValueError(f"{name} must have the shape [N, D], got {list(x.shape)}; use .flatten(1)")
    if x.numel() == 0:
        raise ValueError(f"{name} must not be empty, got the shape {list(x.shape)}")
    largest = require_finite(name, x)
    limit = min(_LARGEST_NORM, torch.finfo(distances).max / 2) / x.shape[1] ** 0.5
    if largest > limit:
        raise ValueError(
            f"{name} must not exceed {limit:.4g} in magnitude, so that distances of {x.shape[1]} columns fit "
            f"{distances}, got {largest:.4g}; scale them down"
        )


def require_pair(name: str, x: Tensor, queries: Tensor, *, distances: torch.dtype = torch.float64) -> None:
    """x and queries [Q, D] are such sets, of one width; there may be no queries."""
    require_points(name, x, distances=distances)
    require_batch("queries", queries)
    if queries.shape[0] or queries.dim() != 2:
        require_points("queries", queries, distances=distances)
    if queries.shape[1] != x.shape[1]:
        raise ValueError(f"queries must have {x.shape[1]} columns as {name} have, got {queries.shape[1]}")


def require_finite(name: str, x: Tensor) -> float:
    """The largest magnitude of x, finite. Raises ValueError for NaN and infinite values."""
    if x.dtype == torch.uint8 or not x.numel():
        return 0.0
    # NaN and infinity both reach an end of the range, which one pass finds without memory of its own
    largest = float(torch.stack(x.aminmax()).abs().max())
    if math.isfinite(largest):
        return largest
    blocks = x.split(max(1, _FINITE_BLOCK // max(1, x[:1].numel())))
    count = sum(int((~torch.isfinite(block)).sum()) for block in blocks)
    raise ValueError(f"{name} must be finite, got {count} NaN or infinite values; remove or replace them")


def require_bandwidths(name: str, bandwidths: list[float]) -> None:
    if not bandwidths or not all(math.isfinite(h) and h > 0 for h in bandwidths):
        raise ValueError(f"{name} must be finite and > 0, got {bandwidths}")
    outside = [h for h in bandwidths if not 1e-150 <= h <= 1e150]
    if outside:
        raise ValueError(
            f"{name} must be in 1e-150..1e+150, so that squares fit torch.float64, got {outside[0]:.4g}; "
            "rescale the data and the bandwidths"
        )


def require_noise(corruption, noise: Noise) -> None:
    corruptions.require(corruption)
    if not isinstance(noise, Noise):
        raise TypeError(f"noise must be a fastdaae.Noise, got {type(noise).__name__}; use fastdaae.Noise(seed)")


def require_device(name: str, x: Tensor, noise: Noise) -> None:
    if isinstance(noise, Noise) and noise.state.device != x.device:
        raise ValueError(
            f"noise must be on the device of {name}, {x.device}, got {noise.state.device}; use noise.to(...)"
        )


def as_draw(
    corruption: Corruption | None,
    noise: Noise,
    rows: int,
    image: Sequence[int] | None = None,
    copies: int = 1,
    row_offset: int = 0,
    site: int = 0,
) -> Draw:
    """The draw for so many rows of samples of the shape `image` (None: not known yet); raises for what does not fit."""
    require_noise(corruption, noise)
    copies, row_offset, site = whole("copies", copies), whole("row_offset", row_offset), whole("site", site)
    if not 1 <= copies <= COPIES_LIMIT:
        raise ValueError(f"copies must be in 1..{COPIES_LIMIT}, got {copies}")
    if not 0 <= site < 1 << 16:
        raise ValueError(f"site must be in 0..65535, got {site}")
    require_rows(row_offset, rows)
    if image is not None and has_regions(corruption):
        planes_of(corruption, image)
    return draw_of(corruption, () if image is None else tuple(image), copies, row_offset, site)


def as_image(corruption: Corruption | None, image_shape: Sequence[int] | None) -> tuple[int, ...] | None:
    """The shape of the images of a corruption that needs it, None for another one or where it is not said."""
    if image_shape is None or not has_regions(corruption):
        return None
    return tuple(whole_in(f"image_shape[{place}]", size, 1) for place, size in enumerate(image_shape))


def as_batch(
    x: Tensor, corruption, noise: Noise, index: Tensor | None, copies: int, row_offset: int, site: int
) -> tuple[Tensor | None, Draw]:
    """The index and the draw of a batch x [N, ...] on the device of the noise; raises for what does not fit."""
    require_batch("x", x)
    require_device("x", x, noise)
    index = as_index(index, x)
    return index, as_draw(corruption, noise, rows_of(x, index), x.shape[1:], copies, row_offset, site)


def as_index(index: Tensor | None, x: Tensor) -> Tensor | None:
    """An index [N] of rows of x, contiguous as the kernels read it."""
    if index is None:
        return None
    if not isinstance(index, Tensor) or index.dtype != torch.int64 or index.dim() != 1:
        got = f"{index.dtype} {list(index.shape)}" if isinstance(index, Tensor) else type(index).__name__
        raise TypeError(f"index must be an int64 tensor [N] of row numbers of x, got {got}")
    if index.device != x.device:
        raise ValueError(f"index must be on the device of x, {x.device}, got {index.device}")
    return index.contiguous()


def as_activation(activation: str, slope: float, weight: Tensor, bias: Tensor | None, inputs: int) -> Activation:
    """The activation of a layer whose weight [H, inputs] and bias [H] fit; raises ValueError for another."""
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(map(repr, ACTIVATIONS))}, got {activation!r}")
    if not (is_number(slope) and 0 <= slope < math.inf):
        raise ValueError(f"slope must be a finite number >= 0, got {slope!r}")
    if weight.dim() != 2 or weight.shape[1] != inputs:
        raise ValueError(f"weight must have the shape [H, {inputs}] to fit its input, got {list(weight.shape)}")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"bias must have the shape [{weight.shape[0]}] to fit weight, got {list(bias.shape)}")
    return Activation(activation, float(slope) if activation == "leaky_relu" else 0.0)
