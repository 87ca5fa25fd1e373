"""Noise of one's own: what a class that overrides `corrupted` draws for Algorithm 2.

A class overrides `corrupted(self, x, noise, *, site, row_offset=0)`, takes all its randomness from the addresses that
it is given, and has corruption=None:

    def corrupted(self, x, noise, *, site, row_offset=0):
        pixels = super().corrupted(x, noise, site=site)
        drawn = fastdaae.ops.normal(len(x), x[0].numel(), noise, row_offset=row_offset, site=site)[0]
        return pixels * (1 + 0.5 * drawn.reshape(x.shape))
"""

from collections.abc import Callable

import torch
from torch import Tensor

from fastdaae import ops
from fastdaae.noise import Noise, Site
from fastdaae.ops.network import Plan


def copies_of(model, x: Tensor, noise: Noise, *, copies: int, row_offset: int, site: int) -> Tensor:
    """M corruptions of a batch x [N, ...], [copies, N, ...]."""
    if not model.draws_own_noise:
        return ops.corrupt(x, model.corruption, noise, copies=copies, row_offset=row_offset, site=site)
    # M rows for each of the batch's, so that a row of the global batch reads the same noise in any piece of it
    rows = x.repeat_interleave(copies, 0)
    x_tilde = model.corrupted(rows, noise, site=site, row_offset=row_offset * copies)
    return x_tilde.unflatten(0, (len(x), copies)).transpose(0, 1)


def mean_code(
    model, encoder: Callable[[Tensor], Tensor] | Plan, x: Tensor, noise: Noise, *, copies: int, row_offset: int
) -> Tensor:
    """Algorithm 2: the mean code of M fresh corruptions of x [N, ...], [N, Z]."""
    if not model.draws_own_noise:
        return ops.encode_mean(encoder, x, model.corruption, noise, copies=copies, row_offset=row_offset)
    x_tilde = copies_of(model, x, noise, copies=copies, row_offset=row_offset, site=Site.MATCHING)
    return torch.stack([encoder(one_copy) for one_copy in x_tilde]).mean(0)
