"""Group "overhead": calls so small that what stands between Python and the kernel is most of their time."""

import torch
from adversarial import AddressedDraws, Eager, our_step, parameter_difference
from checkout import plan_of
from common import SIGMA, add_noise, images, make_networks, moment_error, pixels, require_close
from interleaved import Group, Ready, Row
from torch import Tensor, nn

import fastdaae as fd
from fastdaae import noise as addressed
from fastdaae import ops
from fastdaae.noise import Noise, Site

GAUSSIAN, NOISE = fd.corruptions.Gaussian(SIGMA), Noise(0)
COPIES, NARROW = 5, (8, 32, 2)


def _small_corrupt(call) -> Ready:
    x = torch.rand(4, 8)
    return Ready(lambda: call(x), {"moment_error": moment_error(call(x) - x, SIGMA)})


def _our_codes(encoder: nn.Module, x: Tensor) -> Tensor:
    return ops.encode_mean(encoder, x, GAUSSIAN, NOISE, copies=COPIES)


def _eager_codes(encoder: nn.Module, x: Tensor, draw=torch.randn) -> Tensor:
    x_tilde = add_noise(x, draw(COPIES, *x.shape))
    return encoder(x_tilde.flatten(0, 1)).unflatten(0, (COPIES, len(x))).mean(0)


def _gated_codes(encoder: nn.Module, x: Tensor) -> Tensor:
    def draw(copies: int, rows: int, columns: int) -> Tensor:
        return addressed.normal(NOISE, rows, columns, copies=copies, site=Site.MATCHING).float()

    return _eager_codes(encoder, x, draw)


@torch.no_grad()
def _codes(run, gated) -> Ready:
    encoder, x = make_networks()[0], pixels(images()[:8])
    double = make_networks()[0].double()
    exact = ops.encode_mean(double, x.double(), GAUSSIAN, NOISE, copies=COPIES, backend="reference")
    error = float((gated(encoder, x) - exact).abs().max() / exact.abs().max())
    require_close("codes", error, 1e-5, "(relative to the largest)")
    return Ready(lambda: run(encoder, x), {"relative_error": error})


@torch.no_grad()
def _small_network(run_by) -> Ready:
    network, x = fd.networks.mlp([16, 32, 16]), torch.rand(4, 16)
    run = run_by(network)
    error = require_close("outputs", float((run(x) - network(x)).abs().max()), 1e-6, "")
    return Ready(lambda: run(x), {"layer_error": error})


def _read_each_time(network: nn.Module):
    return lambda x: plan_of(network)(x)


def _narrow_step(timed) -> Ready:
    batch = torch.rand(16, NARROW[0])
    peer = Eager(make_networks(NARROW), None, draw=AddressedDraws())
    error = parameter_difference(our_step(make_networks(NARROW), None, NARROW[-1]), peer, batch)
    require_close("99.9 % of the parameters", error, 1e-5, "(after 2 steps)")
    step = timed()
    return Ready(lambda: step(batch), {"parameter_error": error}, trains=True)


GROUPS = (
    Group(
        "corrupt 4 x 8",
        (
            Row("ours", lambda: _small_corrupt(lambda x: ops.corrupt(x, GAUSSIAN, NOISE))),
            Row("torch", lambda: _small_corrupt(lambda x: add_noise(x, torch.randn_like(x))), "torch"),
        ),
    ),
    Group(
        "encode_mean of 8 rows by 784-1000-1000-10, M = 5",
        (
            Row("ours", lambda: _codes(_our_codes, _our_codes)),
            Row("torch", lambda: _codes(_eager_codes, _gated_codes), "torch"),
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


def test_row(show, group, row):
    show(group, row)
