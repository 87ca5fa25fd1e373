"""Group "training step": an iDAAE's Algorithm 1, 784-1000-1000-10, batch 64, on uint8 images."""

from collections.abc import Callable

import torch
from adversarial import BATCH, AddressedDraws, Eager, flops_of_step, our_step, parameter_gate
from checkout import default_backend
from common import CODES, LARGE, images, make_networks
from gates import Gate
from interleaved import Group, Ready, Row, Unavailable
from torch import Tensor


def _new_step(copies: int) -> tuple:
    return our_step(make_networks(), copies, CODES)


def _warm(step: Callable, batch: Tensor, gate: Gate) -> Ready:
    """After one call, so that Adam's moments are not counted as memory of the timed call."""
    step(batch)
    return Ready(lambda: step(batch), (gate,), trains=True)


def _gate(copies: int, plain: bool) -> Gate:
    """Of our float32 step and of the eager ones: both train the same parameters from the same noise."""
    peer = Eager(make_networks(), copies, draw=AddressedDraws(), plain=plain)
    return parameter_gate(_new_step(copies), peer, images()[:BATCH])


def _ours(copies: int, backend: str) -> Ready:
    with default_backend(backend):
        gate = _gate(copies, plain=False)
    step = _new_step(copies)[1]

    def timed(batch: Tensor):
        with default_backend(backend):
            return step(batch)

    return _warm(step if backend == "auto" else timed, images()[:BATCH], gate)


def _eager(copies: int, plain: bool = False, compiled: bool = False) -> Ready:
    if compiled and not LARGE:
        raise Unavailable("compiling takes minutes: set FASTDAAE_BENCH=large")
    step = Eager(make_networks(), copies, plain=plain, compiled=compiled)
    return _warm(step, images()[:BATCH], _gate(copies, plain))


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
    return _warm(_bf16(make(copies)), batch, Gate("relative_loss_error", error, 0.02, "of a loss"))


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


def test_row(show, case):
    show(case)
