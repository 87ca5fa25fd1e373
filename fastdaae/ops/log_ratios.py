"""`log_ratio_moments`: what the likelihood estimators of intrinsic dimension need to know of neighbour distances."""

from typing import NamedTuple

import torch
from torch import Tensor

from fastdaae import backend as backends
from fastdaae.kernels import cuda_neighbors


class Moments(NamedTuple):
    """The mean over `count` points (0 for none), and the sum of squared deviations from it, for every k in 2..K.

    float64 [K - 1] each.
    """

    mean: Tensor
    squares: Tensor
    count: Tensor


class LogRatioMoments(NamedTuple):
    """Moments of 1 / m where m > 0 and of m, the mean log-ratios of N points, and `last` [N], m for the largest k."""

    inverse: Moments
    plain: Moments
    last: Tensor


@torch.no_grad()
def log_ratio_moments(distances: Tensor, *, backend: str = "auto") -> LogRatioMoments:
    """Moments of the mean log-ratios of neighbour distances [N, K] (float32 or float64, ascending), for k = 2..K.

    For one point m = (1 / (k - 1)) sum_{j < k} log(T_k / T_j), exactly zero where all k distances are equal: such a
    point has no 1 / m and is left out of its moments. Results are float64, on the device of `distances`.
    Raises RuntimeError for a named backend that cannot run. Source: Levina and Bickel 2004; DE-GANs, equation 15.
    """
    problems = {"cuda": cuda_neighbors.problem(distances), "reference": None}
    if backends.choose("log_ratio_moments", backend, problems) == "reference":
        return _reference(distances)
    moments, last = cuda_neighbors.log_ratio_moments(distances.contiguous())
    inverse, plain = (Moments(*of_one.unbind(-1)) for of_one in moments)
    return LogRatioMoments(inverse, plain, last)


def _reference(distances: Tensor) -> LogRatioMoments:
    logs = distances.double().log()
    logs -= logs[:, :1].clone()  # so that equal distances give zero, whatever the rounding of sums
    earlier = torch.arange(1, logs.shape[1], dtype=torch.float64, device=logs.device)
    mean_log_ratios = logs[:, 1:] - logs.cumsum(1)[:, :-1] / earlier
    positive = mean_log_ratios > 0
    inverse = _moments(1.0 / mean_log_ratios, positive)
    return LogRatioMoments(inverse, _moments(mean_log_ratios, torch.ones_like(positive)), mean_log_ratios[:, -1])


def _moments(values: Tensor, counted: Tensor) -> Moments:
    count = counted.sum(0).double()
    mean = torch.where(counted, values, 0.0).sum(0) / count.clamp_min(1.0)
    return Moments(mean, torch.where(counted, values - mean, 0.0).square().sum(0), count)
