"""Corruption, layers, Algorithm 2 and the Markov chain."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from fastdaae import noise as addressed
from fastdaae.activation import Activation
from fastdaae.corruptions import Corruption, Gaussian, Masking, Patches, Shuffling
from fastdaae.corruptions.regions import require_numbers
from fastdaae.noise import Noise, Site
from fastdaae.reference.numbers import as_float, blocks
from fastdaae.reference.regions import corrupt_regions

CHAIN_ROWS = 8192  # chains that advance together: bounds the memory of one step


class Corrupted(NamedTuple):
    """A corrupted batch x_tilde [N, D] and, when it was kept, the clean x [N, D]."""

    x_tilde: Tensor
    x: Tensor | None


def activate(h: Tensor, activation: Activation) -> Tensor:
    """h through an activation."""
    match activation.name:
        case "none":
            return h
        case "leaky_relu":
            return torch.nn.functional.leaky_relu(h, activation.slope)
    return {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}[activation.name](h)


def corrupt(
    x: Tensor,
    corruption: Corruption | None,
    noise: Noise,
    *,
    copies: int = 1,
    index: Tensor | None = None,
    row_offset: int = 0,
    site: int = Site.RECONSTRUCTION,
    dtype: torch.dtype | None = None,
) -> Tensor:
    dtype = dtype or (torch.float32 if x.dtype == torch.uint8 else x.dtype)
    x = x if index is None else _gathered(x, index)
    shape = x.shape
    flat = as_float(x).reshape(shape[0], math.prod(shape[1:]))
    how = (shape[1:], corruption, noise, copies)
    if torch.compiler.is_compiling():
        # a traced loop over blocks would fix the number of rows
        return _corrupt_rows(flat, *how, row_offset, site).to(dtype).reshape(copies, *shape)
    # one piece at least, so that no rows have a gradient too
    cuts = list(blocks(shape[0], flat.shape[1] * copies)) or [slice(0, 0)]
    pieces = [_corrupt_rows(flat[rows], *how, row_offset + rows.start, site).to(dtype) for rows in cuts]
    return torch.cat(pieces, dim=1).reshape(copies, *shape)


def _gathered(x: Tensor, index: Tensor) -> Tensor:
    """The rows of x at `index` [N]. Raises IndexError for an index outside x where to know it waits for no device."""
    if x.shape[0] > 0 and (not x.is_cpu or torch.compiler.is_compiling()):
        return _gathered_or_nan(x, index)
    outside = (index < 0) | (index >= len(x))
    if bool(outside.any()):
        at = int(outside.nonzero()[0])
        raise IndexError(f"index must be in 0..{len(x) - 1}, the rows of x, got {int(index[at])} at position {at}")
    return x[index]


def _gathered_or_nan(x: Tensor, index: Tensor) -> Tensor:
    """The rows of x at `index` [N] in the dtype of computation; NaN for an index outside x."""
    inside = ((index >= 0) & (index < x.shape[0])).reshape(-1, *[1] * (x.dim() - 1))
    return torch.where(inside, as_float(x[index.clamp(0, x.shape[0] - 1)]), math.nan)


def _corrupt_rows(
    x: Tensor,
    image: tuple[int, ...],
    corruption: Corruption | None,
    noise: Noise,
    copies: int,
    row_offset: int,
    site: int,
) -> Tensor:
    if corruption is None:
        return x.expand(copies, *x.shape)
    if isinstance(corruption, Patches | Shuffling):
        return corrupt_regions(x, image, corruption, noise, copies, row_offset, site)
    draw = addressed.normal if isinstance(corruption, Gaussian) else addressed.uniform
    drawn = draw(noise, *x.shape, copies=copies, row_offset=row_offset, site=site)
    if isinstance(corruption, Gaussian):
        noisy = x + corruption.sigma * drawn.to(x.dtype)
        return noisy if corruption.clip is None else noisy.clamp(*corruption.clip)
    if isinstance(corruption, Masking):
        return torch.where(drawn < corruption.drop, 0.0, x)
    salted = torch.where(drawn < corruption.p, corruption.high, x)
    return torch.where(drawn < corruption.p / 2, corruption.low, salted)


def corrupted_linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    corruption: Corruption | None,
    noise: Noise,
    *,
    copies: int = 1,
    activation: str = "relu",
    slope: float = 0.01,
    index: Tensor | None = None,
    row_offset: int = 0,
    site: int = Site.RECONSTRUCTION,
) -> Tensor:
    x_tilde = corrupt(
        x, corruption, noise, copies=copies, index=index, row_offset=row_offset, site=site, dtype=weight.dtype
    )
    return activate(torch.nn.functional.linear(x_tilde.flatten(2), weight, bias), Activation(activation, slope))


def linear_mean(
    h: Tensor, weight: Tensor, bias: Tensor | None, *, activation: str = "relu", slope: float = 0.01
) -> Tensor:
    return activate(torch.nn.functional.linear(h, weight, bias), Activation(activation, slope)).mean(0)


def linear_sigmoid_corrupt(
    h: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    corruption: Corruption | None,
    noise: Noise,
    *,
    keep_clean: bool = False,
    image_shape: tuple[int, ...] | None = None,
    row_offset: int = 0,
    site: int = Site.CHAIN,
) -> Corrupted:
    x = torch.sigmoid(torch.nn.functional.linear(h, weight, bias))
    x_tilde = corrupt(in_shape(x, image_shape), corruption, noise, row_offset=row_offset, site=site)[0]
    return Corrupted(x_tilde.reshape(x.shape), x if keep_clean else None)


def in_shape(x: Tensor, image_shape: tuple[int, ...] | None) -> Tensor:
    """x [N, ...] in the shape of images, or as it is without one; raises ValueError where they do not fit."""
    if image_shape is None:
        return x
    require_numbers(image_shape, math.prod(x.shape[1:]))
    return x.reshape(x.shape[0], *image_shape)


def encode_mean(
    encoder: Callable[[Tensor], Tensor],
    x: Tensor,
    corruption: Corruption | None,
    noise: Noise,
    *,
    copies: int,
    index: Tensor | None = None,
    row_offset: int = 0,
    site: int = Site.MATCHING,
) -> Tensor:
    x_tilde = corrupt(x, corruption, noise, copies=copies, index=index, row_offset=row_offset, site=site)
    return torch.stack([encoder(one_copy) for one_copy in x_tilde]).mean(0)


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
    image_shape: tuple[int, ...] | None = None,
    row_offset: int = 0,
    site: int = Site.CHAIN,
) -> Tensor:
    def corrupted(x: Tensor, first: int, t: int) -> Tensor:
        images = in_shape(x, image_shape)
        return corrupt(images, corruption, noise.ahead(t), row_offset=row_offset + first, site=site)[0].reshape(x.shape)

    return run_chains(decoder, encoder, z, (steps,) if keep is None else keep, corrupted)


def run_chains(
    decoder: Callable[[Tensor], Tensor],
    encoder: Callable[[Tensor], Tensor],
    z: Tensor,
    keep: tuple[int, ...],
    corrupted: Callable[[Tensor, int, int], Tensor],
) -> Tensor:
    """The kept x(t), [len(keep), N, ...], so many rows at a time; corrupted(x, first row, t) is x~ of step t."""
    if torch.compiler.is_compiling() or len(z) <= CHAIN_ROWS:
        # a traced loop over blocks would fix the number of rows
        return _run_block(decoder, encoder, z, keep, corrupted, 0)
    starts = range(0, len(z), CHAIN_ROWS)
    kept = [_run_block(decoder, encoder, z[start : start + CHAIN_ROWS], keep, corrupted, start) for start in starts]
    return torch.cat(kept, dim=1)


def _run_block(decoder, encoder, z, keep, corrupted, first: int) -> Tensor:
    kept = []
    for t in range(keep[-1] + 1):
        x = decoder(z)
        if t in keep:
            kept.append(x)
        if t < keep[-1]:
            z = encoder(corrupted(x, first, t))
    return torch.stack(kept)
