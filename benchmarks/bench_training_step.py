"""Group "training step": an iDAAE's Algorithm 1, 784-1000-1000-10, batch 64, on uint8 images."""

from collections.abc import Callable

import torch
from adversarial import AddressedDraws, Eager, our_step, parameter_difference
from checkout import default_backend
from common import CODES, LARGE, images, make_networks, product_flops, require_close
from interleaved import Group, Ready, Row, Unavailable
from torch import Tensor

BATCH = 64


def flops_of_step(copies: int) -> int:
    """The products of one step; a backward pass costs two forward ones, less the gradient of the input."""
    first = product_flops(BATCH, 784, 1000)
    encode = product_flops(BATCH, 784, 1000, 1000, CODES)
    discriminate = product_flops(BATCH, CODES, 1000, 1000, 1)
    # a pass through both networks, M encodings, the discriminator on real and fake, and once more for the encoder
    return (6 * encode - first) + copies * (3 * encode - first) + 6 * discriminate + 2 * discriminate


def _new_step(copies: int) -> tuple:
    return our_step(make_networks(), copies, CODES)


def _warm(step: Callable, batch: Tensor, **notes: float) -> Ready:
    """After one call, so that Adam's moments are not counted as memory of the timed call."""
    step(batch)
    return Ready(lambda: step(batch), notes, trains=True)


def _gated(ours: Callable, copies: int, plain: bool) -> dict[str, float]:
    """The gate of our float32 step and of the eager ones: both train the same parameters from the same noise."""
    peer = Eager(make_networks(), copies, draw=AddressedDraws(), plain=plain)
    error = parameter_difference(ours, peer, images()[:BATCH])
    return {"parameter_error": require_close("99.9 % of the parameters", error, 1e-5, "(after 2 steps)")}


def _ours(copies: int, backend: str) -> Ready:
    with default_backend(backend):
        notes = _gated(_new_step(copies), copies, plain=False)
    step = _new_step(copies)[1]

    def timed(batch: Tensor):
        with default_backend(backend):
            return step(batch)

    return _warm(step if backend == "auto" else timed, images()[:BATCH], **notes)


def _eager(copies: int, plain: bool = False, compiled: bool = False) -> Ready:
    if compiled and not LARGE:
        raise Unavailable("compiling takes minutes: set FASTDAAE_BENCH=large")
    notes = _gated(_new_step(copies), copies, plain)
    return _warm(Eager(make_networks(), copies, plain=plain, compiled=compiled), images()[:BATCH], **notes)


def _bf16(step: Callable) -> Callable:
    def call(batch: Tensor):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return step(batch)

    return call


def _half(copies: int, make: Callable[..., Callable]) -> Ready:
    """The losses of a first step on the same noise are within 2 % of those of our float32 step."""
    batch = images()[:BATCH]
    losses, exact = _bf16(make(copies, AddressedDraws()))(batch), _new_step(copies)[1](batch)
    error = max(abs(float(losses[name]) / float(exact[name]) - 1) for name in exact)
    require_close("losses", error, 0.02, "(relative)")
    return _warm(_bf16(make(copies)), batch, relative_loss_error=error)


def _group(copies: int) -> Group:
    half = torch.bfloat16
    rows = (
        Row("ours", lambda: _ours(copies, "auto")),
        Row("ours-reference", lambda: _ours(copies, "reference")),
        Row("ours-bf16", lambda: _half(copies, lambda copies, *draw: _new_step(copies)[1]), dtype=half),
        Row("torch", lambda: _eager(copies), "torch"),
        Row("torch-plain", lambda: _eager(copies, plain=True), "torch"),
        Row("torch-bf16", lambda: _half(copies, lambda *given: Eager(make_networks(), *given)), "torch", half),
        Row("torch-compile", lambda: _eager(copies, compiled=True), "torch"),
    )
    return Group(f"training step, M = {copies}", rows, flops=flops_of_step(copies))


GROUPS = tuple(_group(copies) for copies in (5, 25))


def test_row(show, group, row):
    show(group, row)
