"""Chained sampling: the decoder's end with its corruption, and the decode-corrupt-encode Markov chain."""

from collections.abc import Callable

import torch
from torch import Tensor

from fastdaae import backend as backends
from fastdaae import reference
from fastdaae.corruptions import Corruption
from fastdaae.noise import Noise, Site
from fastdaae.ops import checks
from fastdaae.ops.corruption import corrupt, extension_problem

_ROWS = 8192  # chains that advance together: bounds the memory of one step


def linear_sigmoid_corrupt(
    h: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    corruption: Corruption | None,
    noise: Noise,
    *,
    keep_clean: bool = False,
    row_offset: int = 0,
    site: int = Site.CHAIN,
    backend: str = "auto",
) -> reference.Corrupted:
    """The decoder's last layer and the next corruption: x = sigmoid(h W^T + b), x~ ~ c(x~ | x), for h [N, K].

    Returns Corrupted(x_tilde [N, D], x [N, D] or None unless `keep_clean`), in the dtype of h, pixels in [0, 1] before
    the corruption. Differentiable in h, weight and bias. Addresses and errors as `corrupt`.
    """
    checks.require_batch("h", h, floats_only=True)
    if h.dim() != 2:
        raise ValueError(f"h must have the shape [N, K], got {list(h.shape)}")
    checks.require_linear(weight, bias, h.shape[1], "sigmoid")
    chosen = backends.choose("linear_sigmoid_corrupt", backend, {"cpp": extension_problem(h), "reference": None})
    x = torch.sigmoid(torch.nn.functional.linear(h, weight, bias))
    x_tilde = corrupt(x, corruption, noise, row_offset=row_offset, site=site, backend=chosen)[0]
    return reference.Corrupted(x_tilde, x if keep_clean else None)


@torch.no_grad()
def sample_chain(
    decoder: Callable[[Tensor], Tensor],
    encoder: Callable[[Tensor], Tensor],
    z: Tensor,
    corruption: Corruption | None,
    noise: Noise,
    *,
    steps: int,
    keep: tuple[int, ...] | None = None,
    row_offset: int = 0,
    site: int = Site.CHAIN,
    backend: str = "auto",
) -> Tensor:
    """The Markov chain z(t+1) = E(C(R(z(t)))) from z [N, Z]: the kept x(t) = R(z(t)), [len(keep), N, ...].

    `keep` lists steps in 0..steps, ascending; (steps,) by default; x(0) = R(z) is not corrupted. Step t reads the noise
    of step `noise.step + t`, row i that of row_offset + i, so that chains may be run in pieces. Not differentiable.
    Raises ValueError for keep outside 0..steps. Source: Creswell and Bharath 2018, equation 3 and Theorem 1.
    """
    checks.require_batch("z", z, floats_only=True)
    checks.require_noise(corruption, noise, z)
    checks.require_address(1, row_offset, site)
    keep = check_keep(steps, keep)
    chosen = backends.choose("sample_chain", backend, {"cpp": extension_problem(z), "reference": None})
    pieces = []
    for start in range(0, max(len(z), 1), _ROWS):
        rows = z[start : start + _ROWS]
        pieces.append(_run(decoder, encoder, rows, corruption, noise, keep, row_offset + start, site, chosen))
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=1)


def check_keep(steps: int, keep: tuple[int, ...] | None) -> tuple[int, ...]:
    """The steps to keep as an ascending tuple; raises ValueError where they do not fit 0..steps."""
    if steps < 0:
        raise ValueError(f"steps must be >= 0, got {steps}")
    keep = (steps,) if keep is None else tuple(keep)
    if not keep or list(keep) != sorted(set(keep)) or keep[0] < 0 or keep[-1] > steps:
        raise ValueError(f"keep must be ascending steps in 0..steps = {steps}, got {keep}; raise steps or lower keep")
    return keep


def _run(decoder, encoder, z, corruption, noise, keep, row_offset, site, backend) -> Tensor:
    kept = []
    for t in range(keep[-1] + 1):
        x = decoder(z)
        if t in keep:
            kept.append(x)
        if t < keep[-1]:
            ahead = noise.ahead(t)
            z = encoder(corrupt(x, corruption, ahead, row_offset=row_offset, site=site, backend=backend)[0])
    return torch.stack(kept)
