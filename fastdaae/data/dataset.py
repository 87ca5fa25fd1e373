"""What a data set is: up to three splits of images, each with labels or without."""

import math
from typing import NamedTuple

import numpy as np
import torch

from fastdaae import arrays, pixels
from fastdaae.arrays import to_tensor

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


class Split(NamedTuple):
    """One part of a data set: `images` [N, ...] as published (grey [N, H, W], colour [N, 3, H, W]) and `labels` [N].

    Images are uint8 tensors, meaning value / 255, or float32 tensors in [0, 1]; labels are int64, or None without any.
    """

    images: torch.Tensor
    labels: torch.Tensor | None = None


class Dataset(NamedTuple):
    """The parts that an experiment keeps apart: train, validation and test (None where absent), and the set's name.

    `classes` are the names of the labels 0, 1, ..., or None where they have none.
    """

    train: Split
    validation: Split | None
    test: Split | None
    name: str
    classes: tuple[str, ...] | None = None


def as_images(array: np.ndarray | torch.Tensor, name: str = "images") -> torch.Tensor:
    """The array as image data that models accept: a uint8 tensor [N, ...] (value / 255), or float32 in [0, 1].

    Takes uint8 or floating numpy arrays and tensors; uint8 stays uint8 and shares memory where possible, floats
    become float32, and a tensor stays on its device. `name` is what errors call the array. Raises TypeError for
    another type or dtype, and ValueError for an empty set, fewer than 2 dimensions, NaN or infinite values, values
    outside [0, 1], or uint8 that are 0 and 1 alone; the message says how to rescale what was seen.
    """
    tensor = _as_sets(array, name)
    if tensor.dtype == torch.uint8:
        return tensor
    _require_unit_interval(tensor, name)
    return tensor.to(torch.float32)


def as_samples(array: np.ndarray | torch.Tensor, name: str = "samples") -> torch.Tensor:
    """A model's samples as points of the data's scale: [N, D] in the dtype they came in, uint8 (value / 255) or floats.

    As `as_images`, but values may stray from [0, 1] by 0.5, as those of a linear decoder do. Raises as `as_images`.
    """
    tensor = _as_sets(array, name)
    if tensor.dtype != torch.uint8:
        low, high = _finite_range(tensor, name)
        pixels.require_scale(low, high, name)
    return tensor.flatten(1)


def as_labels(labels: np.ndarray, count: int, name: str = "labels") -> torch.Tensor:
    """The labels as an int64 tensor [count], one for each image.

    Raises TypeError unless they are a numpy array of integers, and ValueError for any shape but [count].
    """
    if not (isinstance(labels, np.ndarray) and np.issubdtype(labels.dtype, np.integer)):
        given = f"dtype {labels.dtype}" if isinstance(labels, np.ndarray) else type(labels).__name__
        raise TypeError(f"{name} must be a numpy array of integers, got {given}; number the classes from 0")
    if labels.shape != (count,):
        raise ValueError(f"{name} must have shape [{count}], one for each image, got {_shape(labels)}")
    return to_tensor(labels.astype(np.int64))


def _as_sets(array: np.ndarray | torch.Tensor, name: str) -> torch.Tensor:
    tensor = _as_tensor(array, name)
    if tensor.ndim < 2:
        raise ValueError(f"{name} must have at least 2 dimensions [N, ...], got {_shape(tensor)}; reshape to [N, D]")
    if tensor.numel() == 0:
        raise ValueError(f"{name} must hold at least one image of one pixel, got shape {_shape(tensor)}; drop this set")
    if tensor.dtype == torch.uint8 and int(tensor.max()) == 1:
        raise ValueError(f"{name} must be uint8 grey levels 0..255, got 0..1; multiply by 255, or save as floats")
    return tensor


def _as_tensor(array: np.ndarray | torch.Tensor, name: str) -> torch.Tensor:
    if not isinstance(array, np.ndarray | torch.Tensor):
        given = type(array).__name__
        raise TypeError(f"{name} must be a numpy array or a torch tensor, got {given}; convert with numpy.asarray")
    if isinstance(array, torch.Tensor):
        supported = array.dtype == torch.uint8 or array.dtype in _FLOATS
    else:
        supported = array.dtype == np.uint8 or (array.dtype.kind == "f" and array.dtype.itemsize <= 8)
    if not supported:
        hint = pixels.dtype_advice(array)
        raise TypeError(f"{name} must be uint8 or floats in [0, 1], got dtype {array.dtype}; {hint}")
    if isinstance(array, torch.Tensor):
        return array.detach()
    # a copy of what may not be written, for this tensor is the user's
    return arrays.to_tensor(np.require(array, requirements=["C", "W"]).reshape(array.shape))


def _require_unit_interval(tensor: torch.Tensor, name: str) -> None:
    low, high = _finite_range(tensor, name)
    if low >= 0.0 and high <= 1.0:
        return
    outside = int(((tensor < 0) | (tensor > 1)).sum())
    raise ValueError(
        f"{name} must hold floats in [0, 1], got {outside} of {tensor.numel()} values outside, range "
        f"{low:g}..{high:g}; {pixels.advice(low, high)}"
    )


def _finite_range(tensor: torch.Tensor, name: str) -> tuple[float, float]:
    low, high = (float(bound) for bound in tensor.aminmax())
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    bad = int((~tensor.isfinite()).sum())
    raise ValueError(
        f"{name} must be finite, got {bad} NaN or infinite of {tensor.numel()} values; remove or replace them"
    )


def _shape(array: np.ndarray | torch.Tensor) -> list[int]:
    return list(array.shape)
