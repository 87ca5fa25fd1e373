"""How well a model reconstructs: mean squared error with its standard error."""

from typing import Any

import torch
from torch import Tensor

from fastdaae.evaluation.estimate import Estimate
from fastdaae.noise import Noise
from fastdaae.reference import as_float

_BATCH = 1000


@torch.no_grad()
def reconstruction_error(model: Any, images: Tensor, noise: Noise | None = None) -> Estimate:
    """Mean squared error per pixel of model.reconstruct over images [N, ...] (uint8 or [0, 1] pixels), with its error.

    With `noise` the inputs are corrupted as in training (the paper's Table I); the target is always the clean image.
    The standard error is over images. Raises ValueError for an empty set. Source: Creswell and Bharath 2018, section
    VI-D.
    """
    if len(images) == 0:
        raise ValueError("images must not be empty, got 0 rows")
    errors = []
    for start in range(0, len(images), _BATCH):
        x = images[start : start + _BATCH].to(next(model.parameters()).device)
        # a model gives images in its own shape, of which subtracting another one could make something else
        difference = model.reconstruct(x, noise, row_offset=start).reshape(x.shape) - as_float(x)
        errors.append(difference.double().square().flatten(1).mean(1))
    return Estimate.of(torch.cat(errors).cpu().numpy())
