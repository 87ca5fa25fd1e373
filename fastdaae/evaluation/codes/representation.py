"""Codes and images as scikit-learn needs them, principal components, and one scale for all of a set's dimensions."""

from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from torch import Tensor

_BATCH = 10_000


def as_array(values: Any) -> np.ndarray:
    """A tensor on any device, or whatever NumPy takes, as an array."""
    return values.numpy(force=True) if isinstance(values, Tensor) else np.asarray(values)


def as_rows(values: Any) -> np.ndarray:
    """The same with one row for each of codes or images [N, ...]; uint8 means value / 255, as float32."""
    values = as_array(values)
    rows = values.reshape(len(values), -1)
    return rows.astype(np.float32) / 255 if rows.dtype == np.uint8 else rows


def as_floats(values: Any) -> np.ndarray:
    """The same as float64 rows [N, D]; raises ValueError where there are none or not all are finite numbers."""
    rows = as_rows(values).astype(np.float64)
    if not rows.size or not np.isfinite(rows).all():
        raise ValueError(f"codes must be finite numbers, got {list(rows.shape)} with NaN or infinite values or none")
    return rows


def one_scale(rows: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """Rows [N, Z] and others [Q, Z], less the mean of the rows and divided by one number: that of a mean variance of 1.

    So a classifier's penalty means the same for codes of any scale, and no dimension is made larger than another: the
    result turns as the codes turn. Rows that are all alike are only centred.
    """
    mean = rows.mean(0)
    scale = float(np.sqrt(rows.var(0).mean())) or 1.0
    return [(each - mean) / scale for each in (rows, *others)]


def principal_components(images: Any, dimension: int) -> PCA:
    """The first `dimension` principal components of images [N, ...], fitted; uint8 means value / 255.

    scikit-learn's PCA, whose exact or randomized solver (of a fixed seed) it chooses by size. Raises ValueError for a
    dimension beyond the images or their pixels.
    """
    return PCA(dimension, random_state=0).fit(as_rows(images))


def projected(components: PCA, images: Any) -> np.ndarray:
    """Images [N, ...] on fitted components, [N, dimension], a batch at a time."""
    starts = range(0, len(images), _BATCH)
    return np.concatenate([components.transform(as_rows(images[start : start + _BATCH])) for start in starts])
