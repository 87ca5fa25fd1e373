"""MNIST and Fashion-MNIST, read from the published idx files."""

import os
from os import PathLike
from pathlib import Path

import numpy as np
import torch

from fastdaae.arrays import to_tensor
from fastdaae.data.class_names import DIGITS, GARMENTS
from fastdaae.data.dataset import Dataset, Split, require_named
from fastdaae.data.idx import read_idx

PUBLISHED = {
    "mnist": "yann.lecun.com/exdb/mnist",
    "fashion-mnist": "github.com/zalandoresearch/fashion-mnist",
}
CLASSES = {"mnist": DIGITS, "fashion-mnist": GARMENTS}
TRAINING_FILE, TEST_FILE, VALIDATION = 60_000, 10_000, 10_000


def load_mnist(name: str, root: str | PathLike | None = None) -> Dataset:
    """MNIST or Fashion-MNIST (`name` "mnist" or "fashion-mnist"): images uint8 [N, 28, 28], labels int64 [N] in 0..9.

    The papers' split: the first 50,000 of the training file train, its last 10,000 validate, and the 10,000 of the
    test file test. The four idx files, gzipped or not, lie in `root`/`name` or in `root` itself; without `root`, in
    the folder that the environment variable FASTDAAE_DATA names. The classes have their published names. Raises
    FileNotFoundError for a missing file and
    ValueError for a damaged one.
    """
    folders = _folders(name, root)
    # all four come from one folder, so that the images of one copy never meet the labels of another
    folder = _find(name, "train-images-idx3-ubyte", folders).parent
    images, labels = _read_pair(name, folder, "train", TRAINING_FILE)
    test = Split(*_read_pair(name, folder, "t10k", TEST_FILE))
    cut = TRAINING_FILE - VALIDATION
    return Dataset(Split(images[:cut], labels[:cut]), Split(images[cut:], labels[cut:]), test, name, CLASSES[name])


def _folders(name: str, root: str | PathLike | None) -> list[Path]:
    base = os.environ.get("FASTDAAE_DATA", "") if root is None else root
    if base == "":
        return []
    base = Path(os.path.expanduser(base))
    # both sets use the same file names: a folder named after the other set is not searched
    other = base.resolve().name.lower() in PUBLISHED.keys() - {name}
    return [base / name] if other else [base / name, base]


def _find(name: str, stem: str, folders: list[Path]) -> Path:
    for folder in folders:
        for path in (folder / stem, folder / f"{stem}.gz"):
            if path.is_file():
                return path
    looked = f"not found in {' or '.join(map(str, folders))}" if folders else "no folder to look in"
    raise FileNotFoundError(
        f"{name} needs {stem} or {stem}.gz: {looked}; download it from {PUBLISHED[name]} and pass root= or set "
        "FASTDAAE_DATA to its folder"
    )


def _read_pair(name: str, folder: Path, part: str, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    images_path = _find(name, f"{part}-images-idx3-ubyte", [folder])
    labels_path = _find(name, f"{part}-labels-idx1-ubyte", [folder])
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
    numbers = to_tensor(labels.astype(np.int64))
    require_named(numbers, CLASSES[name], f"labels in {labels_path}")
    return to_tensor(images), numbers
