"""`IntrinsicDimension`: the dimension of the manifold that a data set lies on, from its nearest neighbours."""

import hashlib
import math
import tempfile
import warnings
from collections.abc import Iterator

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data
from torch import Tensor

from fastdaae import ops
from fastdaae.evaluation.points import as_points
from fastdaae.ops.log_ratios import LogRatioMoments, Moments, log_ratio_moments

ESTIMATORS = ("mle", "mackay", "twonn")
_MAPPED_BLOCK = 1 << 22  # bytes of a mapped file that are looked at together


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
        """Estimate from X [N, D] (uint8 means value / 255), on X's device where X is a CUDA tensor; `y` is ignored.

        A C-ordered np.memmap of uint8, float32 or float64 is read where it is: it may be larger than memory.
        Warns where k > n - 1 and where rows repeat. Raises ValueError for k < 2, another estimator, empty or non-finite
        data, or fewer than three distinct rows.
        """
        points = _mapped(self, X) if _stays_mapped(X) else as_points(self, X, reset=True, keep_device=True)
        if self.estimator not in ESTIMATORS:
            raise ValueError(f"estimator must be one of {', '.join(map(repr, ESTIMATORS))}, got {self.estimator!r}")
        if not isinstance(self.k, int | np.integer) or self.k < 2:
            raise ValueError(f"k must be a whole number >= 2, got {self.k!r}")
        distinct = _distinct_rows(points)
        self.duplicates_ = len(points) - len(distinct)
        self._report(len(points), len(distinct))
        distances = ops.nearest_neighbors(distinct, self.k_).distances
        self.ks_ = np.arange(2, self.k_ + 1)
        if self.estimator == "twonn":
            self._fit_two_nearest(distances[:, :2].double().log())
        else:
            self._fit_likelihood(log_ratio_moments(distances))
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

    def _fit_likelihood(self, found: LogRatioMoments) -> None:
        points = len(found.last)
        if self.estimator == "mle":
            self.dimension_per_k_ = found.inverse.mean.cpu().numpy()
            self.standard_error_ = _standard_error(found.inverse, points)
        else:
            self.dimension_per_k_ = (1.0 / found.plain.mean).cpu().numpy()
            self.standard_error_ = _standard_error(found.plain, points) / float(found.plain.mean[-1]) ** 2
        self.dimension_pw_ = (1.0 / found.last).cpu().numpy()
        self.dimension_ = float(self.dimension_per_k_[-1])

    def _fit_two_nearest(self, log_distances: Tensor) -> None:
        ratios = (log_distances[:, 1] - log_distances[:, 0]).sort().values.cpu().numpy()
        kept = ratios[: max(1, int(0.9 * len(ratios)))]
        survival = -np.log1p(-np.arange(1, len(kept) + 1) / (len(ratios) + 1))
        self.dimension_ = float(kept @ survival / (kept @ kept))
        self.standard_error_ = self.dimension_ / np.sqrt(len(ratios))
        self.dimension_pw_ = 1.0 / np.maximum(ratios, np.finfo(float).tiny)
        self.dimension_per_k_ = np.full(len(self.ks_), self.dimension_)


def _standard_error(moments: Moments, points: int) -> float:
    """Of the mean at the largest k."""
    return math.sqrt(float(moments.squares[-1]) / (points - 1) / points)


def _stays_mapped(X) -> bool:
    kept = isinstance(X, np.memmap) and X.ndim == 2 and X.flags.c_contiguous and X.dtype.isnative
    return kept and X.dtype in (np.uint8, np.float32, np.float64)


def _mapped(estimator, X: np.memmap) -> np.memmap:
    # scikit-learn checks and records the shape of a stand-in; the operator checks the numbers, block by block
    stand_in = np.broadcast_to(np.float32(0), X.shape)
    validate_data(estimator, stand_in, reset=True, dtype=[np.float64, np.float32], ensure_all_finite=False)
    return X


def _distinct_rows(points: Tensor | np.memmap) -> Tensor | np.memmap:
    """The first of every group of equal rows, in their order."""
    if isinstance(points, np.memmap):
        return _distinct_mapped_rows(points)
    # adding zero makes -0.0 and 0.0 the same bytes
    rows = points + 0.0
    first = _first_of_equals_on_device(rows) if points.is_cuda else _first_of_equals(rows)
    return points[first.sort().values]


def _blocks_of(points: np.memmap) -> Iterator[slice]:
    step = max(1, _MAPPED_BLOCK // (points.itemsize * points.shape[1]))
    return (slice(start, start + step) for start in range(0, len(points), step))


def _distinct_mapped_rows(points: np.memmap) -> np.memmap:
    """The mapped file itself, or where rows repeat a temporary one of the first of every group of equal rows."""
    seen = set()  # 128-bit digests: unlike rows would share one once in 10^20 sets of 10^9 rows
    first = np.zeros(len(points), dtype=bool)
    for rows in _blocks_of(points):
        # adding zero makes -0.0 and 0.0 the same bytes
        block = np.ascontiguousarray(points[rows]) + points.dtype.type(0)
        for row, content in enumerate(block, start=rows.start):
            digest = hashlib.blake2b(content, digest_size=16).digest()
            first[row] = digest not in seen
            seen.add(digest)
    if first.all():
        return points
    with tempfile.TemporaryFile() as file:
        kept = np.memmap(file, points.dtype, "w+", shape=(int(first.sum()), points.shape[1]))
    filled = 0
    for rows in _blocks_of(points):
        block = points[rows][first[rows]]
        kept[filled : filled + len(block)] = block
        filled += len(block)
    return kept


def _first_of_equals(rows: Tensor) -> Tensor:
    contents = np.ascontiguousarray(rows.numpy())
    keys = contents.view(np.dtype((np.void, contents.dtype.itemsize * contents.shape[1]))).reshape(-1)
    return torch.from_numpy(np.unique(keys, return_index=True)[1])


def _first_of_equals_on_device(rows: Tensor) -> Tensor:
    groups, group_of_row = torch.unique(rows, dim=0, return_inverse=True)
    first = torch.full((len(groups),), len(rows), dtype=torch.int64, device=rows.device)
    numbers = torch.arange(len(rows), dtype=torch.int64, device=rows.device)
    return first.scatter_reduce_(0, group_of_row, numbers, "amin")
