"""Users' own images: an .npy or .npz file, or a folder of image files."""

import os
from pathlib import Path

import numpy as np
import torch

from fastdaae.arrays import to_tensor
from fastdaae.data.arrays import read_arrays
from fastdaae.data.dataset import Dataset, Split, as_classes, as_images, as_labels, require_named
from fastdaae.data.pictures import IMAGE_SUFFIXES, read_pictures
from fastdaae.schema import printable

MINIMUM_IMAGES = 10
_PARTS = ("train", "validation", "test")
_LABEL_KEYS = ("labels", "y")
_CLASSES = "classes"


def load_arrays(path: str | os.PathLike) -> Dataset:
    """The images of an .npy or .npz file, uint8 or floats in [0, 1], in the shape they were saved in: [N, ...].

    An .npz holds either one array of images (`images`, `x`, or any name if it is the only one) with optional labels
    (`labels` or `y`, integers [N]), split 80/10/10 like `load_folder`; or `train_images` and optionally
    `validation_images` and `test_images`, with optional `train_labels` and so on, taken as they are. Beside labels,
    `classes` may hold their names: texts [K], of the labels 0, 1, ... Pickled objects are never loaded. Raises
    ValueError or TypeError for a damaged file, other names, unfit values (see `as_images`), labels without a name where
    there are names, or fewer than 10 images to split.
    """
    path = Path(path)
    arrays = read_arrays(path)
    dataset = _from_arrays(arrays, path)
    return _with_classes(dataset, arrays[_CLASSES], path) if _CLASSES in arrays else dataset


def _from_arrays(arrays: dict[str, np.ndarray], path: Path) -> Dataset:
    if any(key in arrays for part in _PARTS for key in (f"{part}_images", f"{part}_labels")):
        return _explicit_splits(arrays, path)
    image_keys = [key for key in arrays if key not in (*_LABEL_KEYS, _CLASSES)]
    label_keys = [key for key in arrays if key in _LABEL_KEYS]
    if len(image_keys) != 1 or len(label_keys) > 1:
        raise _unexpected_keys(arrays, path)
    images = as_images(arrays[image_keys[0]], f"{image_keys[0]} in {path}")
    labels = None
    if label_keys:
        labels = as_labels(arrays[label_keys[0]], len(images), f"{label_keys[0]} in {path}")
    return _split(images, labels, path)


def _with_classes(dataset: Dataset, names: np.ndarray, path: Path) -> Dataset:
    classes = as_classes(names, f"{_CLASSES} in {path}")
    labels = [split.labels for split in (dataset.train, dataset.validation, dataset.test) if split is not None]
    if all(part is None for part in labels):
        raise ValueError(f"{_CLASSES} in {path} must come with labels, got none; add labels, or drop {_CLASSES}")
    for part in labels:
        require_named(part, classes, f"labels in {path}")
    return dataset._replace(classes=classes)


def load_folder(path: str | os.PathLike) -> Dataset:
    """All png, jpg, jpeg, bmp and webp images below a folder, sorted by relative path: uint8 [N, H, W] or [N, 3, H, W].

    All must have one size and be all grey or all RGB. When every image is in a subfolder, label i (int64) is the
    i-th of the sorted subfolder names, which are the classes. Hidden files and linked folders are left out. Split
    80/10/10 by a fixed permutation (`numpy.random.default_rng(0)`): n // 10 images test, the next n // 10 validate, the
    others train. Raises ValueError for an unreadable image, mixed sizes or colours, more than the free memory holds,
    subfolders named train and test, or fewer than 10 images; OSError for a folder that cannot be read.
    """
    folder = Path(path)
    paths = _image_paths(folder)
    _require_enough(len(paths), folder)
    labels, classes = _subfolder_labels(paths, folder)
    return _split(to_tensor(read_pictures(paths)), labels, folder)._replace(classes=classes)


def _explicit_splits(arrays: dict[str, np.ndarray], path: Path) -> Dataset:
    allowed = {_CLASSES} | {f"{part}_{kind}" for part in _PARTS for kind in ("images", "labels")}
    orphans = [part for part in _PARTS if f"{part}_labels" in arrays and f"{part}_images" not in arrays]
    if "train_images" not in arrays or orphans or not arrays.keys() <= allowed:
        raise _unexpected_keys(arrays, path)
    splits = {part: _named_split(arrays, part, path) for part in _PARTS}
    train = splits.pop("train")
    assert train is not None  # its key is there
    shape = train.images.shape[1:]
    for part, split in splits.items():
        if split is not None and split.images.shape[1:] != shape:
            raise ValueError(
                f"{part}_images in {path} must have images of shape {list(shape)} like train_images, got "
                f"{list(split.images.shape[1:])}; resize them"
            )
    return Dataset(train, splits["validation"], splits["test"], path.stem)


def _named_split(arrays: dict[str, np.ndarray], part: str, path: Path) -> Split | None:
    if f"{part}_images" not in arrays:
        return None
    images = as_images(arrays[f"{part}_images"], f"{part}_images in {path}")
    labels = arrays.get(f"{part}_labels")
    return Split(images, None if labels is None else as_labels(labels, len(images), f"{part}_labels in {path}"))


def _unexpected_keys(arrays: dict[str, np.ndarray], path: Path) -> ValueError:
    return ValueError(
        f"{path} must hold one array of images (images or x) with optional labels (labels or y), or train_images "
        "with optional validation_images, test_images and *_labels, and beside labels perhaps classes, got "
        f"{', '.join(sorted(arrays)) or 'nothing'}; rename or drop arrays"
    )


def _split(images: torch.Tensor, labels: torch.Tensor | None, path: Path) -> Dataset:
    _require_enough(len(images), path)
    order = to_tensor(np.random.default_rng(0).permutation(len(images)))
    held_out = len(images) // 10
    test, validation, train = order.split([held_out, held_out, len(images) - 2 * held_out])

    def split(part: torch.Tensor) -> Split:
        return Split(images[part], None if labels is None else labels[part])

    return Dataset(split(train), split(validation), split(test), path.stem)


def _require_enough(count: int, path: Path) -> None:
    if count < MINIMUM_IMAGES:
        kinds = f" ({', '.join(IMAGE_SUFFIXES)})" if path.is_dir() else ""
        raise ValueError(
            f"{path} must hold at least {MINIMUM_IMAGES} images{kinds} to be split 80/10/10, got {count}; add images, "
            "or save an .npz with train_images"
        )


def _image_paths(folder: Path) -> list[Path]:
    def unreadable(error: OSError) -> None:
        raise error  # os.walk would leave the folder out

    paths = []
    for parent, subfolders, files in os.walk(folder, onerror=unreadable):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        names = (name for name in files if not name.startswith(".") and name.lower().endswith(IMAGE_SUFFIXES))
        paths += [Path(parent, name) for name in names]
    return sorted(paths, key=lambda path: path.relative_to(folder).as_posix())


def _subfolder_labels(paths: list[Path], folder: Path) -> tuple[torch.Tensor, tuple[str, ...]] | tuple[None, None]:
    tops = [path.relative_to(folder).parts[0] for path in paths]
    names = sorted(set(tops))
    if {"train", "test"} <= set(names):
        raise ValueError(
            f"{folder} has subfolders train and test, which would be mixed up as labels; save an .npz with "
            "train_images and test_images to keep them apart"
        )
    if any(path.parent == folder for path in paths):
        return None, None
    labels = torch.tensor([names.index(top) for top in tops], dtype=torch.int64, device="cpu")
    return labels, tuple(map(printable, names))
