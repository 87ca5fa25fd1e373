"""`IntrinsicDimension`: the dimension of the manifold that a data set lies on, from its nearest neighbours."""

import warnings

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import Tensor

from fastdaae import ops
from fastdaae.evaluation.estimate import Estimate
from fastdaae.evaluation.points import as_points

ESTIMATORS = ("mle", "mackay", "twonn")


class IntrinsicDimension(BaseEstimator):
    """The intrinsic dimension of a data set, a pure number that depends on n and k: print them with it.

    estimator: "mle", the mean over points of the inverse mean log-ratio of neighbour distances (Levina and Bickel 2004;
    DE-GANs, equations 15-17); "mackay", the inverse of the mean over points (MacKay and Ghahramani 2005); "twonn", the
    slope through the origin of -log(1 - F) against the log-ratio of the first two distances, the largest tenth left out
    (Facco et al. 2017). All k in 2..k come from one neighbour pass. Duplicate rows are counted, reported and left out.

    After `fit`: `dimension_`, `standard_error_` (as if points were independent), `k_` = min(k, n - 1), `dimension_pw_`
    [n] (per point, with duplicates left out), `ks_` [k_ - 1] = 2..k_ and `dimension_per_k_` [k_ - 1], `duplicates_`;
    float64.
    """

    def __init__(self, k=100, estimator="mle"):
        self.k = k
        self.estimator = estimator

    def fit(self, X, y=None) -> "IntrinsicDimension":
        """Estimate from X [N, D] (uint8 means value / 255); `y` is ignored.

        Warns where k > n - 1 and where rows repeat. Raises ValueError for k < 2, another estimator, empty or non-finite
        data, or fewer than three distinct rows.
        """
        points = as_points(self, X, reset=True)
        if self.estimator not in ESTIMATORS:
            raise ValueError(f"estimator must be one of {', '.join(map(repr, ESTIMATORS))}, got {self.estimator!r}")
        if not isinstance(self.k, int | np.integer) or self.k < 2:
            raise ValueError(f"k must be a whole number >= 2, got {self.k!r}")
        distinct = _distinct_rows(points)
        self.duplicates_ = len(points) - len(distinct)
        self._report(len(points), len(distinct))
        log_distances = ops.nearest_neighbors(distinct, self.k_).distances.double().log()
        self.ks_ = np.arange(2, self.k_ + 1)
        mean_log_ratios = _mean_log_ratios(log_distances)
        if self.estimator == "twonn":
            self._fit_two_nearest(log_distances)
        else:
            self._fit_likelihood(mean_log_ratios)
        return self

    def _report(self, rows: int, distinct: int) -> None:
        if distinct < 3:
            raise ValueError(
                f"X must have at least 3 distinct rows, got {distinct} among n_samples = {rows}; give more data"
            )
        if self.duplicates_:
            warnings.warn(f"{self.duplicates_} of {rows} rows repeat an earlier one and are left out", stacklevel=3)
        self.k_ = min(int(self.k), distinct - 1)
        if self.k_ < self.k:
            warnings.warn(f"k = {self.k} is more than n - 1; k_ = {self.k_} is used", stacklevel=3)

    def _fit_likelihood(self, mean_log_ratios: Tensor) -> None:
        per_point = 1.0 / mean_log_ratios
        if self.estimator == "mle":
            self.dimension_per_k_ = per_point.mean(0).numpy()
            self.standard_error_ = Estimate.of(per_point[:, -1].numpy()).standard_error
        else:
            self.dimension_per_k_ = (1.0 / mean_log_ratios.mean(0)).numpy()
            spread = Estimate.of(mean_log_ratios[:, -1].numpy())
            self.standard_error_ = spread.standard_error / spread.mean**2
        self.dimension_pw_ = per_point[:, -1].numpy()
        self.dimension_ = float(self.dimension_per_k_[-1])

    def _fit_two_nearest(self, log_distances: Tensor) -> None:
        ratios = (log_distances[:, 1] - log_distances[:, 0]).sort().values.numpy()
        kept = ratios[: max(1, int(0.9 * len(ratios)))]
        survival = -np.log1p(-np.arange(1, len(kept) + 1) / (len(ratios) + 1))
        self.dimension_ = float(kept @ survival / (kept @ kept))
        self.standard_error_ = self.dimension_ / np.sqrt(len(ratios))
        self.dimension_pw_ = 1.0 / np.maximum(ratios, np.finfo(float).tiny)
        self.dimension_per_k_ = np.full(len(self.ks_), self.dimension_)


def _distinct_rows(points: Tensor) -> Tensor:
    # adding zero makes -0.0 and 0.0 the same bytes
    rows = np.ascontiguousarray(points.numpy() + 0.0)
    keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).reshape(-1)
    first = np.unique(keys, return_index=True)[1]
    return points[torch.from_numpy(np.sort(first))]


def _mean_log_ratios(log_distances: Tensor) -> Tensor:
    """(1 / (k - 1)) sum_{j < k} log(T_k / T_j) for every point and k = 2.., [n, k_ - 1]: equation 15 inverted."""
    ks = torch.arange(2, log_distances.shape[1] + 1, dtype=torch.float64)
    earlier = log_distances.cumsum(1)[:, :-1]
    return log_distances[:, 1:] - earlier / (ks - 1)
