"""Points for the estimators: what scikit-learn's validation accepts, with uint8 meaning value / 255."""

import math

import numpy as np
import torch
from sklearn.utils.validation import validate_data
from torch import Tensor

from fastdaae import arrays, reference

_WIDE = (torch.float32, torch.float64)


def as_points(estimator, X, *, reset: bool) -> Tensor:
    """X [N, D] as a uint8, float32 or float64 tensor after scikit-learn's checks; uint8 means value / 255.

    X is an array, a tensor of any device and dtype, a data frame, a list of rows, or an array-like; uint8 stays uint8
    in all of them, and other integers are numbers as they are. Images [N, H, W] and [N, C, H, W] are rows of pixels.
    A CUDA tensor stays on its device, and is checked there; all else becomes a tensor on the CPU. Arrays and memory
    maps in C order, read-only ones too, are not copied: the tensor is only to be read.
    Raises ValueError (scikit-learn's words) for empty, non-finite or otherwise shaped input or a differing number of
    columns, and for uint8 mixed with other dtypes.
    """
    if isinstance(X, Tensor) and X.is_cuda:
        return _checked_in_place(estimator, X.detach(), reset)
    X = as_rows(_as_array(X))
    grey = _are_grey_levels(_dtypes(X))
    dtypes = [np.float64, np.float32, np.uint8] if grey else [np.float64, np.float32]
    X = np.ascontiguousarray(validate_data(estimator, X, reset=reset, dtype=dtypes))
    return arrays.to_tensor(X.astype(np.uint8, copy=False) if grey else X)


def as_rows(X):
    """Images [N, H, W] or [N, C, H, W], arrays or tensors, as rows of pixels [N, D]; anything else as it is."""
    shape = getattr(X, "shape", ())
    return X.reshape(shape[0], math.prod(shape[1:])) if len(shape) in (3, 4) else X


def _as_array(X):
    """X as an array of its own dtype; data frames, which have one for each column, and what only scikit-learn knows."""
    if isinstance(X, Tensor):
        return _tensor_as_array(X)
    if isinstance(X, np.ma.MaskedArray) and X.mask.any():
        raise ValueError(f"X must have no masked entries, got {int(X.mask.sum())}; fill or remove them")
    if isinstance(X, np.ndarray) or _is_frame(X):
        return X
    if isinstance(X, list | tuple):
        X = [_tensor_as_array(row) if isinstance(row, Tensor) else row for row in X]
        _are_grey_levels([str(row.dtype) for row in X if hasattr(row, "dtype")])
    elif hasattr(X, "__dlpack__") and not hasattr(X, "__array__"):
        return _tensor_as_array(torch.from_dlpack(X))
    array = np.asarray(X)
    return X if array.dtype == object else array


def _tensor_as_array(X: Tensor) -> np.ndarray:
    if X.is_floating_point() and X.dtype not in _WIDE:
        X = X.float()  # numpy knows neither bfloat16 nor eight bits
    return X.numpy(force=True)


def _is_frame(X) -> bool:
    return hasattr(X, "dtypes") and hasattr(X, "columns")


def _dtypes(X) -> list[str]:
    dtypes = X.dtypes if _is_frame(X) else [getattr(X, "dtype", None)]
    return [str(dtype).lower() for dtype in dtypes]


def _are_grey_levels(dtypes: list[str]) -> bool:
    """Whether all are uint8; raises ValueError where only some are: no one scale would fit them."""
    grey = ["uint8" in dtype for dtype in dtypes]
    if any(grey) and not all(grey):
        other = dtypes[grey.index(False)]
        raise ValueError(
            f"X must be all uint8 (value / 255) or have no uint8 column or row, got both uint8 and {other}; "
            "divide the grey levels by 255 and pass floats"
        )
    return any(grey)


def _checked_in_place(estimator, X: Tensor, reset: bool) -> Tensor:
    X = as_rows(X)
    # an array of X's shape that holds one number: scikit-learn checks the shape and records it, and copies no data
    stand_in = np.broadcast_to(np.float32(0), tuple(X.shape))
    validate_data(estimator, stand_in, reset=reset, dtype=[np.float64, np.float32], ensure_all_finite=False)
    if X.is_complex():
        raise ValueError(f"Complex data not supported, got {X.dtype}")
    if X.dtype == torch.uint8:
        return X.contiguous()
    points = reference.as_float(X) if X.is_floating_point() else X.double()
    if not bool(torch.isfinite(points).all()):
        raise ValueError("Input X contains NaN or infinity; remove or replace these values")
    return points.contiguous()
