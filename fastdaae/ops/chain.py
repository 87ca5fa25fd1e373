"""Chained sampling: the decoder's end with its corruption, and the decode-corrupt-encode Markov chain."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from functools import partial
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from fastdaae import reference
from fastdaae.arguments import is_number, whole
from fastdaae.corruptions import Corruption
from fastdaae.corruptions.regions import has_regions, planes_of, require_numbers
from fastdaae.draw import Draw
from fastdaae.kernels import cpp, triton
from fastdaae.noise import Noise, Site
from fastdaae.ops import checks, rooms
from fastdaae.ops.network import Plan

PRECISIONS = ("fp32", "bf16")


def linear_sigmoid_corrupt(
    h: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    corruption: Corruption | None,
    noise: Noise,
    *,
    keep_clean: bool = False,
    image_shape: Sequence[int] | None = None,
    row_offset: int = 0,
    site: int = Site.CHAIN,
    backend: str = "auto",
) -> reference.Corrupted:
    """The decoder's last layer and the next corruption: x = sigmoid(h W^T + b), x~ ~ c(x~ | x), for h [N, K].

    Returns Corrupted(x_tilde [N, D], x [N, D] or None unless `keep_clean`), in the dtype of h, pixels in [0, 1] before
    the corruption. Differentiable in h, weight and bias. Addresses and errors as `corrupt`. `image_shape`, of D
    numbers, is the shape of one sample for corruptions that need images: Patches and Shuffling. Where no gradient is
    asked for, one kernel does it all: "triton", and "cpp" in float32; a gradient needs x, which is then made first.
    """
    checks.require_batch("h", h, floats_only=True)
    if h.dim() != 2:
        raise ValueError(f"h must have the shape [N, K], got {list(h.shape)}")
    checks.as_activation("sigmoid", 0.0, weight, bias, h.shape[1])
    checks.require_device("h", h, noise)
    image = checks.as_image(corruption, image_shape)
    if image is not None:
        require_numbers(image, weight.shape[0])
    shape = weight.shape[:1] if image is None else image
    draw = checks.as_draw(corruption, noise, h.shape[0], shape, row_offset=row_offset, site=site)
    room = rooms.choose("linear_sigmoid_corrupt", backend, "chain", h, draw)
    if room is None:
        how: dict[str, Any] = {"keep_clean": keep_clean, "row_offset": draw.row_offset, "site": draw.site}
        how["image_shape"] = image
        return reference.linear_sigmoid_corrupt(h, weight, bias, corruption, noise, **how)
    return reference.Corrupted(*room.chain.linear_sigmoid_corrupt(h, weight, bias, noise.state, draw, keep_clean))


@torch.no_grad()
def sample_chain(
    decoder: Callable[[Tensor], Tensor] | Plan,
    encoder: Callable[[Tensor], Tensor] | Plan,
    z: Tensor,
    corruption: Corruption | None,
    noise: Noise,
    *,
    steps: int,
    keep: tuple[int, ...] | None = None,
    image_shape: Sequence[int] | None = None,
    row_offset: int = 0,
    site: int = Site.CHAIN,
    precision: str = "fp32",
    backend: str = "auto",
) -> Tensor:
    """The Markov chain x(t) = R(z(t)), z(t+1) = E(x~(t)) from z(0) = z [N, Z]: the kept x(t), [len(keep), N, ...].

    `keep` lists steps in 0..steps, ascending; (steps,) by default; x(0) = R(z) is not corrupted. Step t reads the noise
    of step `noise.step + t`, row i that of row_offset + i, so that chains may be run in pieces. precision "bf16" rounds
    the factors of every product and changes no dtype (after ten steps of an MNIST model 5e-4 a pixel on average, 1.4e-2
    for 99.9 % of them, 0.05 nats of likelihood). `image_shape` is the shape of one x for Patches and Shuffling, where
    the decoder gives rows. Not differentiable. decoder and encoder may be plans. With "cpp",
    float32 networks of fully connected layers (`nn.Sequential` of Flatten, Linear and ReLU, LeakyReLU, Tanh or Sigmoid)
    run whole chains in blocks of rows that stay in one core's cache. With "triton", an `nn.Sequential` of plain layers
    that ends in `nn.Linear`, `nn.Sigmoid` corrupts in that layer's own kernel, and many rows replay a CUDA graph. A
    traced graph runs other networks with all rows at once, which bounds no memory. Raises ValueError for keep outside
    0..steps or another precision. Source: Creswell and Bharath 2018, equation 3 and Theorem 1.
    """
    checks.require_batch("z", z, floats_only=True)
    checks.require_device("z", z, noise)
    image = checks.as_image(corruption, image_shape)
    draw = checks.as_draw(corruption, noise, z.shape[0], image, row_offset=row_offset, site=site)
    check_precision(precision)
    keep = check_keep(steps, keep)
    room = rooms.choose("sample_chain", backend, "chain", z, draw)
    half, decoding, encoding = precision == "bf16", Plan.of(decoder), Plan.of(encoder)
    if room is cpp and decoding.dense and encoding.dense:
        layers = decoding.layers, encoding.layers
        if cpp.chain.sample_chain_problem(*layers, z, draw) is None:
            return cpp.chain.sample_chain(*layers, z, noise.state, draw, keep, half=half)
    with torch.autocast(z.device.type, dtype=torch.bfloat16) if half else nullcontext():
        if room is None:
            where: dict[str, Any] = {"steps": keep[-1], "keep": keep, "row_offset": draw.row_offset, "site": draw.site}
            where["image_shape"] = image
            networks = decoding.on_reference, encoding.on_reference
            kept = reference.sample_chain(*networks, z, corruption, noise, **where)
        elif room is triton and triton.chain.sample_chain_problem(decoding, encoding, z, draw) is None:
            kept = triton.chain.sample_chain(decoding, encoding, z, noise.state, draw, keep)
        else:
            corrupted = partial(_corrupted, room, noise.state, corruption, draw)
            kept = reference.run_chains(decoding.__call__, encoding.__call__, z, keep, corrupted)
    return kept.to(z.dtype) if half else kept


def check_precision(precision: str) -> None:
    """Raises ValueError for what is no precision of chains."""
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(map(repr, PRECISIONS))}, got {precision!r}")


def check_keep(steps: int, keep: tuple[int, ...] | None) -> tuple[int, ...]:
    """The steps to keep as an ascending tuple; raises ValueError where they do not fit 0..steps, TypeError for none."""
    steps = whole("steps", steps)
    if steps < 0:
        raise ValueError(f"steps must be >= 0, got {steps}")
    if not isinstance(keep, Iterable | None) or isinstance(keep, str):
        given = f"{keep!r}; keep=({keep!r},) keeps that one step" if is_number(keep) else type(keep).__name__
        raise TypeError(f"keep must be ascending steps in 0..steps = {steps}, as a tuple, got {given}")
    keep = (steps,) if keep is None else tuple(whole("keep", step) for step in keep)
    if not keep or list(keep) != sorted(set(keep)) or keep[0] < 0 or keep[-1] > steps:
        raise ValueError(f"keep must be ascending steps in 0..steps = {steps}, got {keep}; raise steps or lower keep")
    return keep


def _corrupted(room: ModuleType, state: Tensor, corruption, draw: Draw, x: Tensor, first: int, t: int) -> Tensor:
    image = draw.image or x.shape[1:]
    if has_regions(corruption):
        planes_of(corruption, reference.in_shape(x, image).shape[1:])
    draw = draw._replace(image=image, row_offset=draw.row_offset + first, ahead=t)
    return room.corruption.corrupt(x.flatten(1), None, state, draw, x.dtype)[0].reshape(x.shape)
