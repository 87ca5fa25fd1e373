"""Group "networks": LeakyReLU and Tanh networks, and a Dropout or a BatchNorm between dense layers."""

from collections.abc import Callable

import torch
from adversarial import BATCH, AddressedDraws, Eager, Networks, flops_of_step, our_step, parameter_gate
from checkout import plan_of
from common import CODES, images, make_networks, pixels, product_flops
from gates import Gate
from interleaved import Group, Ready, Row
from torch import nn

COPIES, ROWS = 5, 320
ACTIVATIONS = {"LeakyReLU": lambda: nn.LeakyReLU(0.2), "Tanh": nn.Tanh}
MIDDLES = {"Dropout": lambda: nn.Dropout(0.5), "BatchNorm": lambda: nn.BatchNorm1d(1000)}


def _networks(activation: str) -> Networks:
    make = ACTIVATIONS[activation]
    return tuple(
        nn.Sequential(*(make() if type(layer) is nn.ReLU else layer for layer in network))
        for network in make_networks()
    )


def _step(activation: str, timed: Callable[[], Callable]) -> Ready:
    batch = images()[:BATCH]
    peer = Eager(_networks(activation), COPIES, draw=AddressedDraws())
    gate = parameter_gate(our_step(_networks(activation), COPIES, CODES), peer, batch)
    step = timed()
    step(batch)  # Adam's moments are not memory of the timed call
    return Ready(lambda: step(batch), (gate,), trains=True)


def _steps(activation: str) -> Group:
    rows = (
        Row("ours", lambda: _step(activation, lambda: our_step(_networks(activation), COPIES, CODES)[1])),
        Row("torch", lambda: _step(activation, lambda: Eager(_networks(activation), COPIES)), "torch"),
    )
    return Group(f"training step of {activation} networks, M = {COPIES}", rows, flops=flops_of_step(COPIES))


def _with_middle(middle: str) -> nn.Sequential:
    torch.manual_seed(0)
    *body, last = (nn.Linear(784, 1000), nn.ReLU(), nn.Linear(1000, 1000), nn.ReLU(), nn.Linear(1000, CODES))
    return nn.Sequential(*body[:2], MIDDLES[middle](), *body[2:], last)


def _gradients(run, network: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return torch.autograd.grad(run(x).square().sum(), list(network.parameters()))


def _passes(middle: str, run_by) -> Ready:
    """The gate: the gradients of PyTorch's own pass with the same dropout, but for 1 % at the kinks."""
    network, twin, x = _with_middle(middle), _with_middle(middle), pixels(images()[:ROWS])
    run = run_by(network)
    torch.manual_seed(1)
    given = torch.cat([g.flatten() for g in _gradients(run, network, x)])
    torch.manual_seed(1)
    expected = torch.cat([g.flatten() for g in _gradients(twin, twin, x)])
    error = float((given - expected).abs().kthvalue(int(0.99 * len(given))).values / expected.abs().max())
    gate = Gate("gradient_error", error, 1e-5, "of the largest gradient")
    return Ready(lambda: _gradients(run, network, x), (gate,), trains=True)


def _with(middle: str) -> Group:
    rows = (
        Row("ours", lambda: _passes(middle, plan_of)),
        Row("torch", lambda: _passes(middle, lambda network: network), "torch"),
    )
    flops = 3 * product_flops(ROWS, 784, 1000, 1000, CODES) - product_flops(ROWS, 784, 1000)
    return Group(f"network with one {middle}, {ROWS} rows, forward and backward", rows, flops=flops)


GROUPS = (*map(_steps, ACTIVATIONS), *map(_with, MIDDLES))


def test_row(show, case):
    show(case)
