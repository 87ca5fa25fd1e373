"""Principal components as a linear autoencoder: the reconstructions that a code of one size can have at best."""

from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from torch import Tensor

from fastdaae import ops
from fastdaae.corruptions import Corruption
from fastdaae.evaluation.codes.representation import as_rows
from fastdaae.evaluation.estimate import Estimate
from fastdaae.noise import Noise, Site

_BATCH = 1000


def pca_reconstruction_error(
    components: PCA, images: Tensor, noise: Noise | None = None, corruption: Corruption | None = None
) -> Estimate:
    """Mean squared error per pixel of images [N, ...] from their principal components, with its error over images.

    `components` are fitted ones (scikit-learn's PCA), the least error of any linear code of their number on the images
    they were fitted to. With `noise` the inputs have the `corruption`, and the target is the clean image, as in
    `reconstruction_error`, at the same addresses. Raises ValueError for an empty set.
    """
    if len(images) == 0:
        raise ValueError("images must not be empty, got 0 rows")
    errors = []
    for start in range(0, len(images), _BATCH):
        x = images[start : start + _BATCH]
        given: Any = x
        if noise is not None:
            given = ops.corrupt(x.to(noise.device), corruption, noise, row_offset=start, site=Site.EVALUATION)[0]
        found = components.inverse_transform(components.transform(as_rows(given)))
        errors.append(np.square(found.astype(np.float64) - as_rows(x)).mean(1))
    return Estimate.of(np.concatenate(errors))
