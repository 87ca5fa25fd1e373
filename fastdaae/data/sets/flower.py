"""A flower at rising brightness: images on a straight line between black and one drawing."""

import numpy as np
from torch import Tensor

from fastdaae.arguments import whole_in
from fastdaae.arrays import to_tensor
from fastdaae.data.dataset import Dataset, Split

_SIDE = 64
_SEEDS = 89  # of the head, each with a stalk and a tuft
_GOLDEN = np.pi * (3 - np.sqrt(5))  # between two of them, as they grow


def load_flower(count: int = 6400) -> Dataset:
    """`count` images a times the flower with a evenly in 0..1, uint8 [count, 64, 64]; no labels.

    A quarter as many validate and test, at brightnesses in between. The images lie on a one-dimensional manifold, a
    line, with black at one end. Raises ValueError for count < 4, TypeError for no whole number. Source: Jow's report,
    section 5.2, whose flower is a photograph of a dandelion.
    """
    count = whole_in("count", count, 4)
    drawing, few = flower(), count // 4
    # no brightness of one part is another's
    between = ((np.arange(few) + third / 3) / few for third in (1, 2))
    train, validation, test = (Split(_at(drawing, a)) for a in (np.linspace(0, 1, count), *between))
    return Dataset(train, validation, test, "flower")


def _at(drawing: np.ndarray, brightness: np.ndarray) -> Tensor:
    return to_tensor(np.rint(255 * brightness[:, None, None] * drawing).astype(np.uint8))


def flower(side: int = _SIDE) -> np.ndarray:
    """A dandelion's head on its stem, before black: float64 [side, side], 0..1."""
    y, x = (np.indices((side, side)) + 0.5) / side - np.array([0.45, 0.5]).reshape(2, 1, 1)
    stem = np.where(y > 0, 0.5 * _blurred(x - 0.1 * y**2, 0.012), 0)
    light = np.maximum(stem, 0.9 * np.exp(-((np.hypot(y, x) / 0.06) ** 4)))
    for seed in range(_SEEDS):
        length = 0.4 * np.sqrt((seed + 1) / _SEEDS)
        down, right = length * np.sin(seed * _GOLDEN), length * np.cos(seed * _GOLDEN)
        along = np.clip((y * down + x * right) / length**2, 0, 1)
        stalk = 0.45 * _blurred(np.hypot(y - along * down, x - along * right), 0.008)
        tuft = _blurred(np.hypot(y - down, x - right), 0.022)
        light = np.maximum(light, np.maximum(stalk, tuft))
    return light / light.max()


def _blurred(distance: np.ndarray, width: float) -> np.ndarray:
    return np.exp(-((distance / width) ** 2))
