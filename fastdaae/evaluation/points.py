"""Points for the estimators: what scikit-learn's validation accepts, with uint8 meaning value / 255."""

import warnings

import numpy as np
import torch
from sklearn.utils.validation import validate_data
from torch import Tensor

from fastdaae import arrays, reference

_WIDE = (torch.float32, torch.float64)
_LOOKED_AT = 1000  # rows whose scale is looked at
_MARGIN = 0.5  # what a decoder without a last sigmoid may miss [0, 1] by
_SHARE = 0.01  # of values beyond the margin, for single pixels may be anywhere


def as_points(estimator, X, *, reset: bool, keep_device: bool = False) -> Tensor:
    """X [N, D] as a uint8, float32 or float64 tensor after scikit-learn's checks; uint8 means value / 255.

    X is an array, a tensor of any device and dtype, a data frame, a list of rows, or an array-like; uint8 stays uint8
    in all of them, and other integers are numbers as they are. The tensor is on the CPU, or with `keep_device` stays on
    the CUDA device where X is, and is then checked there. Arrays and memory maps in C order, read-only ones too, are
    not copied: the tensor is only to be read.
    Raises ValueError (scikit-learn's words) for empty, non-finite or non-2-D input or a differing number of columns,
    and for uint8 mixed with other dtypes.
    """
    if isinstance(X, Tensor) and X.is_cuda and keep_device:
        return _checked_in_place(estimator, X.detach(), reset)
    X = _as_array(X)
    grey = _are_grey_levels(_dtypes(X))
    dtypes = [np.float64, np.float32, np.uint8] if grey else [np.float64, np.float32]
    X = np.ascontiguousarray(validate_data(estimator, X, reset=reset, dtype=dtypes))
    return arrays.to_tensor(X.astype(np.uint8, copy=False) if grey else X)


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


def warn_of_another_scale(queries: Tensor, samples: Tensor) -> None:
    """Warns where one of two sets [N, D] is uint8, which means value / 255, and many values of the other lie far off.

    Only then is a scale known: two sets of floats may have any.
    """
    for name, floats, other, levels in (
        ("queries", queries, "samples", samples),
        ("samples", samples, "queries", queries),
    ):
        if levels.dtype != torch.uint8 or floats.dtype == torch.uint8:
            continue
        looked_at = floats[:_LOOKED_AT]
        outside = (looked_at < -_MARGIN) | (looked_at > 1 + _MARGIN)
        if float(outside.double().mean()) > _SHARE:
            low, high = (float(bound) for bound in looked_at.aminmax())
            warnings.warn(
                f"the {name} are {floats.dtype} and reach from {low:g} to {high:g}, while the {other} are uint8, value "
                "/ 255; bring both to one scale: grey levels 0..255 as uint8, [-1, 1] by (x + 1) / 2",
                stacklevel=4,
            )
