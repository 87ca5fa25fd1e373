"""Omniglot: handwritten characters of fifty alphabets, shrunk exactly, split by drawer."""

import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fastdaae.arguments import whole_in
from fastdaae.arrays import to_tensor
from fastdaae.data import places
from fastdaae.data.dataset import Dataset, Split
from fastdaae.data.formats.arrays import read_arrays
from fastdaae.data.formats.pictures import decode_picture
from fastdaae.reading import open_regular, require_memory
from fastdaae.schema import printable

_SIDE, _ROW_BYTES = 105, 14
_DRAWERS = 20
_PARTS = {"background": 964, "evaluation": 659}  # and their numbers of characters
_BITS = "omniglot_105_bits.npz"
_MEMBER = re.compile(r"images_\w+/([^/]+)/(character\d\d)/\d{4}_(\d\d)\.png")
_PNG_BYTES = 1 << 16  # what a picture of 105 x 105 bits takes at most
_CHUNK = 1024


class _Characters(NamedTuple):
    """A part: bits uint8 [N, 105, 14], ink 1; its characters' names, and each image's character and drawer, from 0."""

    bits: np.ndarray
    names: tuple[str, ...]
    character: np.ndarray
    drawer: np.ndarray


def load_omniglot(root: str | PathLike | None = None, *, size: int = 28, classes: int | None = None) -> Dataset:
    """Omniglot: images uint8 [N, size, size], ink bright, labels int64 [N] the characters, named alphabet/character.

    The split of the DAAE paper: of the 964 background characters the first 19 drawers' images train (18,316) and the
    20th's test (964); nothing validates; all 20 of the 659 evaluation characters are `evaluation` (13,180), whose
    labels 0..658 are characters of its own. The paper does not say which drawer tests. `classes` takes the first so
    many characters of each part, None all. Images of 105 x 105 bits are
    shrunk by the exact mean over each new pixel's area, rounded to 1/255; `size` is 1..105. Reads
    images_background.zip and images_evaluation.zip, packed or not, or omniglot_105_bits.npz (decoded: `*_bits`,
    `*_alphabet`, `*_character`, `*_drawer` and `alphabet_names`), below `root`. Raises FileNotFoundError for missing
    files, ValueError for damaged ones and for another `size` or `classes`. Source: Lake et al., Science 350, 2015.
    """
    size = whole_in("size", size, 1, _SIDE)
    most = max(_PARTS.values())
    first = most if classes is None else whole_in("classes", classes, 1, most)
    folders = places.folders("omniglot", root)
    require_memory(sum(_PARTS.values()) * _DRAWERS * (size * size + 2 * _SIDE * _ROW_BYTES), "reading omniglot")
    bits = places.look((_BITS,), folders)
    background, evaluation = (
        _from_bits(bits, part) if bits is not None else _from_pictures(part, folders) for part in _PARTS
    )
    last, kept = background.drawer == _DRAWERS - 1, background.character < first
    return Dataset(
        _split(background, kept & ~last, size),
        None,
        _split(background, kept & last, size),
        "omniglot",
        background.names[:first],
        evaluation=_split(evaluation, evaluation.character < first, size),
    )


def shrunk(bits: np.ndarray, size: int) -> np.ndarray:
    """Images uint8 [N, size, size] of 105 x 105 bits uint8 [N, 105, 14]: the mean over each new pixel, times 255."""
    edges = np.arange(max(size, _SIDE) + 1)
    ours, theirs = edges[: size + 1] * _SIDE, edges[: _SIDE + 1] * size
    shared = np.minimum(ours[1:, None], theirs[1:]) - np.maximum(ours[:-1, None], theirs[:-1])
    # whole numbers below 2^24, whose products float32 has exactly; each row sums to 105
    weights = np.clip(shared, 0, None).astype(np.float32)
    images = np.empty((len(bits), size, size), np.uint8)
    for first in range(0, len(bits), _CHUNK):
        part = slice(first, first + _CHUNK)
        ink = np.unpackbits(bits[part], axis=2, count=_SIDE).astype(np.float32)
        covered = (weights @ ink @ weights.T).astype(np.int64)
        images[part] = (covered * 255 * 2 + _SIDE**2) // (2 * _SIDE**2)
    return images


def _split(characters: _Characters, rows: np.ndarray, size: int) -> Split:
    labels = characters.character[rows].astype(np.int64)
    return Split(to_tensor(shrunk(characters.bits[rows], size)), to_tensor(labels))


def _from_bits(path: Path, part: str) -> _Characters:
    keys = [f"{part}_{kind}" for kind in ("bits", "alphabet", "character", "drawer")]
    found = read_arrays(path, [*keys, "alphabet_names"])
    names = found.pop("alphabet_names")
    bits, alphabet, number, drawer = found.values()
    count = _PARTS[part] * _DRAWERS
    if bits.dtype != np.uint8 or bits.shape != (count, _SIDE, _ROW_BYTES):
        raise _unfit(path, f"{part}_bits uint8 [{count}, {_SIDE}, {_ROW_BYTES}]")
    if any(array.shape != (count,) or array.dtype.kind not in "iu" for array in (alphabet, number, drawer)):
        raise _unfit(path, f"whole numbers [{count}] for each of {part}'s images")
    if names.ndim != 1 or names.dtype.kind != "U" or not 0 <= alphabet.min() <= alphabet.max() < len(names):
        raise _unfit(path, "a name for each alphabet")
    called = [f"{names[which]}/character{told:02d}" for which, told in zip(alphabet, number, strict=True)]
    return _ordered(path, part, bits, called, drawer.astype(np.int64) - 1)


def _from_pictures(part: str, folders: list[Path]) -> _Characters:
    path = places.find("omniglot", (f"images_{part}.zip", f"images_{part}"), folders)
    require = _PARTS[part] * _DRAWERS
    bits, called, drawers = np.empty((require, _SIDE, _ROW_BYTES), np.uint8), [], []
    with ExitStack() as opened:
        for row, (member, image_bits) in enumerate(_pictures(path, opened)):
            if row == require:
                raise _unfit(path, f"{require:,} pictures, and no more")
            bits[row] = image_bits
            called.append(f"{member[1]}/{member[2]}")
            drawers.append(int(member[3]) - 1)
    return _ordered(path, part, bits[: len(called)], called, np.array(drawers, np.int64))


def _pictures(path: Path, opened: ExitStack) -> Iterator[tuple[re.Match, np.ndarray]]:
    """(match of its name, bits [105, 14]) of each picture in a folder or an archive."""
    if path.is_dir():
        files: Iterable = (
            (found.relative_to(path.parent).as_posix(), lambda found=found: open_regular(found))
            for found in sorted(path.glob("*/*/*.png"))
        )
    else:
        archive = _archive(path, opened)
        files = ((entry.filename, lambda entry=entry: archive.open(entry)) for entry in archive.infolist())
    for name, open_file in files:
        if member := _MEMBER.fullmatch(name):
            try:
                with open_file() as file:
                    yield member, _bits_of(decode_picture(file, path.parent / name, _SIDE * _SIDE), path.parent / name)
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
                raise _unfit(path, f"a whole picture {name}") from error


def _archive(path: Path, opened: ExitStack) -> zipfile.ZipFile:
    try:
        archive = opened.enter_context(zipfile.ZipFile(opened.enter_context(open_regular(path))))
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise _unfit(path, "a zip archive") from error
    large = [entry.filename for entry in archive.infolist() if entry.file_size > _PNG_BYTES]
    if large:
        raise _unfit(path, f"pictures of 105 x 105 bits, and not {printable(large[0])}")
    return archive


def _bits_of(image, path: Path) -> np.ndarray:
    if image.mode != "1" or image.size != (_SIDE, _SIDE):
        raise _unfit(path, f"{_SIDE} x {_SIDE} bits")
    return np.packbits(~np.asarray(image), axis=1)  # ink is 0 in the files


def _ordered(path: Path, part: str, bits: np.ndarray, called: list[str], drawer: np.ndarray) -> _Characters:
    """The characters in the order of their names, where there is one image of each by each drawer."""
    names, character = np.unique(called, return_inverse=True)
    if len(names) != _PARTS[part] or sorted(character * _DRAWERS + drawer) != list(range(_PARTS[part] * _DRAWERS)):
        raise _unfit(path, f"{_PARTS[part]} characters by {_DRAWERS} drawers each, named as published")
    order = np.argsort(character * _DRAWERS + drawer)
    return _Characters(bits[order], tuple(map(printable, names)), character[order], drawer[order])


def _unfit(path: Path, expected: str) -> ValueError:
    return ValueError(f"{path} must hold {expected}; download it again")
