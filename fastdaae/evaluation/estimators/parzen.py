"""`ParzenWindow`: a Gaussian Parzen window as an exact scikit-learn estimator that chooses its bandwidth."""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from fastdaae import ops, reference
from fastdaae.arrays import to_tensor
from fastdaae.evaluation.estimate import Estimate
from fastdaae.evaluation.estimators.fitting import fitting
from fastdaae.evaluation.estimators.points import as_points
from fastdaae.evaluation.estimators.scales import warn_of_another_scale
from fastdaae.evaluation.estimators.warn import warn
from fastdaae.ops import checks

_LEAVE_OUT_BLOCK = 512
GRID_END = "the best bandwidth"  # what the warning of a bandwidth at an end of its grid begins with


class ParzenWindow(DensityMixin, BaseEstimator):
    """Log-likelihood under a mixture of one isotropic Gaussian per sample, in nats.

    bandwidth: a number (in the units of X: [0, 1] pixels for images) or "auto", the one of `bandwidths` (by default
    logspace(-1, 0, 10), the paper's grid) that maximises the mean log-likelihood of the validation set, or of each
    sample under the others without one; all bandwidths are evaluated in one pass. After `fit`: `samples_` [N, D],
    `bandwidth_`, and for "auto" `bandwidths_` [B], `validation_log_likelihoods_` [B] (mean nats) and
    `validation_standard_errors_` [B] (of those means over the validation set, as if its rows were independent; NaN for
    one row). Exact to 1e-3 + 1e-6 |log p| nats. Source: Creswell and Bharath 2018, section VI-B and appendix E-D.

    All sets are [N, D], or images [N, H, W] or [N, C, H, W], whose pixels are the columns. Samples that are a CUDA
    tensor stay on their device; validation set and queries are moved to where the samples are, and measured there.
    Warns (UserWarning) where the best bandwidth is at an end of its grid, and where two sets are on different scales
    beyond doubt, such as [-1, 1] or 0..255 beside [0, 1].
    """

    # what `fit` finds, with the types that scikit-learn's classes do not tell
    samples_: Tensor
    bandwidth_: float
    bandwidths_: NDArray[np.float64]
    validation_log_likelihoods_: NDArray[np.float64]
    validation_standard_errors_: NDArray[np.float64]

    def __init__(self, bandwidth: float | str = "auto", bandwidths: ArrayLike | None = None) -> None:
        self.bandwidth = bandwidth
        self.bandwidths = bandwidths

    def fit(self, X: Any, y: Any = None, *, validation: Any = None) -> "ParzenWindow":
        """Keep the samples X [N, D] or [N, ...] and choose the bandwidth; `y` is ignored.

        uint8 means value / 255 in arrays, tensors, data frames and lists alike; other integers are numbers as they are.
        Arrays and memory maps in C order are kept as they are, not copied, and read block by block on the CPU.
        Raises ValueError for empty or non-finite sets, bandwidths that are not positive, and "auto" with one sample
        alone.
        """
        with fitting(self):
            self.samples_ = as_points(self, X, reset=True)
            checks.require_points("X", self.samples_)
            if not (isinstance(self.bandwidth, str) and self.bandwidth == "auto"):
                self.bandwidth_ = _one_positive(self.bandwidth)
            else:
                self._choose_bandwidth(validation)
        return self

    def _choose_bandwidth(self, validation) -> None:
        candidates = np.logspace(-1, 0, 10) if self.bandwidths is None else self.bandwidths
        self.bandwidths_ = as_grid(candidates)
        if validation is None:
            log_densities = _leave_one_out(self.samples_, self.bandwidths_)
        else:
            log_densities = self._log_densities(validation, self.bandwidths_, "validation set")
        self.validation_log_likelihoods_ = log_densities.mean(1).cpu().numpy()
        estimates = [Estimate.of(values) for values in log_densities.cpu().numpy()]
        self.validation_standard_errors_ = np.array([estimate.standard_error for estimate in estimates])
        self.bandwidth_ = float(self.bandwidths_[self.validation_log_likelihoods_.argmax()])
        warn_of_grid_end(self.bandwidth_, self.bandwidths_)

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """The log-density of each row of X [Q, D] or [Q, ...], float64 [Q]; nats of a density may be positive."""
        check_is_fitted(self)
        return self._log_densities(X, [self.bandwidth_], "queries")[0].cpu().numpy()

    def score(self, X: Any, y: Any = None) -> float:
        """The mean log-density of X [Q, D] in nats; `y` is ignored."""
        return float(self.score_samples(X).mean())

    def mean_log_likelihood(self, X: Any) -> Estimate:
        """The mean log-density of X [Q, D] in nats, and its standard error over the queries."""
        return Estimate.of(self.score_samples(X))

    def _log_densities(self, X, bandwidths, name: str) -> Tensor:
        queries = as_points(self, X, reset=False).to(self.samples_.device)
        warn_of_another_scale(self.samples_, queries, name)
        return ops.parzen_log_density(queries, self.samples_, bandwidths)


def grid_end(bandwidth: float, bandwidths) -> str | None:
    """Which end of a grid [B] a bandwidth chosen from it is, "least" or "greatest"; None inside, and where B = 1."""
    least, most = min(bandwidths), max(bandwidths)
    if len(bandwidths) < 2 or least < bandwidth < most:
        return None
    return "least" if bandwidth == least else "greatest"


def warn_of_grid_end(bandwidth: float, bandwidths, of: str = "") -> None:
    """Warns where a bandwidth chosen from a grid [B] is at an end of it; `of` says whose it is."""
    end = grid_end(bandwidth, bandwidths)
    if end is not None:
        low, high = (0.1, 2.0) if end == "least" else (0.5, 10.0)
        warn(
            f"{GRID_END}{of and f' for {of}'}, {bandwidth:.4g}, is the {end} of its grid, and a better one may lie "
            f"beyond; pass a grid such as bandwidths=numpy.geomspace({bandwidth * low:.2g}, {bandwidth * high:.2g}, 10)"
        )


def _one_positive(bandwidth) -> float:
    found = _numbers(bandwidth)
    if len(found) != 1 or not _all_positive(found):
        raise ValueError(f"bandwidth must be 'auto' or a number > 0, got {bandwidth!r}; pass several as bandwidths=")
    checks.require_bandwidths("bandwidth", found.tolist())
    return float(found[0])


def as_grid(bandwidths) -> NDArray[np.float64]:
    """Bandwidths to choose from as float64 [B]; raises ValueError for what is no list of positive finite numbers."""
    found = _numbers(bandwidths)
    if not len(found) or not _all_positive(found):
        raise ValueError(f"bandwidths must be a list of finite numbers > 0, got {bandwidths!r}")
    checks.require_bandwidths("bandwidths", found.tolist())
    return found


def _all_positive(numbers: np.ndarray) -> bool:
    return bool((np.isfinite(numbers) & (numbers > 0)).all())


def _numbers(values) -> np.ndarray:
    """One number or a list of them, NumPy's or torch's too, as float64 [B]; empty for anything else."""
    array = np.atleast_1d(values.numpy(force=True) if isinstance(values, Tensor) else np.asarray(values))
    return array.astype(np.float64) if array.ndim == 1 and array.dtype.kind in "iuf" else np.empty(0)


def _leave_one_out(samples: Tensor, bandwidths: np.ndarray) -> Tensor:
    """The log-density of each sample under all the others, [B, N]: block by block."""
    count = len(samples)
    if count < 2:
        raise ValueError(
            f"bandwidth='auto' needs a validation set or at least 2 samples, got {count} sample; pass validation="
        )
    columns = []
    for start in range(0, count, _LEAVE_OUT_BLOCK):
        stop = min(start + _LEAVE_OUT_BLOCK, count)
        block = samples[start:stop]
        parts = [_block_log_sums(block, bandwidths)]
        for others in (samples[:start], samples[stop:]):
            if len(others):
                parts.append(ops.parzen_log_density(block, others, bandwidths) + _log_normalizer(others, bandwidths))
        columns.append(torch.logsumexp(torch.stack(parts), dim=0))
    return torch.cat(columns, dim=1) - _log_normalizer(samples[1:], bandwidths)


def _block_log_sums(block: Tensor, bandwidths: np.ndarray) -> Tensor:
    block = reference.as_double(block)
    distances = torch.cdist(block, block, compute_mode="donot_use_mm_for_euclid_dist").square()
    distances.fill_diagonal_(math.inf)
    return torch.stack([torch.logsumexp(-distances / (2 * h * h), dim=1) for h in bandwidths])


def _log_normalizer(samples: Tensor, bandwidths: np.ndarray) -> Tensor:
    """log N + D log(h sqrt(2 pi)) as a column [B, 1]."""
    columns = samples.shape[1] * np.log(np.asarray(bandwidths) * math.sqrt(2 * math.pi))
    return to_tensor(math.log(len(samples)) + columns)[:, None].to(samples.device)
