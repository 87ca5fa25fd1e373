"""Log-ratios of neighbour distances, which the likelihood estimators of intrinsic dimension read."""

import torch
from torch import Tensor

from fastdaae.kernels import compiled
from fastdaae.kernels.cuda import device
from fastdaae.kernels.memory import empty


def problem(distances: Tensor) -> str | None:
    """Why the CUDA kernel cannot take distances, or None."""
    return device.problem(distances)


def log_ratio_moments(distances: Tensor) -> tuple[Tensor, Tensor]:
    """Moments over points of the mean log-ratios of distances [N, K] (float32 or float64, ascending).

    The first result, float64 [2, K - 1, 3], holds for 1 / m where m > 0 and for m, m the mean log-ratio of each point's
    2..K nearest, their mean, their sum of squared deviations from it and their number; the second, float64 [N], is m
    for all K.
    """
    distances, (points, k) = distances.contiguous(), distances.shape
    blocks = -(-points // compiled.load().log_ratio_rows())
    shapes = (blocks, 2, k - 1, 3), (2, k - 1, 3), (points,)
    partial, moments, last = (empty(*shape, dtype=torch.float64, device=distances.device) for shape in shapes)
    with device.place_of(distances.device) as place:
        compiled.load().intrinsic_dimension_cuda(
            *place,
            distances.data_ptr(),
            distances.dtype == torch.float64,
            points,
            k,
            *(tensor.data_ptr() for tensor in (partial, moments, last)),
        )
    return moments, last
