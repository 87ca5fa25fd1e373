"""`log_ratio_moments`: what the likelihood estimators of intrinsic dimension need to know of neighbour distances."""

import torch
from torch import Tensor

from fastdaae import reference
from fastdaae.ops import rooms


@torch.no_grad()
def log_ratio_moments(distances: Tensor, *, backend: str = "auto") -> reference.LogRatioMoments:
    """Moments of the mean log-ratios of neighbour distances [N, K] (float32 or float64, ascending), for k = 2..K.

    For one point m = (1 / (k - 1)) sum_{j < k} log(T_k / T_j), exactly zero where all k distances are equal: such a
    point has no 1 / m and is left out of its moments. Results are float64, on the device of `distances`.
    Raises RuntimeError for a named backend that cannot run. Source: Levina and Bickel 2004; DE-GANs, equation 15.
    """
    room = rooms.choose("log_ratio_moments", backend, "dimension", distances)
    return (reference if room is None else room.dimension).log_ratio_moments(distances)
