"""MNIST and Fashion-MNIST, read from the published idx files."""

from os import PathLike
from pathlib import Path

import numpy as np

from fastdaae.arrays import to_tensor
from fastdaae.data import places
from fastdaae.data.class_names import DIGITS, GARMENTS
from fastdaae.data.dataset import Dataset, Split, require_named
from fastdaae.data.formats.idx import read_idx

_CLASSES = {"mnist": DIGITS, "fashion-mnist": GARMENTS}
_TRAINING_FILE, _TEST_FILE, _VALIDATION = 60_000, 10_000, 10_000


def load_mnist(name: str, root: str | PathLike | None = None) -> Dataset:
    """MNIST or Fashion-MNIST (`name` "mnist" or "fashion-mnist"): images uint8 [N, 28, 28], labels int64 [N] in 0..9.

    The papers' split: the first 50,000 of the training file train, its last 10,000 validate, and the 10,000 of the
    test file test. The four idx files, gzipped or not, lie in `root`/`name` or in `root` itself; without `root`, in
    the folder that the environment variable FASTDAAE_DATA names. The classes have their published names. Raises
    FileNotFoundError for a missing file and ValueError for a damaged one.
    """
    return as_dataset(name, *read_files(name, root))


def read_files(name: str, root: str | PathLike | None) -> list[tuple[np.ndarray, np.ndarray]]:
    """(images uint8 [N, 28, 28], labels int64 [N]) of the training and of the test file; raises as `load_mnist`."""
    found = places.find(name, _choices("train", "images", 3), places.folders(name, root))
    # all four come from one folder, so that the images of one copy never meet the labels of another
    counts = {"train": _TRAINING_FILE, "t10k": _TEST_FILE}
    return [_read_pair(name, found.parent, part, count) for part, count in counts.items()]


def as_dataset(name: str, training: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> Dataset:
    """The papers' split of the two files' images and labels."""
    images, labels = map(to_tensor, training)
    cut = _TRAINING_FILE - _VALIDATION
    train, validation = Split(images[:cut], labels[:cut]), Split(images[cut:], labels[cut:])
    return Dataset(train, validation, Split(*map(to_tensor, test)), name, _CLASSES.get(name, DIGITS))


def _choices(part: str, kind: str, dimensions: int) -> tuple[str, str]:
    stem = f"{part}-{kind}-idx{dimensions}-ubyte"
    return stem, f"{stem}.gz"


def _read_pair(name: str, folder: Path, part: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    images_path = places.find(name, _choices(part, "images", 3), [folder])
    labels_path = places.find(name, _choices(part, "labels", 1), [folder])
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if len(images) != len(labels):
        raise ValueError(
            f"{labels_path} holds {len(labels)} labels, but {images_path} holds {len(images)} images; download "
            "both again"
        )
    if images.shape != (count, 28, 28):
        raise ValueError(
            f"{images_path} must hold {name}'s images [{count}, 28, 28], got {list(images.shape)}; download it again, "
            "or save your own images as .npy and pass its path"
        )
    numbers = labels.astype(np.int64)
    require_named(to_tensor(numbers), _CLASSES[name], f"labels in {labels_path}")
    return images, numbers
