"""MNIST turned, on random backgrounds, and both: made from MNIST, equal to the bit wherever and however it is made."""

import functools
import math
from os import PathLike

import numpy as np

from fastdaae.data import cache
from fastdaae.data.dataset import Dataset
from fastdaae.data.sets import mnist
from fastdaae.noise import Noise, Site, words
from fastdaae.reading import require_memory

VARIANTS = ("mnist-rot", "mnist-bg-rand", "mnist-bg-rand-rot")
ANGLES = 1 << 16  # steps of a whole turn
_SEED = 2010  # fixed for good: another one makes another data set
_BACKGROUND, _ANGLE = 0, 1  # the steps of the noise that each is drawn at
_CHUNK = 512  # images that are made at a time, in some tens of MB
_ONE = 1 << 14  # 1.0 in the fixed-point numbers of sines and cosines
_PIXEL = 2 * _ONE  # a pixel's side in positions, which count half pixels
_MARGIN = 2  # black pixels around an image, so that a point outside has four neighbours too


def load_variant(name: str, root: str | PathLike | None = None) -> Dataset:
    """A variant of MNIST, "mnist-rot", "mnist-bg-rand" or "mnist-bg-rand-rot": split, dtypes and labels as MNIST's.

    Every digit is turned about its centre by an angle uniform in 0..360 degrees, bilinearly, and then has each pixel
    that is 0 replaced by one uniform in 0..255. Angles and backgrounds are addressed noise of a fixed seed, an image's
    place in MNIST its row, and all arithmetic is in whole numbers: everyone's copy is the same, and both rotated
    variants turn a digit alike. Needs the files of "mnist"; a copy is kept in the folder that `cache.folder` names,
    where that can be written. Raises as `load_mnist` does. Source: O. Jow's report on stacked denoising autoencoders,
    after Larochelle et al., 2007; its code interpolates by splines.
    """
    training, test = mnist.read_files("mnist", root)
    originals = (training[0], test[0])
    require_memory(3 * sum(images.size for images in originals), f"making {name}")
    made = cache.kept(name, originals, lambda: varied_files(name, originals))
    cut = len(training[0])
    return mnist.as_dataset(name, (made[:cut], training[1]), (made[cut:], test[1]))


def varied_files(name: str, originals: tuple[np.ndarray, ...]) -> np.ndarray:
    """The variant of several files' images, in the order of all: uint8 [N, H, H]."""
    images = np.concatenate(originals)
    for first in range(0, len(images), _CHUNK):
        part = slice(first, first + _CHUNK)
        images[part] = varied(name, images[part], first)
    return images


def varied(name: str, images: np.ndarray, first: int = 0) -> np.ndarray:
    """The variant of images uint8 [N, H, H], of which the first stands at place `first` of MNIST's 70,000."""
    if "rot" in name:
        drawn = words(Noise(_SEED, step=_ANGLE), len(images), 1, row_offset=first, site=Site.VARIANT)
        images = turned(images, drawn[0, :, 0].numpy() >> 16)
    if "bg-rand" in name:
        columns = math.prod(images.shape[1:])
        drawn = words(Noise(_SEED, step=_BACKGROUND), len(images), columns, row_offset=first, site=Site.VARIANT)
        background = (drawn[0].numpy() >> 24).astype(np.uint8).reshape(images.shape)
        images = np.where(images == 0, background, images)
    return images


def turned(images: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Images uint8 [N, H, H] turned counter-clockwise by angles int64 [N], in 1/65,536 turns: uint8 [N, H, H].

    Bilinear, about the centre, black outside; quarter turns are exact.
    """
    count, side, _ = images.shape
    stride = side + 2 * _MARGIN
    padded = np.pad(images, ((0, 0), (_MARGIN, _MARGIN), (_MARGIN, _MARGIN))).reshape(count, -1).astype(np.int32)
    cosine, sine = (table[angles][:, None, None] for table in circle())
    down, right = np.meshgrid(*[2 * np.arange(side) - (side - 1)] * 2, indexing="ij")  # in half pixels, from the centre
    row, below = _position(cosine * down + sine * right, side)
    column, beside = _position(cosine * right - sine * down, side)
    corner = (row * stride + column).reshape(count, -1)

    def neighbour(offset: int) -> np.ndarray:
        return np.take_along_axis(padded, corner + offset, axis=1).reshape(images.shape)

    beside, below = beside.astype(np.int32), below.astype(np.int64)
    upper = neighbour(0) * (_PIXEL - beside) + neighbour(1) * beside
    lower = neighbour(stride) * (_PIXEL - beside) + neighbour(stride + 1) * beside
    weighted = upper * (_PIXEL - below) + lower * below
    return ((weighted + _PIXEL * _PIXEL // 2) // (_PIXEL * _PIXEL)).astype(np.uint8)


@functools.cache
def circle() -> tuple[np.ndarray, np.ndarray]:
    """2^14-fold cosines and sines of all angles, rounded: two int64 [65536].

    None lies so near to a half that two libraries of mathematics could round it differently.
    """
    radians = np.arange(ANGLES) * (2 * np.pi / ANGLES)
    return np.rint(_ONE * np.cos(radians)).astype(np.int64), np.rint(_ONE * np.sin(radians)).astype(np.int64)


def _position(offset: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """(place of the pixel in the padded image, part of the way to the next) of offsets from the centre."""
    position = offset + (side - 1) * _ONE
    return np.clip(position // _PIXEL, -_MARGIN, side) + _MARGIN, position % _PIXEL
