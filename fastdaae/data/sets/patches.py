"""Patches of whitened natural images: Olshausen and Field's where they are given, else two photographs'."""

from os import PathLike

import numpy as np

from fastdaae.arguments import whole_in
from fastdaae.arrays import to_tensor
from fastdaae.data import places
from fastdaae.data.dataset import Dataset, Split
from fastdaae.data.formats.matlab import read_matrix
from fastdaae.noise import MASK, Noise, Site, words
from fastdaae.reading import require_memory

_SIDE = 12
_FILE, _VARIABLE = ("IMAGES.mat", "images.mat"), "IMAGES"
_BORDER = 4  # pixels at the edge of an image that whitening, which takes it for periodic, spoils
_VARIANCE = 0.1  # of the whitened images, which is theirs
_CUT_OFF = 0.4  # in cycles per pixel, of the filter
_PARTS = (0.8, 0.9, 1.0)  # where, from left to right, each part of an image ends


def load_patches(root: str | PathLike | None = None, *, count: int = 50_000, seed: int = 0) -> Dataset:
    """Patches of whitened natural images: float32 [N, 12, 12] of mean about 0 and variance about 0.1; no labels.

    The values are not in [0, 1]: such data are for loss="mse" and a linear output. `count` patches train, and a tenth
    as many validate and test, drawn at random places with addressed noise of `seed`: train from the left 80 % of every
    image, validation and test from the next and the last 10 %, so that no pixel is in two parts. The images are
    IMAGES.mat (whitened, [512, 512, 10]) where it lies below `root` or in its folder "patches"; else the two
    photographs that scikit-learn ships, grey, whitened as by Olshausen and Field: the filter f exp(-(f / 0.4)^4), f in
    cycles per pixel, then a variance of 0.1. Their last bits are those of this machine's Fourier transform. Raises
    ValueError for a damaged file, for `count` < 10 and `seed` < 0, TypeError where these are no whole numbers. Source:
    Olshausen and Field, Nature 381, 1996, and their sparsenet's make-your-own-images.
    """
    count, noise = whole_in("count", count, 10), Noise(whole_in("seed", seed, 0))
    path = places.look(_FILE, places.folders("patches", root))
    images = photographs() if path is None else _published(path)
    name = "patches (two photographs)" if path is None else "patches (Olshausen and Field)"
    require_memory(3 * count * _SIDE * _SIDE * 4, f"{count:,} patches")
    starts = (0.0, *_PARTS[:-1])
    train, validation, test = (
        Split(to_tensor(_drawn(images, low, high, wanted, noise.ahead(step))))
        for step, (low, high, wanted) in enumerate(zip(starts, _PARTS, (count, count // 10, count // 10), strict=True))
    )
    return Dataset(train, validation, test, name)


def photographs() -> list[np.ndarray]:
    """scikit-learn's two sample photographs, grey and whitened: float64 [427, 640] each."""
    from sklearn import datasets

    grey = (np.asarray(image, np.float64).mean(axis=-1) for image in datasets.load_sample_images().images)
    return [whitened(image) for image in grey]


def whitened(image: np.ndarray) -> np.ndarray:
    """The image [H, W] through Olshausen and Field's filter, float64 with mean 0 and variance 0.1."""
    height, width = image.shape
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    spectrum = np.fft.fft2(image) * frequency * np.exp(-((frequency / _CUT_OFF) ** 4))
    filtered = np.fft.ifft2(spectrum).real
    return filtered * np.sqrt(_VARIANCE / filtered.var())


def _published(path) -> list[np.ndarray]:
    images = read_matrix(path, _VARIABLE)
    least = 10 * (_SIDE + 2 * _BORDER)
    if images.ndim != 3 or min(images.shape[:2]) < least or not images.shape[2] or not np.isfinite(images).all():
        raise ValueError(
            f"{path} must hold {_VARIABLE}, whitened images [512, 512, 10] of finite numbers, got "
            f"{list(images.shape)}; download it again"
        )
    return list(np.moveaxis(images, -1, 0))


def _drawn(images: list[np.ndarray], low: float, high: float, count: int, noise: Noise) -> np.ndarray:
    """Patches float32 [count, 12, 12] between two parts of the images' width; a patch's place is its row's draw."""
    drawn = words(noise, count, 3, site=Site.VARIANT)[0].numpy()
    patches = np.empty((count, _SIDE, _SIDE), np.float32)
    which = drawn[:, 0] * len(images) // (MASK + 1)
    for number, image in enumerate(images):
        height, width = image.shape
        left, right = max(_BORDER, round(low * width)), min(width - _BORDER, round(high * width))
        views = np.lib.stride_tricks.sliding_window_view(image[_BORDER : height - _BORDER, left:right], (_SIDE, _SIDE))
        rows, columns = (drawn[:, axis + 1] * views.shape[axis] // (MASK + 1) for axis in (0, 1))
        mine = which == number
        patches[mine] = views[rows[mine], columns[mine]]
    return patches
