"""`IntrinsicDimension`: the dimension of the manifold that a data set lies on, from its nearest neighbours."""

import math
import operator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data
from torch import Tensor

from fastdaae import ops
from fastdaae.evaluation.estimators.fitting import fitting
from fastdaae.evaluation.estimators.points import as_points, as_rows
from fastdaae.evaluation.estimators.rows import distinct_rows, largest_of_rows
from fastdaae.evaluation.estimators.warn import warn
from fastdaae.ops.log_ratios import log_ratio_moments
from fastdaae.reference import LogRatioMoments, Moments

ESTIMATORS = ("mle", "mackay", "twonn")


class IntrinsicDimension(BaseEstimator):
    """The intrinsic dimension of a data set, a pure number that depends on n and k: print them with it.

    estimator: "mle", the mean over points of the inverse mean log-ratio of neighbour distances (Levina and Bickel 2004;
    DE-GANs, equations 15-17); "mackay", the inverse of the mean over points (MacKay and Ghahramani 2005); "twonn", the
    slope through the origin of -log(1 - F) against the log-ratio mu of the first two distances, with F = i / n at the
    i-th smallest and the largest tenth left out (Facco et al. 2017, as DADApy; scikit-dimension takes (i - 1) / n).
    All k in 2..k come from one neighbour pass.

    Duplicate rows are counted, reported and left out. A point ties at k where its k nearest are all at one distance, as
    far as rounding can tell: its mean log-ratio is zero and has no inverse. Such points are counted and reported;
    "mle" leaves them out, "mackay" and "twonn" keep their zero, as published. Ties come from data on a grid, for which
    these estimators were not made (Macocco et al. 2023): a larger k has fewer.

    After `fit`: `dimension_`, `standard_error_` (as if points were independent), `k_` = min(k, n - 1), `dimension_pw_`
    [n] (per point, duplicates left out; NaN where the point ties), `ks_` [k_ - 1] = 2..k_ and `dimension_per_k_`
    [k_ - 1] (NaN where all points tie), `duplicates_`, `ties_per_k_` [k_ - 1] (int64) and `ties_`, the one at k_ (for
    "twonn" at 2); float64.
    """

    # what `fit` finds, with the types that scikit-learn's class does not tell
    dimension_: float
    standard_error_: float
    k_: int
    ks_: NDArray[np.int64]
    dimension_pw_: NDArray[np.float64]
    dimension_per_k_: NDArray[np.float64]
    duplicates_: int
    ties_: int
    ties_per_k_: NDArray[np.int64]

    def __init__(self, k: int = 100, estimator: str = "mle") -> None:
        self.k = k
        self.estimator = estimator

    def fit(self, X: Any, y: Any = None) -> "IntrinsicDimension":
        """Estimate from X [N, D], or images [N, H, W] or [N, C, H, W]; `y` is ignored.

        uint8 means value / 255. A CUDA tensor is measured on its device. A C-ordered np.memmap of uint8, float32 or
        float64 is read where it is: it may be larger than memory.
        Warns where k > n - 1, where rows repeat and where points tie at k. Raises ValueError for k < 2, another
        estimator, empty or non-finite data, fewer than three distinct rows, or only points that tie.
        """
        with fitting(self):
            X = as_rows(X) if isinstance(X, np.memmap) else X
            points = _mapped(self, X) if _stays_mapped(X) else as_points(self, X, reset=True)
            if self.estimator not in ESTIMATORS:
                raise ValueError(f"estimator must be one of {', '.join(map(repr, ESTIMATORS))}, got {self.estimator!r}")
            k = _whole_number(self.k)
            distinct = distinct_rows(points)
            self._report_rows(k, len(points), len(distinct))
            distances = ops.nearest_neighbors(distinct, self.k_).distances
            distances = _with_ties(distances, largest_of_rows(distinct).to(distances))
            self._report_ties(distances)
            if self.estimator == "twonn":
                self._fit_two_nearest(distances[:, :2].double().log())
            else:
                self._fit_likelihood(log_ratio_moments(distances))
        return self

    def _report_rows(self, k: int, rows: int, distinct: int) -> None:
        if distinct < 3:
            raise ValueError(
                f"X must have at least 3 distinct rows, got {distinct} among n_samples = {rows}; give more data"
            )
        self.duplicates_ = rows - distinct
        if self.duplicates_:
            warn(f"{self.duplicates_} of {rows} rows repeat an earlier one and are left out")
        self.k_ = min(k, distinct - 1)
        if self.k_ < k:
            warn(f"k = {k} is more than n - 1; k_ = {self.k_} is used")
        self.ks_ = np.arange(2, self.k_ + 1)

    def _report_ties(self, distances: Tensor) -> None:
        points = len(distances)
        self.ties_per_k_ = (distances[:, 1:] == distances[:, :1]).sum(0).cpu().numpy()
        k = 2 if self.estimator == "twonn" else self.k_
        self.ties_ = int(self.ties_per_k_[k - 2])
        remedy = "data on a grid, such as grey levels, tie where a manifold does not; take a larger k or more data"
        if self.ties_ == points:
            raise ValueError(
                f"all {points} points have their {k} nearest neighbours at one distance, and a dimension needs "
                f"distances that differ; {remedy}"
            )
        if self.ties_:
            what = "are left out" if self.estimator == "mle" else "count as log-ratios of zero"
            warn(
                f"{self.ties_} of {points} points have their {k} nearest neighbours at one distance and {what}: "
                f"{remedy}"
            )

    def _fit_likelihood(self, found: LogRatioMoments) -> None:
        if self.estimator == "mle":
            self.dimension_per_k_ = _mean_or_nan(found.inverse)
            self.standard_error_ = _standard_error(found.inverse)
        else:
            self.dimension_per_k_ = _inverse_or_nan(found.plain.mean)
            self.standard_error_ = _standard_error(found.plain) / float(found.plain.mean[-1]) ** 2
        self.dimension_pw_ = _inverse_or_nan(found.last)
        self.dimension_ = float(self.dimension_per_k_[-1])

    def _fit_two_nearest(self, log_distances: Tensor) -> None:
        log_ratios = log_distances[:, 1] - log_distances[:, 0]
        n = len(log_ratios)
        kept = log_ratios.sort().values[: int(0.9 * n)].cpu().numpy()
        if not kept.any():
            raise ValueError(f"{self.ties_} of {n} points have their 2 nearest neighbours at one distance: too many")
        survival = -np.log1p(-np.arange(1, len(kept) + 1) / n)
        self.dimension_ = float(kept @ survival / (kept @ kept))
        self.standard_error_ = self.dimension_ / math.sqrt(n)
        self.dimension_pw_ = _inverse_or_nan(log_ratios)
        self.dimension_per_k_ = np.full(len(self.ks_), self.dimension_)


def _whole_number(k) -> int:
    try:
        number = operator.index(k)
    except TypeError:
        number = 0
    if number < 2:
        raise ValueError(f"k must be a whole number >= 2, got {k!r}")
    return number


def _with_ties(distances: Tensor, largest: Tensor) -> Tensor:
    """Each point's distances [N, K], those equal to its nearest where rounding cannot tell them apart from it.

    A coordinate is known to eps / 2 of its size, a difference of two to eps, and so a difference of two distances to
    2 eps of the largest coordinates [N] and of the distances themselves.
    """
    nearest = distances[:, :1].clamp_min(torch.finfo(distances.dtype).tiny)
    apart = nearest + 2 * torch.finfo(distances.dtype).eps * (largest[:, None] + nearest)
    return torch.where(distances <= apart, nearest, distances)


def _inverse_or_nan(values: Tensor) -> np.ndarray:
    return torch.where(values > 0, 1.0 / values, math.nan).cpu().numpy()


def _mean_or_nan(moments: Moments) -> np.ndarray:
    return torch.where(moments.count > 0, moments.mean, math.nan).cpu().numpy()


def _standard_error(moments: Moments) -> float:
    """Of the mean at the largest k; NaN for one point."""
    count = float(moments.count[-1])
    return math.sqrt(float(moments.squares[-1]) / (count - 1) / count) if count > 1 else math.nan


def _stays_mapped(X) -> bool:
    kept = isinstance(X, np.memmap) and X.ndim == 2 and X.flags.c_contiguous and X.dtype.isnative
    return kept and X.dtype in (np.uint8, np.float32, np.float64)


def _mapped(estimator, X: np.memmap) -> np.memmap:
    # scikit-learn checks and records the shape of a stand-in; the operator checks the numbers, block by block
    stand_in = np.broadcast_to(np.float32(0), X.shape)
    validate_data(estimator, stand_in, reset=True, dtype=[np.float64, np.float32], ensure_all_finite=False)
    return X
