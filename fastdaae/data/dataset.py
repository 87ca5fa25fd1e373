"""What a data set is: up to three splits of images, each with labels or without."""

from typing import NamedTuple

import numpy as np
import torch

from fastdaae import images, pixels
from fastdaae.arrays import to_tensor
from fastdaae.schema import printable, shortened

_SHOWN = 20  # names of classes or attributes that a printed data set lists


class Split(NamedTuple):
    """One part of a data set: `images` [N, ...] as published (grey [N, H, W], colour [N, 3, H, W]) and `labels` [N].

    Images are uint8 tensors, meaning value / 255, or float32 tensors in [0, 1]; labels are int64, or None without any.
    `attributes` are what may hold of an image beside its class, bool [N, A], or None.
    """

    images: torch.Tensor
    labels: torch.Tensor | None = None
    attributes: torch.Tensor | None = None

    def __repr__(self) -> str:
        return f"Split of {_told(self)}"


class Dataset(NamedTuple):
    """The parts that an experiment keeps apart: train, validation and test (None where absent), and the set's name.

    `classes` are the names of the labels 0, 1, ..., or None where they have none, and `attributes` those of the columns
    of each split's attributes. `evaluation` holds classes that are in none of the others, as Omniglot's, or is None.
    Printed, it is a table of its parts.
    """

    train: Split
    validation: Split | None
    test: Split | None
    name: str
    classes: tuple[str, ...] | None = None
    attributes: tuple[str, ...] | None = None
    evaluation: Split | None = None

    def __repr__(self) -> str:
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        parts |= {} if self.evaluation is None else {"evaluation": self.evaluation}
        told = [f"Dataset {self.name!r}", *(f"{name:10}  {_told(part)}" for name, part in parts.items())]
        for kind, names in (("classes", self.classes), ("attributes", self.attributes)):
            if names is not None:
                shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
                told.append(f"{kind:10}  {len(names)}: {shown}")
        return "\n  ".join(told)


def _told(split) -> str:
    """A split, or images alone, in a few words; whatever stands in their place by its type."""
    if split is None:
        return "none"
    images, labels = getattr(split, "images", split), getattr(split, "labels", None)
    shape = list(getattr(images, "shape", ()))
    if not shape or 0 in shape:
        return f"{type(images).__name__} {shape}"
    dtype = str(images.dtype).removeprefix("torch.")
    scale = "uint8 (value / 255)" if dtype == "uint8" else f"{dtype} in {_range(images)}"
    of_classes = "no labels" if labels is None else f"labels {_range(labels)}"
    return f"{shape[0]:,} images {shape[1:]}, {scale}, {of_classes}"


def _range(numbers) -> str:
    if not hasattr(numbers, "min") or 0 in numbers.shape:
        return f"in a {type(numbers).__name__}"
    return f"{float(numbers.min()):g}..{float(numbers.max()):g}"


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


def as_classes(names: np.ndarray, name: str = "classes") -> tuple[str, ...]:
    """The names of the labels 0, 1, ... from a numpy array of texts [K].

    Raises TypeError for an array of something else, and ValueError unless the names are a list of different ones.
    """
    if names.dtype.kind != "U":
        raise TypeError(
            f"{name} must be a numpy array of texts, got dtype {names.dtype}; use numpy.array(['cat', ...])"
        )
    texts = [printable(text) for text in names.ravel().tolist()]
    if names.ndim != 1 or not all(texts) or len(set(texts)) < len(texts) or not texts:
        raise ValueError(f"{name} must be one name for each label, all different, got {shortened(names.tolist())}")
    return tuple(texts)


def require_named(labels: torch.Tensor | None, classes: tuple[str, ...], name: str = "labels") -> None:
    """Raises ValueError for labels that are not the place of a name in `classes`."""
    if labels is None:
        return
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= len(classes):
        raise ValueError(
            f"{name} must be in 0..{len(classes) - 1}, the places of the {len(classes)} classes, got {low}..{high}; "
            "name every class, or number the labels from 0"
        )
