"""What the likelihood estimators of intrinsic dimension need to know of neighbour distances."""

from typing import NamedTuple

import torch
from torch import Tensor


class Moments(NamedTuple):
    """The mean over `count` points (0 for none), and the sum of squared deviations from it, for every k in 2..K.

    float64 [K - 1] each.
    """

    mean: Tensor
    squares: Tensor
    count: Tensor  # type: ignore[assignment]  # a tuple's method of this name is not used


class LogRatioMoments(NamedTuple):
    """Moments of 1 / m where m > 0 and of m, the mean log-ratios of N points, and `last` [N], m for the largest k."""

    inverse: Moments
    plain: Moments
    last: Tensor


def log_ratio_moments(distances: Tensor) -> LogRatioMoments:
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
