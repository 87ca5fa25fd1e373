"""CUB-200-2011: photographs of birds of two hundred species, cropped to their bounding boxes."""

import math
from os import PathLike
from pathlib import Path

import numpy as np

from fastdaae.arrays import to_tensor
from fastdaae.data import places
from fastdaae.data.dataset import Dataset, Split
from fastdaae.data.formats.photographs import Photograph, read_photographs
from fastdaae.data.formats.tables import read_table
from fastdaae.reading import open_regular
from fastdaae.schema import printable

_SIDE = 128
_FIRST = "images.txt"


def load_cub(root: str | PathLike | None = None) -> Dataset:
    """CUB-200-2011: images uint8 [N, 3, 128, 128], labels int64 [N] in 0..199, the species with their published names.

    The published split: 5,994 train and 5,794 test; none validates. Every photograph is cropped to its bounding box and
    resized to a square (bilinear, antialiased), whatever the box's shape; grey ones become colour. Reads images.txt,
    image_class_labels.txt, train_test_split.txt, bounding_boxes.txt, classes.txt and the folder images of the unpacked
    CUB_200_2011.tgz below `root`. Raises FileNotFoundError for missing files, ValueError for damaged ones. Source: Wah
    et al., The Caltech-UCSD Birds-200-2011 Dataset, 2011; O. Jow's report on stacked denoising autoencoders.
    """
    folders = places.folders("cub-200", root)
    folder = places.find("cub-200", (_FIRST, "CUB_200_2011.tgz"), folders)
    if folder.name != _FIRST:
        raise ValueError(f"{folder} must be unpacked; run tar -xf {folder.name} in its folder")
    folder = folder.parent
    names = _column(folder / _FIRST)
    boxes, trains, labels = (
        _numbers(folder / f"{file}.txt", list(names), columns)
        for file, columns in (("bounding_boxes", 4), ("train_test_split", 1), ("image_class_labels", 1))
    )
    classes = tuple(_column(folder / "classes.txt").values())
    if set(trains[:, 0]) - {0, 1} or not trains.any():
        raise ValueError(f"{folder / 'train_test_split.txt'} must have 1 for training, 0 for test; download it again")
    if (labels % 1).any() or labels.min() < 1 or labels.max() > len(classes):
        raise ValueError(f"{folder / 'image_class_labels.txt'} must have classes 1..{len(classes)}; download it again")
    wanted = [Photograph(name, _box(*box)) for name, box in zip(names.values(), boxes.tolist(), strict=True)]
    place = folder / "images"
    images = read_photographs(place, wanted, lambda name: open_regular(place / name), _SIDE)
    numbers, training = labels[:, 0].astype(np.int64) - 1, trains[:, 0] == 1
    train, test = (
        Split(to_tensor(images[rows]), to_tensor(numbers[rows])) if rows.any() else None
        for rows in (training, ~training)
    )
    assert train is not None  # some rows train
    return Dataset(train, None, test, "cub-200", classes)


def _column(path: Path) -> dict[str, str]:
    """{number: the word beside it} of a file of two columns."""
    rows = read_table(path, 2)
    words = {number: word for number, word in rows}
    if len(words) < len(rows) or any(".." in word.split("/") or word.startswith("/") for word in words.values()):
        raise ValueError(f"{path} must have a number of its own and a name in each line; download it again")
    return {number: printable(word) for number, word in words.items()}


def _numbers(path: Path, keys: list[str], columns: int) -> np.ndarray:
    """The numbers beside each of the keys, float64 [keys, columns]."""
    found = {key: numbers for key, *numbers in read_table(path, 1 + columns)}
    try:
        table = np.array([found[key] for key in keys], dtype=np.float64)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path} must have {columns} numbers for each of {_FIRST}; download both again") from error
    if not np.isfinite(table).all() or abs(table).max() > 1 << 20:
        raise ValueError(f"{path} must have numbers of pixels or classes; download it again")
    return table


def _box(left: float, top: float, width: float, height: float) -> tuple[int, int, int, int]:
    first = math.floor(left), math.floor(top)
    return *first, first[0] + max(1, math.floor(width)), first[1] + max(1, math.floor(height))
