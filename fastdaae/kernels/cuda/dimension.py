"""Log-ratios of neighbour distances, which the likelihood estimators of intrinsic dimension read."""

import torch
from torch import Tensor

from fastdaae import reference
from fastdaae.kernels import compiled
from fastdaae.kernels.cuda import device
from fastdaae.kernels.memory import empty


def problem(distances: Tensor) -> str | None:
    """Why the CUDA kernel cannot take distances, or None."""
    return device.problem(distances)


def log_ratio_moments(distances: Tensor) -> reference.LogRatioMoments:
    """Moments over points of the mean log-ratios of distances [N, K] (float32 or float64, ascending), for k = 2..K."""
    distances, (points, k) = distances.contiguous(), distances.shape
    blocks = -(-points // compiled.load().log_ratio_rows())
    # the kernel writes, for 1 / m and for m and every k, (mean, squares, count)
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
    inverse, plain = (reference.Moments(*of_one.unbind(-1)) for of_one in moments)
    return reference.LogRatioMoments(inverse, plain, last)
