"""Points for the estimators: what scikit-learn's validation accepts, with uint8 meaning value / 255."""

import warnings

import numpy as np
import torch
from sklearn.utils.validation import validate_data
from torch import Tensor


def as_points(estimator, X, *, reset: bool, keep_device: bool = False, as_stored: bool = False) -> Tensor:
    """X [N, D] as a float32 or float64 tensor after scikit-learn's checks; uint8 becomes value / 255.

    The tensor is on the CPU, or with `keep_device` stays on the CUDA device where X is, and is then checked there. With
    `as_stored`, uint8 stays uint8, and arrays and memory maps in C order, read-only ones too, are not copied: the
    tensor is then only to be read. Raises ValueError (scikit-learn's words) for empty, non-finite or non-2-D input or a
    differing number of columns.
    """
    if isinstance(X, Tensor) and X.is_cuda and keep_device:
        return _checked_in_place(estimator, X.detach(), reset)
    if isinstance(X, Tensor):
        X = X.detach().cpu().numpy()
    scaled = isinstance(X, np.ndarray) and X.dtype == np.uint8
    dtypes = [np.float64, np.float32, np.uint8] if as_stored and scaled else [np.float64, np.float32]
    X = validate_data(estimator, X, reset=reset, dtype=dtypes)
    X = np.ascontiguousarray(X)
    if as_stored:
        return _shared(X)
    # a read-only array, such as a memory map, is copied: a tensor cannot be read-only
    points = torch.from_numpy(X if X.flags.writeable else X.copy())
    return (points.float() / 255) if scaled else points


def _shared(X: np.ndarray) -> Tensor:
    with warnings.catch_warnings():
        # of a read-only array torch says that writing to it is undefined; it is only read
        warnings.filterwarnings("ignore", message="The given NumPy array is not writ")
        return torch.from_numpy(X)


def _checked_in_place(estimator, X: Tensor, reset: bool) -> Tensor:
    # an array of X's shape that holds one number: scikit-learn checks the shape and records it, and copies no data
    stand_in = np.broadcast_to(np.float32(0), tuple(X.shape))
    validate_data(estimator, stand_in, reset=reset, dtype=[np.float64, np.float32], ensure_all_finite=False)
    if X.dtype == torch.uint8:
        return X.float() / 255
    if X.is_complex():
        raise ValueError(f"Complex data not supported, got {X.dtype}")
    points = (
        X
        if X.dtype in (torch.float32, torch.float64)
        else X.to(torch.float32 if X.is_floating_point() else torch.float64)
    )
    if not bool(torch.isfinite(points).all()):
        raise ValueError("Input X contains NaN or infinity; remove or replace these values")
    return points.contiguous()
