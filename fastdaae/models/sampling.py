"""`model.sample`: decode-corrupt-encode chains from the prior, or from codes of one's own."""

from typing import Any

import torch
from torch import Tensor, nn

from fastdaae import ops
from fastdaae.corruptions import Corruption
from fastdaae.noise import Noise, Site
from fastdaae.ops.chain import check_keep
from fastdaae.priors import Prior

_TRAINING: Any = object()


@torch.no_grad()
def sample(
    model: Any,
    n: int,
    *,
    steps: int = 0,
    initial: Tensor | Prior | None = None,
    corruption: Corruption | None = _TRAINING,
    keep: tuple[int, ...] | None = None,
    seed: int = 0,
    precision: str = "fp32",
) -> Tensor:
    """n samples x(steps) of the chain, [n, ...]; with `keep`, the samples of those steps, [len(keep), n, ...].

    x(0) = decode(z(0)) is uncorrupted; `initial` is z(0): draws of the model's prior by default, a tensor [n, Z] or
    another prior. `corruption` is the one of training by default (an AAE chains uncorrupted). `keep` lists steps in
    0..steps, ascending. Pixels in [0, 1], in the decoder's shape and dtype; equal seeds give equal samples, and the
    first rows of a larger n are those of a smaller one. precision as `fastdaae.ops.sample_chain`. Raises ValueError
    for n < 1, keep outside 0..steps, or a model without a prior and no `initial`. Source: Creswell and Bharath
    2018, section IV, equation 3.
    """
    if n < 1:
        raise ValueError(f"n must be >= 1, got {n}")
    kept = check_keep(steps, keep)
    parameter = next(model.parameters())
    noise = Noise(seed, device=parameter.device)
    corruption = model.corruption if corruption is _TRAINING else corruption
    was_training = model.training
    model.eval()
    try:
        z = _initial_codes(model, n, initial, noise).to(parameter.dtype)
        how: dict[str, Any] = {"steps": steps, "keep": kept, "precision": precision}
        chain = ops.sample_chain(_to_pixels(model), model.encoder, z, corruption, noise, **how)
    finally:
        model.train(was_training)
    return chain[0] if keep is None else chain


def _to_pixels(model) -> nn.Module:
    """The decoder with all that makes pixels of codes, for kernels to fuse."""
    return nn.Sequential(model.decoder, nn.Sigmoid()) if model.decoder_output == "logits" else model.decoder


def _initial_codes(model, n: int, initial, noise: Noise) -> Tensor:
    if isinstance(initial, Tensor):
        if initial.dim() != 2 or len(initial) != n:
            raise ValueError(f"initial must be codes [n, Z] with n = {n} rows, got {list(initial.shape)}")
        return initial.to(noise.device)
    prior = getattr(model, "prior", None) if initial is None else initial
    if prior is None:
        raise ValueError(
            f"this {type(model).__name__} has no prior; initial must be a tensor of codes [n, Z] or a prior"
        )
    if not hasattr(prior, "sample"):
        raise ValueError(
            f"initial must be a tensor [n, Z] or a prior of fastdaae.priors for {type(model).__name__}, got {initial!r}"
        )
    return prior.sample(n, noise, site=Site.INITIAL)
