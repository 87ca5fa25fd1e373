"""`model.sample`: decode-corrupt-encode chains from the prior, or from codes of one's own."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fastdaae import arrays, ops, priors, reference
from fastdaae.arguments import whole_in
from fastdaae.corruptions import Corruption
from fastdaae.models.fitting import code_size
from fastdaae.models.shapes import as_images
from fastdaae.noise import Noise, Site
from fastdaae.ops.chain import check_keep, check_precision
from fastdaae.ops.network import Plan, flattens

TRAINING: Any = object()  # stands for the corruption of training


def sample(
    model: Any,
    n: int,
    *,
    steps: int = 0,
    initial: Tensor | np.ndarray | priors.Prior | None = None,
    corruption: Corruption | None = TRAINING,
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
    how: dict[str, Any] = {"steps": steps, "initial": initial, "corruption": corruption, "keep": keep}
    return draw_samples(model, n, run_chain, **how, seed=seed, precision=precision)


@torch.no_grad()
def draw_samples(
    model: Any, n: int, run: Callable[..., Tensor], *, steps: int, initial, corruption, keep, seed: int, precision: str
) -> Tensor:
    """What `sample` gives, of the chains that run(model, z, corruption, noise, keep, precision) makes of codes z."""
    n, kept = whole_in("n", n, 1), check_keep(steps, keep)
    check_precision(precision)
    parameter = next(model.parameters())
    noise = Noise(seed, device=parameter.device)
    was_training = model.training
    model.eval()
    try:
        z = _initial_codes(model, n, initial, noise).to(parameter.dtype)
        chain = run(model, z, corruption, noise, kept, precision)
    finally:
        model.train(was_training)
    chain = as_images(chain, model.image_shape, leading=2)
    return chain[0] if keep is None else chain


def run_chain(model, z: Tensor, corruption: Any, noise: Noise, keep: tuple[int, ...], precision: str) -> Tensor:
    """The kept x(t) of chains whose codes the networks alone make, in fused kernels where these know them."""
    if corruption is TRAINING and model.draws_own_noise:
        return run_methods(model, z, corruption, noise, keep, precision, lambda x, *_, **__: model.encode(x))
    corruption = model.corruption if corruption is TRAINING else corruption
    how: dict[str, Any] = {"steps": keep[-1], "keep": keep, "precision": precision, "image_shape": model.image_shape}
    return ops.sample_chain(_to_pixels(model), _from_pixels(model), z, corruption, noise, **how)


def run_methods(
    model,
    z: Tensor,
    corruption: Any,
    noise: Noise,
    keep: tuple[int, ...],
    precision: str,
    codes: Callable[..., Tensor],
) -> Tensor:
    """The kept x(t) of chains by the model's own methods; `codes(x~, noise, row_offset=...)` makes those of a step."""

    def next_codes(x: Tensor, first: int, t: int) -> Tensor:
        now = noise.ahead(t)
        if corruption is TRAINING:
            x_tilde = model.corrupted(x, now, row_offset=first, site=Site.CHAIN)
        else:
            x_tilde = ops.corrupt(x, corruption, now, row_offset=first, site=Site.CHAIN)[0]
        return codes(x_tilde, now, row_offset=first)

    half = precision == "bf16"
    with torch.autocast(z.device.type, dtype=torch.bfloat16) if half else nullcontext():
        return reference.run_chains(model.decode, nn.Identity(), z, keep, next_codes).to(z.dtype)


def _to_pixels(model) -> nn.Module:
    """The decoder with all that makes pixels of codes, for kernels to fuse."""
    return nn.Sequential(model.decoder, nn.Sigmoid()) if model.decoder_output == "logits" else model.decoder


def _from_pixels(model) -> nn.Module:
    """The encoder, which takes images of its shape from whatever shape the decoder gives."""
    shape, encoder = model.image_shape, model.code_network()
    stages = Plan.of(encoder).stages
    # an encoder that flattens needs no other shape, and as it is the kernels know it
    if shape is None or (stages and flattens(stages[0])):
        return encoder
    shaped = [nn.Unflatten(1, shape)] if len(shape) > 1 else []
    return nn.Sequential(nn.Flatten(), *shaped, encoder)


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
