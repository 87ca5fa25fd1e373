"""Training data as tensors that live on the device, and the order in which an epoch visits them."""

import warnings
import zlib
from collections.abc import Mapping
from os import PathLike

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data import Dataset as TorchDataset

from fastdaae import images, pixels
from fastdaae.corruptions import Corruption, Gaussian, Patches, SaltAndPepper


def training_images(dataset) -> tuple[Tensor, Tensor | None]:
    """(training images, validation images or None) of a Dataset, a split, a tensor or an array; each [N, ...].

    A `torch.utils.data.TensorDataset` is its first tensor. Raises TypeError, with the remedy, for anything else, and
    ValueError for images that `fastdaae.images.as_set` refuses or validation images of another shape.
    """
    if isinstance(dataset, TensorDataset):
        dataset = dataset.tensors[0]
    _require_images(dataset)
    train = _images("dataset", getattr(dataset, "train", dataset))
    if getattr(dataset, "validation", None) is None:
        return train, None
    validation = _images("validation", dataset.validation)
    if validation.shape[1:] != train.shape[1:]:
        raise ValueError(
            f"validation must have images of shape {list(train.shape[1:])} like the training images, got "
            f"{list(validation.shape[1:])}; resize them"
        )
    return train, validation


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


def fingerprint(images: Tensor) -> str:
    """A short description that differs when the data do: shape, dtype and CRC-32."""
    crc = zlib.crc32(images.contiguous().view(torch.uint8).numpy(force=True).data)
    return f"{'x'.join(map(str, images.shape))} {images.dtype} crc32 {crc:08x}".replace("torch.", "")


def epoch_order(count: int, seed: int, epoch: int) -> Tensor:
    """The permutation of an epoch, int64 [count], by seed and epoch alone, so that a resumed run repeats it."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % (1 << 63))
    return torch.randperm(count, generator=generator, dtype=torch.int64, device="cpu")
