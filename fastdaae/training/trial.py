"""Whether a model takes the images that it shall be trained on, tried before any work, and what to do where not."""

from typing import Any

import torch
from torch import Tensor

_LARGEST_PICTURE = 1 << 24  # numbers that are tried as one image where a set does not fit


def require_fit(model: Any, images: Tensor) -> None:
    """Raises ValueError, with the remedy, where a model cannot reconstruct (or classify) images [N, ...]."""
    reason = _misfit(model, images[:2])
    if reason is not None:
        shape = ["N", *images.shape[1:]]
        raise ValueError(
            f"dataset must hold images that the model takes, got {shape} ({reason}); {_way_to_fit(model, images)}"
        )


def _way_to_fit(model: Any, images: Tensor) -> str:
    if images.dim() == 3 and _misfit(model, images[:2, None]) is None:
        begin = f"torch.nn.Unflatten(1, (1, {images.shape[1]}))"
        return f"the networks take [N, 1, H, W]: pass images[:, None], or begin the encoder with {begin}"
    if images.dim() < 4 and images.numel() <= _LARGEST_PICTURE and _misfit(model, images[None]) is None:
        return "all of it is one image for the model: a set of one is images[None]"
    return "reshape the images or change the networks"


@torch.no_grad()
def _misfit(model: Any, images: Tensor) -> str | None:
    """Why the model cannot do with images what it is for, None where it can."""
    was_training = model.training
    model.eval()
    run = model.classify if hasattr(model, "classify") else model.reconstruct
    try:
        run(images.to(next(model.parameters()).device))
    except (RuntimeError, ValueError) as error:
        return str(error).splitlines()[0]
    finally:
        model.train(was_training)
    return None
