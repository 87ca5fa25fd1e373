"""Colour photographs of any size, cropped and resized one by one as they are read."""

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from fastdaae.data.formats.pictures import decode_picture
from fastdaae.reading import require_memory
from fastdaae.schema import printable

_MOST_PIXELS = 1 << 24  # of one photograph
_TOLD = 100


class Photograph(NamedTuple):
    """A file's `name` and the `box` (left, top, right, bottom) in pixels, from 0, that is taken of it."""

    name: str
    box: tuple[int, int, int, int]


def read_photographs(
    place: Path,
    wanted: Sequence[Photograph],
    open_one: Callable[[str], BinaryIO],
    side: int,
    *,
    size: tuple[int, int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """The boxes of photographs, resized to a square (bilinear, antialiased): uint8 [N, 3, side, side], RGB.

    `open_one` opens the file of a name, below `place`; one after another is in memory beside the result, which is
    weighed first. `size` (width, height) is what all must have, if given, and a box reaches to the edge at most; grey
    ones become colour. Raises ValueError, in one line with the file's name, for one that is missing, damaged, larger
    than 16 million pixels or of another size.
    """
    from PIL import Image

    require_memory(len(wanted) * 3 * side * side, f"reading {len(wanted):,} photographs of {place}")
    images = np.empty((len(wanted), 3, side, side), np.uint8)
    for row, (name, box) in enumerate(wanted):
        picture = _decoded(place, name, open_one)
        if size is not None and picture.size != size:
            raise ValueError(
                f"{place / name} must have {size[0]} x {size[1]} pixels, got {picture.width} x {picture.height}; "
                "download it again"
            )
        left, top, right, bottom = box
        inside = max(left, 0), max(top, 0), min(right, picture.width), min(bottom, picture.height)
        if inside[0] >= inside[2] or inside[1] >= inside[3]:
            raise ValueError(
                f"the box of {place / name}, {box}, must lie within its {picture.width} x {picture.height} pixels; "
                "download both again"
            )
        resized = picture.convert("RGB").crop(inside).resize((side, side), Image.Resampling.BILINEAR)
        images[row] = np.moveaxis(np.asarray(resized), -1, 0)
        if progress is not None and ((row + 1) % _TOLD == 0 or row + 1 == len(wanted)):
            progress(row + 1, len(wanted))
    return images


def _decoded(place: Path, name: str, open_one: Callable[[str], BinaryIO]):
    path = place / printable(name)
    try:
        with open_one(name) as file:
            return decode_picture(file, path, _MOST_PIXELS)
    except (FileNotFoundError, KeyError) as error:
        raise ValueError(f"{path} is missing; download it again") from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ValueError(f"{path} cannot be read: {type(error).__name__} {error}; download it again") from error
