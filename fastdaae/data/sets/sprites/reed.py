"""The sprites of Reed et al.: a file of MATLAB for each of 672 characters, and one that says how they are split."""

from pathlib import Path

import numpy as np

from fastdaae.arrays import to_tensor
from fastdaae.data.dataset import Dataset, Split
from fastdaae.data.formats.matlab import read_cells, read_matrix
from fastdaae.reading import require_memory

SPLITS = "sprites_splits.mat"
_SIDE = 60
_PIXELS = 3 * _SIDE * _SIDE
_INDICES = {"train": "trainidx", "validation": "validx", "test": "testidx"}
_MOST_FRAMES = 1000  # of one character in all its animations; published are up to 260
_ANIMATIONS = 20  # those beyond are no poses


def load_reed(splits: Path) -> Dataset:
    """The sprites of Reed et al.: images uint8 [N, 3, 60, 60], labels int64 [N] the animation, 0..19.

    `splits` is sprites_splits.mat, with the numbers from 1 of the characters of each part (500, 72 and 100 as
    published, with no character in two of them); sprites_0.mat and so on lie beside it. All frames of a character's
    first 20 animations are taken; brightness in [0, 1] becomes round(255 x). Files of MATLAB 7.3, as those published,
    need h5py. Raises FileNotFoundError for a missing character, ValueError for damaged files. Source: Reed et al.,
    Deep Visual Analogy-Making, 2015; the DAAE paper's section VI.B.2.
    """
    numbers = {part: _characters(splits, key) for part, key in _INDICES.items()}
    chosen = np.concatenate(list(numbers.values()))
    if len(np.unique(chosen)) != len(chosen):
        raise ValueError(f"{splits} must put each character in one part; download it again")
    train, validation, test = (_read_part(splits.parent, part) for part in numbers.values())
    return Dataset(
        train, validation, test, "sprites of Reed et al.", tuple(f"animation {n}" for n in range(_ANIMATIONS))
    )


def _characters(splits: Path, key: str) -> np.ndarray:
    numbers = read_matrix(splits, key).ravel()
    if not len(numbers) or (numbers % 1).any() or numbers.min() < 1 or numbers.max() > 1 << 20:
        raise ValueError(f"{key} in {splits} must be numbers of characters from 1; download it again")
    return numbers.astype(np.int64)


def _read_part(folder: Path, numbers: np.ndarray) -> Split:
    images, labels = [], []
    for number in numbers:
        path = folder / f"sprites_{number - 1}.mat"
        for animation, frames in enumerate(read_cells(path, "sprites", _MOST_FRAMES * _PIXELS)[:_ANIMATIONS]):
            if frames.ndim != 2 or frames.shape[0] != _PIXELS:
                raise ValueError(
                    f"sprites in {path} must be frames [{_PIXELS}, N], got {list(frames.shape)}; download it again"
                )
            images.append(_pictures(frames, path))
            labels += [animation] * frames.shape[1]
    require_memory(sum(image.size for image in images), f"{len(labels):,} sprites")
    return Split(to_tensor(np.concatenate(images)), to_tensor(np.array(labels, np.int64)))


def _pictures(frames: np.ndarray, path: Path) -> np.ndarray:
    """Frames [10800, N] in [0, 1], each in MATLAB's order of (row, column, colour), as uint8 [N, 3, 60, 60]."""
    if not (frames.min(initial=0) >= 0 and frames.max(initial=0) <= 1):  # NaN too
        raise ValueError(f"sprites in {path} must be in [0, 1]; download it again")
    pictures = np.rint(255 * frames.T.astype(np.float64)).astype(np.uint8)
    return pictures.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 1, 3, 2)
