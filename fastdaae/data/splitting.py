"""How images that come in one heap are split: by a permutation that is fixed."""

from pathlib import Path

import numpy as np
import torch

from fastdaae.arrays import to_tensor
from fastdaae.data.dataset import Dataset, Split
from fastdaae.data.formats.pictures import IMAGE_SUFFIXES

_FEWEST = 10


def split_80_10_10(images: torch.Tensor, labels: torch.Tensor | None, path: Path) -> Dataset:
    """Images [N, ...] with labels [N] or None, by `numpy.random.default_rng(0)`: N // 10 test, as many validate.

    The set is called after `path`, which is where they come from. Raises ValueError for fewer than 10.
    """
    require_enough(len(images), path)
    order = to_tensor(np.random.default_rng(0).permutation(len(images)))
    held_out = len(images) // 10
    test, validation, train = order.split([held_out, held_out, len(images) - 2 * held_out])

    def split(part: torch.Tensor) -> Split:
        return Split(images[part], None if labels is None else labels[part])

    return Dataset(split(train), split(validation), split(test), path.stem)


def require_enough(count: int, path: Path) -> None:
    """Raises ValueError for fewer images than can be split."""
    if count < _FEWEST:
        kinds = f" ({', '.join(IMAGE_SUFFIXES)})" if path.is_dir() else ""
        raise ValueError(
            f"{path} must hold at least {_FEWEST} images{kinds} to be split 80/10/10, got {count}; add images, "
            "or save an .npz with train_images"
        )
