"""Users' own images in an .npy or .npz file."""

import os
from pathlib import Path

import numpy as np

from fastdaae.data.dataset import Dataset, Split, as_classes, as_images, as_labels, require_named
from fastdaae.data.formats.arrays import read_arrays
from fastdaae.data.splitting import split_80_10_10

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
    return split_80_10_10(images, labels, path)


def _with_classes(dataset: Dataset, names: np.ndarray, path: Path) -> Dataset:
    classes = as_classes(names, f"{_CLASSES} in {path}")
    labels = [split.labels for split in (dataset.train, dataset.validation, dataset.test) if split is not None]
    if all(part is None for part in labels):
        raise ValueError(f"{_CLASSES} in {path} must come with labels, got none; add labels, or drop {_CLASSES}")
    for part in labels:
        require_named(part, classes, f"labels in {path}")
    return dataset._replace(classes=classes)


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
