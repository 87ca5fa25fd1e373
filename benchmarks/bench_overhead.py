"""Group "overhead": calls so small that what stands between Python and the kernel is most of their time.

`encode_mean` of 8 rows is in bench_encoding.py.
"""

import gates
import torch
from adversarial import AddressedDraws, Eager, our_step, parameter_gate
from checkout import plan_of
from common import SIGMA, add_noise, make_networks
from gates import Gate
from interleaved import Group, Ready, Row
from torch import nn

import fastdaae as fd
from fastdaae import ops
from fastdaae.noise import Noise

GAUSSIAN, NOISE = fd.corruptions.Gaussian(SIGMA), Noise(0)
COPIES, NARROW = 5, (8, 32, 2)


def _small_corrupt(call) -> Ready:
    x = torch.rand(4, 8)
    return Ready(lambda: call(x), (gates.moments(call(x) - x, SIGMA),))


@torch.no_grad()
def _small_network(run_by) -> Ready:
    network, x = fd.networks.mlp([16, 32, 16]), torch.rand(4, 16)
    run = run_by(network)
    gate = Gate("layer_error", float((run(x) - network(x)).abs().max()), 1e-6, "of numbers of about 1")
    return Ready(lambda: run(x), (gate,))


def _read_each_time(network: nn.Module):
    return lambda x: plan_of(network)(x)


def _narrow_step(timed) -> Ready:
    batch = torch.rand(16, NARROW[0])
    peer = Eager(make_networks(NARROW), None, draw=AddressedDraws())
    gate = parameter_gate(our_step(make_networks(NARROW), None, NARROW[-1]), peer, batch)
    step = timed()
    return Ready(lambda: step(batch), (gate,), trains=True)


GROUPS = (
    Group(
        "corrupt 4 x 8",
        (
            Row("ours", lambda: _small_corrupt(lambda x: ops.corrupt(x, GAUSSIAN, NOISE))),
            Row("torch", lambda: _small_corrupt(lambda x: add_noise(x, torch.randn_like(x))), "torch"),
        ),
    ),
    Group(
        "network 16-32-16 on 4 rows",
        (
            Row("ours", lambda: _small_network(plan_of)),
            Row("ours-read-each-time", lambda: _small_network(_read_each_time)),
            Row("torch", lambda: _small_network(lambda network: network), "torch"),
        ),
    ),
    Group(
        "AAE step of 8-32-2 networks, batch 16",
        (
            Row("ours", lambda: _narrow_step(lambda: our_step(make_networks(NARROW), None, NARROW[-1])[1])),
            Row("torch", lambda: _narrow_step(lambda: Eager(make_networks(NARROW), None)), "torch"),
            Row("torch-plain", lambda: _narrow_step(lambda: Eager(make_networks(NARROW), None, plain=True)), "torch"),
        ),
    ),
)


def test_row(show, case):
    show(case)
