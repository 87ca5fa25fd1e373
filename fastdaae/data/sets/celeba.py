"""CelebA: aligned photographs of faces with forty attributes, shrunk as they are read."""

import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import BinaryIO

import numpy as np

from fastdaae.arguments import whole_in
from fastdaae.arrays import to_tensor
from fastdaae.data import places
from fastdaae.data.class_names import CELEBA_ATTRIBUTES
from fastdaae.data.dataset import Dataset, Split
from fastdaae.data.formats.photographs import Photograph, read_photographs
from fastdaae.data.formats.tables import read_table
from fastdaae.reading import open_regular

_SIDE = 64
_WIDTH, _HEIGHT = 178, 218  # of an aligned photograph
_PARTITION, _ATTRIBUTES = "list_eval_partition.txt", "list_attr_celeba.txt"
_FOLDER, _ARCHIVE = "img_align_celeba", "img_align_celeba.zip"
_JPEG_BYTES = 1 << 20  # what a photograph takes at most


def load_celeba(
    root: str | PathLike | None = None,
    *,
    crop: int = _WIDTH,
    images: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """CelebA: images uint8 [N, 3, 64, 64], no labels, attributes bool [N, 40] with their published names.

    The published split: 162,770 train, 19,867 validate and 19,962 test; `images` takes the first so many of each. From
    the middle of every aligned photograph of 178 x 218 pixels a square of `crop` pixels is shrunk to 64 x 64
    (bilinear, antialiased): 178 for all that is seen, as in the DAAE paper, which does not crop tightly; 108 for
    DCGAN's faces. They are read one by one, from the folder img_align_celeba or from its zip archive, below `root`,
    beside list_attr_celeba.txt and list_eval_partition.txt; in memory they take 2.5 GB. `progress(done, all)` is told
    after each hundred. Raises FileNotFoundError for missing files, ValueError for damaged ones and another `crop`.
    Source: Liu et al., Deep Learning Face Attributes in the Wild, 2015.
    """
    crop = whole_in("crop", crop, 1, _WIDTH)
    most = None if images is None else whole_in("images", images, 1)
    folders = places.folders("celeba", root)
    parts = _parts(places.find("celeba", (_PARTITION,), folders), most)
    held = _attributes(places.find("celeba", (_ATTRIBUTES,), folders))
    place = places.find("celeba", (_FOLDER, _ARCHIVE), folders)
    names = [name for part in parts for name in part]
    absent = next((name for name in names if name not in held), None)
    if absent is not None:
        raise ValueError(f"{_ATTRIBUTES} must have a row for {absent}, which {_PARTITION} names; download both again")
    left, top = (_WIDTH - crop) // 2, (_HEIGHT - crop) // 2
    wanted = [Photograph(name, (left, top, left + crop, top + crop)) for name in names]
    with ExitStack() as opened:
        open_one = _opener(place, opened)
        read = read_photographs(place, wanted, open_one, _SIDE, size=(_WIDTH, _HEIGHT), progress=progress)
    attributes = np.stack([held[name] for name in names])
    ends = np.cumsum([len(part) for part in parts])
    train, validation, test = (
        Split(to_tensor(pixels), attributes=to_tensor(columns)) if len(pixels) else None
        for pixels, columns in zip(np.split(read, ends[:-1]), np.split(attributes, ends[:-1]), strict=True)
    )
    if train is None:
        raise ValueError(f"{_PARTITION} must put photographs in part 0, which trains, got none; download it again")
    return Dataset(train, validation, test, "celeba", attributes=CELEBA_ATTRIBUTES)


def _parts(path: Path, most: int | None) -> list[list[str]]:
    """The names of the photographs in the parts 0, 1 and 2, the first `most` of each."""
    parts: list[list[str]] = [[], [], []]
    for name, part in read_table(path, 2):
        if part not in ("0", "1", "2") or "/" in name or name.startswith("."):
            raise ValueError(f"{path} must name a photograph and a part 0, 1 or 2 in each line; download it again")
        parts[int(part)].append(name)
    return [part[:most] for part in parts]


def _attributes(path: Path) -> dict[str, np.ndarray]:
    """{name: which of the 40 hold, bool}; the file has the number of lines, the attributes' names, and 1 or -1 each."""
    rows = read_table(path, None)
    if len(rows) < 2 or tuple(rows[1]) != CELEBA_ATTRIBUTES:
        raise ValueError(f"{path} must name CelebA's {len(CELEBA_ATTRIBUTES)} attributes in line 2; download it again")
    if any(len(row) != 1 + len(CELEBA_ATTRIBUTES) or not {*row[1:]} <= {"1", "-1"} for row in rows[2:]):
        raise ValueError(
            f"{path} must have a name and {len(CELEBA_ATTRIBUTES)} of 1 or -1 in each line; download it again"
        )
    return {row[0]: np.array(row[1:]) == "1" for row in rows[2:]}


def _opener(place: Path, opened: ExitStack) -> Callable[[str], BinaryIO]:
    if place.is_dir():
        return lambda name: open_regular(place / name)
    try:
        archive = opened.enter_context(zipfile.ZipFile(opened.enter_context(open_regular(place))))
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ValueError(f"{place} must be a zip archive; download it again") from error

    def open_member(name: str) -> BinaryIO:
        member = archive.getinfo(f"{_FOLDER}/{name}")
        if member.file_size > _JPEG_BYTES:
            raise ValueError(f"a photograph of {member.file_size:,} bytes")
        return archive.open(member)  # type: ignore[return-value]

    return open_member
