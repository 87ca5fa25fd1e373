"""Points for the estimators: what scikit-learn's validation accepts, with uint8 meaning value / 255."""

import numpy as np
import torch
from sklearn.utils.validation import validate_data
from torch import Tensor


def as_points(estimator, X, *, reset: bool) -> Tensor:
    """X [N, D] as a float32 or float64 tensor after scikit-learn's checks; uint8 becomes value / 255.

    Raises ValueError (scikit-learn's words) for empty, non-finite or non-2-D input or a differing number of columns.
    """
    if isinstance(X, Tensor):
        X = X.detach().cpu().numpy()
    scaled = isinstance(X, np.ndarray) and X.dtype == np.uint8
    X = validate_data(estimator, X, reset=reset, dtype=[np.float64, np.float32])
    X = np.ascontiguousarray(X)
    # a read-only array, such as a memory map, is copied: a tensor cannot be read-only
    points = torch.from_numpy(X if X.flags.writeable else X.copy())
    return (points.float() / 255) if scaled else points
