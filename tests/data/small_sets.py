"""Small data sets for tests, as arrays and as files, and how a refusal looks."""

import re
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fastdaae import data

RNG = np.random.default_rng(1)
GREY = RNG.integers(0, 256, (25, 6, 5), dtype=np.uint8)
LABELS = np.arange(25) % 3


def idx_bytes(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def save_images(folder: Path, images: np.ndarray, names: list[str]) -> None:
    for image, name in zip(images, names, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / name)


def refuses(call, message: str, kind: type[Exception] = ValueError) -> None:
    """The call raises exactly this kind, and one line that holds the message."""
    with pytest.raises(kind, match=re.escape(message)) as caught:
        call()
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


def assert_split_80_10_10(dataset: data.Dataset, images: np.ndarray, labels: np.ndarray | None) -> None:
    order = np.random.default_rng(0).permutation(len(images))
    held_out = len(images) // 10
    rows = (order[2 * held_out :], order[held_out : 2 * held_out], order[:held_out])
    for split, part in zip(dataset[:3], rows, strict=True):
        np.testing.assert_array_equal(split.images.numpy(), images[part])
        if labels is None:
            assert split.labels is None
        else:
            assert split.labels.dtype == torch.int64 and split.labels.tolist() == labels[part].tolist()
