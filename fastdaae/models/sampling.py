"""`model.sample`: decode-corrupt-encode chains from the prior, or from codes of one's own."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fastdaae import arrays, ops, priors
from fastdaae.arguments import whole_in
from fastdaae.corruptions import Corruption
from fastdaae.models import own_noise
from fastdaae.models.fitting import code_size
from fastdaae.models.shapes import as_images
from fastdaae.noise import Noise, Site
from fastdaae.ops.chain import check_keep, check_precision
from fastdaae.ops.network import Plan, flattens

_TRAINING: Any = object()


@torch.no_grad()
def sample(
    model: Any,
    n: int,
    *,
    steps: int = 0,
    initial: Tensor | np.ndarray | priors.Prior | None = None,
    corruption: Corruption | None = _TRAINING,
    keep: tuple[int, ...] | None = None,
    seed: int = 0,
    precision: str = "fp32",
) -> Tensor:
    """n samples x(steps) of the chain, [n, *image_shape]; with `keep` those of its steps, [len(keep), n, *image_shape].

    x(0) = decode(z(0)) is uncorrupted; `initial` is z(0): draws of the model's prior by default, a tensor or array
    [n, Z] on any device, or another prior. `corruption` is the one of training by default (an AAE chains uncorrupted).
    `keep` lists steps in 0..steps, ascending. Pixels in [0, 1], in the decoder's dtype, and in its shape where the
    model knows no image_shape; equal seeds give equal samples, and the first rows of a larger n are those of a smaller
    one. precision as `fastdaae.ops.sample_chain`. Raises ValueError for n < 1, keep outside 0..steps, codes that the
    decoder does not take, or a model without a prior and no `initial`; TypeError for what is no whole number, prior or
    corruption. Source: Creswell and Bharath 2018, section IV, equation 3.
    """
    n, kept = whole_in("n", n, 1), check_keep(steps, keep)
    check_precision(precision)
    parameter = next(model.parameters())
    noise = Noise(seed, device=parameter.device)
    was_training = model.training
    model.eval()
    try:
        z = _initial_codes(model, n, initial, noise).to(parameter.dtype)
        if corruption is _TRAINING and model.draws_own_noise:
            chain = own_noise.chain(model, z, noise, kept, precision)
        else:
            corruption = model.corruption if corruption is _TRAINING else corruption
            how: dict[str, Any] = {
                "steps": steps,
                "keep": kept,
                "precision": precision,
                "image_shape": model.image_shape,
            }
            chain = ops.sample_chain(_to_pixels(model), _from_pixels(model), z, corruption, noise, **how)
    finally:
        model.train(was_training)
    chain = as_images(chain, model.image_shape, leading=2)
    return chain[0] if keep is None else chain


def _to_pixels(model) -> nn.Module:
    """The decoder with all that makes pixels of codes, for kernels to fuse."""
    return nn.Sequential(model.decoder, nn.Sigmoid()) if model.decoder_output == "logits" else model.decoder


def _from_pixels(model) -> nn.Module:
    """The encoder, which takes images of its shape from whatever shape the decoder gives."""
    shape, stages = model.image_shape, Plan.of(model.encoder).stages
    # an encoder that flattens needs no other shape, and as it is the kernels know it
    if shape is None or (stages and flattens(stages[0])):
        return model.encoder
    shaped = [nn.Unflatten(1, shape)] if len(shape) > 1 else []
    return nn.Sequential(nn.Flatten(), *shaped, model.encoder)


def _initial_codes(model, n: int, initial, noise: Noise) -> Tensor:
    if isinstance(initial, np.ndarray):
        initial = arrays.to_tensor(initial)
    if isinstance(initial, Tensor):
        if initial.dim() != 2 or len(initial) != n:
            raise ValueError(f"initial must be codes [n, Z] with n = {n} rows, got {list(initial.shape)}")
        return _fitting(model, "initial", initial.to(noise.device))
    prior = getattr(model, "prior", None) if initial is None else initial
    if prior is None:
        raise ValueError(
            f"this {type(model).__name__} has no prior; initial must be a tensor of codes [n, Z] or a prior"
        )
    if initial is not None:
        priors.require_initial(initial)
    return _fitting(model, "prior" if initial is None else "initial", prior.sample(n, noise, site=Site.INITIAL))


def _fitting(model, name: str, codes: Tensor) -> Tensor:
    taken = code_size(model.decoder)
    if taken not in (None, codes.shape[1]):
        raise ValueError(f"{name} must give codes of {taken} numbers, as the decoder takes, got {codes.shape[1]}")
    return codes
