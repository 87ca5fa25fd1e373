"""Training data as tensors that live on the device, and the order in which an epoch visits them."""

import warnings
import zlib
from collections.abc import Mapping
from os import PathLike
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data import Dataset as TorchDataset

from fastdaae import arrays, images, pixels
from fastdaae.corruptions import Corruption, Gaussian, Patches, SaltAndPepper

_WHOLE = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


class Examples(NamedTuple):
    """What a model is trained on or validated with: images [N, ...] and, where it takes them, int64 labels [N]."""

    images: Tensor
    labels: Tensor | None = None

    def to(self, device: torch.device) -> "Examples":
        """The same on a device."""
        return Examples(self.images.to(device), None if self.labels is None else self.labels.to(device))

    def rows(self, which: Tensor | slice) -> "tuple[Tensor, dict[str, Tensor]]":
        """(images, {"labels": labels} or {}) of some rows, as a model's methods take them."""
        return self.images[which], {} if self.labels is None else {"labels": self.labels[which]}


def training_examples(dataset, labelled: bool = False) -> tuple[Examples, Examples | None]:
    """(training, validation or None) of a Dataset, a split, a tensor or an array; images [N, ...].

    A `torch.utils.data.TensorDataset` is its first tensor and, for labels, its second. Raises TypeError, with the
    remedy, for anything else, and ValueError for images that `fastdaae.images.as_set` refuses, for validation images of
    another shape, and where `labelled` for labels that are missing or are not one whole number for each image.
    """
    if isinstance(dataset, TensorDataset):
        images, *more = dataset.tensors
        dataset = Examples(images, more[0] if more else None)
    _require_images(dataset)
    train = _examples("dataset", getattr(dataset, "train", dataset), labelled)
    if getattr(dataset, "validation", None) is None:
        return train, None
    validation = _examples("validation", dataset.validation, labelled)
    if validation.images.shape[1:] != train.images.shape[1:]:
        raise ValueError(
            f"validation must have images of shape {list(train.images.shape[1:])} like the training images, got "
            f"{list(validation.images.shape[1:])}; resize them"
        )
    return train, validation


def _examples(name: str, split, labelled: bool) -> Examples:
    images = _images(name, split)
    if not labelled:
        return Examples(images)
    labels = getattr(split, "labels", None)
    if labels is None:
        raise ValueError(
            f"{name} must have labels, which the model's step takes, got images alone; pass "
            "fd.data.Split(images, labels), or a Dataset that has them"
        )
    of = "labels" if name == "dataset" else f"{name} labels"
    return Examples(images, as_labels(labels, len(images), of))


def as_labels(labels, count: int, name: str = "labels") -> Tensor:
    """Labels, a tensor or an array of whole numbers, as int64 [count]; raises TypeError and ValueError for others."""
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "iu":
        labels = arrays.to_tensor(labels.astype(np.int64))
    if not (isinstance(labels, Tensor) and labels.dtype in _WHOLE):
        given = f"dtype {labels.dtype}" if hasattr(labels, "dtype") else type(labels).__name__
        raise TypeError(f"{name} must be a tensor or array of whole numbers, got {given}; number the classes from 0")
    if labels.shape != (count,):
        raise ValueError(f"{name} must have shape [{count}], one for each image, got {list(labels.shape)}")
    return labels.detach().to(torch.int64)


def _require_images(dataset) -> None:
    """Raises TypeError for what a person may bring instead of images, and says how to make images of it."""
    if isinstance(dataset, TorchDataset):
        remedy = "pass all of it at once, torch.stack([image for image, *_ in dataset])"
    elif isinstance(dataset, Tensor | np.ndarray) or hasattr(dataset, "train") or hasattr(dataset, "images"):
        return
    elif isinstance(dataset, str | PathLike):
        remedy = f"pass fd.data.load({str(dataset)!r})"
    elif isinstance(dataset, DataLoader):
        # a loader of bare images gives batches, not lists that begin with them
        bare = isinstance(dataset.dataset, Tensor | np.ndarray | list)
        whole = "torch.cat(list(loader))" if bare else "torch.cat([images for images, *_ in loader])"
        remedy = f"the Trainer makes its own batches: pass all of it at once, {whole}"
    elif isinstance(dataset, tuple):
        remedy = "pass the training images alone, or Dataset(Split(train), None, Split(test), 'name') of fd.data"
    elif isinstance(dataset, list):
        remedy = "pass numpy.stack(images)"
    else:
        remedy = "pass its images alone" if isinstance(dataset, Mapping) else "convert it with numpy.asarray"
    given = type(dataset).__name__
    raise TypeError(f"dataset must be a Dataset, a Split, or images as one tensor or array, got {given}; {remedy}")


def _images(name: str, split) -> Tensor:
    found = images.as_set(getattr(split, "images", split), name)
    return (found if found.dtype == torch.uint8 else found.float()).contiguous()


def require_pixels(x: Tensor, loss: str | None, name: str = "dataset") -> tuple[float, float]:
    """The least and the greatest value of x; of uint8, which is not looked at, 0 and 1.

    Raises ValueError for floats that are not finite, or not in [0, 1] where the loss is BCE.
    """
    if x.dtype == torch.uint8:
        return 0.0, 1.0
    if loss == "bce":
        return images.require_unit_interval(x, name, reason=" for loss='bce'", way_out="; or use loss='mse'")
    return images.finite_range(x, name)


def warn_of_other_units(low: float, high: float, corruption: Corruption | None, name: str = "dataset") -> None:
    """Warns where values low..high look like grey levels 0..255, and the corruption like one of [0, 1] pixels."""
    if pixels.are_grey_levels(low, high) and 0 < _reach(corruption) <= 1:
        warnings.warn(
            f"{name} has values in {low:g}..{high:g}, and {corruption}, which is in units of x, looks made for [0, 1]; "
            "divide the images by 255 or save them as uint8, or give sigma and bounds in grey levels",
            stacklevel=3,
        )


def _reach(corruption: Corruption | None) -> float:
    """The greatest number of a corruption that is in units of x; 0 where none is."""
    if isinstance(corruption, Gaussian):
        return max([corruption.sigma, *(corruption.clip or ())])
    if isinstance(corruption, Patches):
        return corruption.fill
    return corruption.high if isinstance(corruption, SaltAndPepper) else 0.0


def fingerprint(images: Tensor, labels: Tensor | None = None) -> str:
    """A short description that differs when the data do: shape, dtype and CRC-32, and with labels theirs."""
    told = f"{'x'.join(map(str, images.shape))} {images.dtype} crc32 {_crc(images)}".replace("torch.", "")
    return told if labels is None else f"{told} labels crc32 {_crc(labels)}"


def _crc(numbers: Tensor) -> str:
    return f"{zlib.crc32(numbers.contiguous().view(torch.uint8).numpy(force=True).data):08x}"


def epoch_order(count: int, seed: int, epoch: int) -> Tensor:
    """The permutation of an epoch, int64 [count], by seed and epoch alone, so that a resumed run repeats it."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % (1 << 63))
    return torch.randperm(count, generator=generator, dtype=torch.int64, device="cpu")
