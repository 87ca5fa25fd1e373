"""What a data set is: up to three splits of images, each with labels or without."""

from typing import NamedTuple

import numpy as np
import torch

from fastdaae import images, pixels
from fastdaae.arrays import to_tensor


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

    Takes uint8 or floating numpy arrays and tensors, [N, C, H, W], [N, H, W] or flat [N, D]; uint8 stays uint8 and
    shares memory where possible, floats become float32, and a tensor stays on its device. `name` is what errors call
    the array. Raises TypeError for another type or dtype, and ValueError for an empty set, fewer than 2 dimensions,
    channels last, NaN or infinite values, values outside [0, 1], or uint8 that are 0 and 1 alone; the message says how
    to mend what was seen.
    """
    tensor = images.as_set(array, name)
    if tensor.dtype != torch.uint8:
        images.require_unit_interval(tensor, name)
        tensor = tensor.to(torch.float32)
    if isinstance(array, torch.Tensor):
        return tensor
    tensor = tensor.contiguous()
    # this tensor is the user's, who may write to it
    shared = not array.flags.writeable and tensor.data_ptr() == array.ctypes.data
    return tensor.clone() if shared else tensor


def as_samples(array: np.ndarray | torch.Tensor, name: str = "samples") -> torch.Tensor:
    """A model's samples as points of the data's scale: [N, D] in the dtype they came in, uint8 (value / 255) or floats.

    As `as_images`, but values may stray from [0, 1] by 0.5, as those of a linear decoder do. Raises as `as_images`.
    """
    tensor = images.as_set(array, name)
    if tensor.dtype != torch.uint8:
        pixels.require_scale(*images.finite_range(tensor, name), name)
    return tensor.flatten(1)


def as_labels(labels: np.ndarray, count: int, name: str = "labels") -> torch.Tensor:
    """The labels as an int64 tensor [count], one for each image.

    Raises TypeError unless they are a numpy array of integers, and ValueError for any shape but [count].
    """
    if not (isinstance(labels, np.ndarray) and np.issubdtype(labels.dtype, np.integer)):
        given = f"dtype {labels.dtype}" if isinstance(labels, np.ndarray) else type(labels).__name__
        raise TypeError(f"{name} must be a numpy array of integers, got {given}; number the classes from 0")
    if labels.shape != (count,):
        raise ValueError(f"{name} must have shape [{count}], one for each image, got {list(labels.shape)}")
    return to_tensor(labels.astype(np.int64))
