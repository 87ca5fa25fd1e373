"""What a model keeps of images that are corrupted at test time: an error for each image and strength."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fastdaae import ops
from fastdaae.corruptions import Gaussian
from fastdaae.evaluation.estimate import Estimate
from fastdaae.noise import Noise, Site
from fastdaae.reference import as_float

_BATCH = 1000
STRENGTHS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)  # the paper's 0.1, 0.25, 0.5 and 1.0, none, and one between


@torch.no_grad()
def corrupted_batches(
    images: Tensor, sigma: float, noise: Noise, take: Callable[[Tensor, Tensor], Tensor], batch: int = _BATCH
) -> np.ndarray:
    """What `take` makes of corrupted images x~ and the clean ones, both floats [n, ...]: rows for all images [N, ...].

    x~ = x + sigma n, unclipped, on the device of the noise; image i reads the noise of row i, the same one at each
    sigma, so that a curve over sigma is of one draw. sigma = 0 is no corruption.
    """
    taken = []
    for start in range(0, len(images), batch):
        x = as_float(images[start : start + batch].to(noise.device))
        corrupted = ops.corrupt(x, Gaussian(sigma), noise, row_offset=start, site=Site.EVALUATION)[0] if sigma else x
        taken.append(take(corrupted, x).cpu())
    return torch.cat(taken).numpy()


def reconstruction_errors(model: Any, images: Tensor, sigma: float, noise: Noise) -> np.ndarray:
    """The mean squared error per pixel of each image [N, ...] as model.reconstruct gives it back from x~, float64 [N].

    The target is the clean image, the corruption Gaussian of deviation `sigma` whatever the model was trained with.
    Raises ValueError for an empty set. Source: Creswell and Bharath 2018, section VI-D and Table I, over strengths.
    """
    if len(images) == 0:
        raise ValueError("images must not be empty, got 0 rows")

    def error(corrupted: Tensor, x: Tensor) -> Tensor:
        return (model.reconstruct(corrupted).reshape(x.shape) - x).double().square().flatten(1).mean(1)

    return corrupted_batches(images, sigma, noise, error)


def over_strengths(values: np.ndarray, strengths: Sequence[float]) -> tuple[Estimate, np.ndarray, np.ndarray]:
    """Values [S, N] of N images at S strengths: their mean over strengths and images, and the curve with its errors.

    The mean over strengths is the area under the curve by trapezoids, over the range of the strengths; its standard
    error is over images, each with its whole curve.
    """
    a_curve = np.trapezoid(values, strengths, axis=0) / (strengths[-1] - strengths[0])
    errors = values.std(1, ddof=1) / np.sqrt(values.shape[1]) if values.shape[1] > 1 else np.full(len(values), np.nan)
    return Estimate.of(a_curve), values.mean(1), errors
