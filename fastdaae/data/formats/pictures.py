"""Pixels of image files: each is opened only where it is a regular file, and decoded only where its size fits."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from fastdaae.reading import open_regular, require_memory

if TYPE_CHECKING:
    from PIL import Image

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
_PILLOW_FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
_COLOURS = {"1": "L", "L": "L", "RGB": "RGB"}
_TO_RGB = "Image.open(path).convert('RGB').save(path)"
# how Pillow's other colour modes become one that is read; `convert` alone clips 16 bits at 255
_REMEDIES = {
    "RGBA": f"{_TO_RGB} drops alpha",
    "LA": "Image.open(path).convert('L').save(path) drops alpha",
    "P": f"{_TO_RGB} looks its palette up",
    "I;16": "Image.fromarray((numpy.asarray(Image.open(path)) >> 8).astype('uint8')).save(path) keeps the upper 8 bits",
}


def read_pictures(paths: list[Path]) -> np.ndarray:
    """The pixels of image files of one size and colour mode, uint8 [N, H, W] (grey) or [N, 3, H, W] (RGB).

    Raises ValueError, naming the file, for one that cannot be read, has another size, colour mode or kind than the
    first, or where all of them are more than the free memory.
    """
    first, colour = _read(paths[0], None)
    require_memory(len(paths) * first.size, f"reading {len(paths):,} images of {_size(first.shape)} pixels")
    images = np.empty((len(paths), *first.shape), np.uint8)
    images[0] = first
    for row, path in enumerate(paths[1:], start=1):
        images[row], _ = _read(path, (paths[0], first.shape, colour))
    return images


def decode_picture(file: BinaryIO, path: Path, at_most: int) -> "Image.Image":
    """The picture in an open file, decoded, of whatever colour mode; `at_most` is the most pixels that it may have.

    Raises ValueError, in one line with the path, for a damaged one and for a larger one, before it is unpacked.
    """
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its headers; larger ones are refused below
        try:
            image = Image.open(file, formats=_PILLOW_FORMATS)
            if image.width * image.height > at_most:
                raise ValueError(f"{image.width} x {image.height} pixels, and at most {at_most:,} were expected")
            image.load()
        except Exception as error:
            raise _unreadable(path, error) from error
    return image


def _read(path: Path, like: tuple[Path, tuple[int, ...], str] | None) -> tuple[np.ndarray, str]:
    """The pixels, [H, W] or [3, H, W], and the colour mode, L or RGB, which must be as those of `like`."""
    from PIL import Image

    with open_regular(path) as file, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.filterwarnings("ignore", category=UserWarning)
        try:
            image = Image.open(file, formats=_PILLOW_FORMATS)
            mode, (width, height) = image.mode, image.size
        except Exception as error:  # a damaged image makes Pillow raise OSError, SyntaxError, ValueError, ...
            raise _unreadable(path, error) from error
        colour = _COLOURS.get(mode)
        if colour is None:
            remedy = _REMEDIES.get(mode, f"{_TO_RGB} converts it")
            raise ValueError(f"{path} must be grey (L) or RGB with 8 bits, got colour mode {mode}; {remedy} (Pillow)")
        shape = (height, width) if colour == "L" else (3, height, width)
        if like is not None and like[1:] != (shape, colour):
            raise _differing(path, shape, colour, *like)
        try:
            pixels = np.asarray(image.convert(colour))
        except Exception as error:
            raise _unreadable(path, error) from error
    return (pixels if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)), colour


def _unreadable(path: Path, error: Exception) -> ValueError:
    told = " ".join(f"{type(error).__name__} {error}".split())
    return ValueError(f"{path} cannot be read as an image: {told}; replace or remove it")


def _differing(path: Path, shape: tuple, colour: str, other: Path, other_shape: tuple, other_colour: str) -> ValueError:
    size = "" if shape[-2:] == other_shape[-2:] else f".resize(({other_shape[-1]}, {other_shape[-2]}))"
    mode = "" if colour == other_colour else ".convert('RGB')"
    return ValueError(
        f"{path} is {_size(shape)} pixels, {colour}, but {other} is {_size(other_shape)} pixels, {other_colour}; give "
        f"all images one size and one colour mode: for each, Image.open(path){size}{mode}.save(path) (Pillow)"
    )


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[-1]} x {shape[-2]}"
