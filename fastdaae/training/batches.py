"""Training data as tensors that live on the device, and the order in which an epoch visits them."""

import zlib

import numpy as np
import torch
from torch import Tensor

from fastdaae import arrays, pixels


def training_images(dataset) -> tuple[Tensor, Tensor | None]:
    """(training images, validation images or None) of a Dataset, a split, a tensor or an array; each [N, ...]."""
    train = getattr(dataset, "train", dataset)
    validation = getattr(dataset, "validation", None)
    return _images("dataset", train), None if validation is None else _images("validation", validation)


def _images(name: str, split) -> Tensor:
    images = getattr(split, "images", split)
    if isinstance(images, np.ndarray):
        images = arrays.to_tensor(images)
    images = torch.as_tensor(images, device=getattr(images, "device", "cpu"))
    if images.dim() < 2 or len(images) == 0:
        raise ValueError(f"{name} must hold images [N, ...] with N >= 1, got the shape {list(images.shape)}")
    if images.dtype == torch.uint8:
        return images
    if not images.is_floating_point():
        raise TypeError(f"{name} must be uint8 or floating, got {images.dtype}; {pixels.dtype_advice(images)}")
    return images.float()


def require_pixels(images: Tensor, loss: str | None) -> None:
    """Every value is finite, and in [0, 1] where the loss is BCE; raises ValueError with the count and the range."""
    if images.dtype == torch.uint8:
        return
    bad = int((~torch.isfinite(images)).sum())
    if bad:
        raise ValueError(f"dataset must be finite, got {bad} NaN or infinite pixels; remove or replace them")
    low, high = float(images.min()), float(images.max())
    if loss == "bce" and (low < 0 or high > 1):
        raise ValueError(
            f"dataset must be in [0, 1] for loss='bce', got values in [{low:g}, {high:g}]; "
            f"{pixels.advice(low, high)}; or use 'mse'"
        )


def fingerprint(images: Tensor) -> str:
    """A short description that differs when the data do: shape, dtype and CRC-32."""
    crc = zlib.crc32(images.contiguous().view(torch.uint8).numpy())
    return f"{'x'.join(map(str, images.shape))} {images.dtype} crc32 {crc:08x}".replace("torch.", "")


def epoch_order(count: int, seed: int, epoch: int) -> Tensor:
    """The permutation of an epoch, int64 [count], by seed and epoch alone, so that a resumed run repeats it."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % (1 << 63))
    return torch.randperm(count, generator=generator, dtype=torch.int64, device="cpu")
