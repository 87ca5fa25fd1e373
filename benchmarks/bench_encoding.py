"""Group "encoding": Algorithm 2 and the layers it is made of, 64 images, M = 5 copies; and the decoder's end."""

import torch
from common import SIGMA, add_noise, images, make_networks, pixels, product_flops, require_close
from interleaved import Group, Ready, Row
from torch import Tensor, nn

from fastdaae import noise as addressed
from fastdaae import ops
from fastdaae.corruptions import Gaussian
from fastdaae.noise import Noise, Site

ROWS, COPIES, GAUSSIAN, NOISE = 64, 5, Gaussian(SIGMA), Noise(0)


def _our_encode_mean(encoder, x: Tensor) -> Tensor:
    return ops.encode_mean(encoder, x, GAUSSIAN, NOISE, copies=COPIES)


def _eager_encode_mean(encoder, x: Tensor, draw=torch.randn) -> Tensor:
    x_tilde = add_noise(x, draw(COPIES, *x.shape))
    return encoder(x_tilde.flatten(0, 1)).unflatten(0, (COPIES, len(x))).mean(0)


def _gated_encode_mean(encoder, x: Tensor) -> Tensor:
    return _eager_encode_mean(encoder, x, _of_matching)


def _of_matching(copies: int, rows: int, columns: int) -> Tensor:
    return addressed.normal(NOISE, rows, columns, copies=copies, site=Site.MATCHING).float()


def _encode_mean(run, gated) -> Ready:
    encoder, x = make_networks()[0], pixels(images()[:ROWS])
    double = make_networks()[0].double()
    exact = ops.encode_mean(double, x.double(), GAUSSIAN, NOISE, copies=COPIES, backend="reference").detach()
    error = float((gated(encoder, x) - exact).detach().abs().max() / exact.abs().max())
    require_close("codes", error, 1e-5, "(relative to the largest)")
    parameters = list(encoder.parameters())

    def call():
        return torch.autograd.grad(run(encoder, x).square().sum(), parameters)

    return Ready(call, {"relative_error": error}, trains=True)


def _linear_mean(run) -> Ready:
    layer, h = nn.Linear(1000, 1000).requires_grad_(False), torch.rand(COPIES, ROWS, 1000)
    exact = ops.linear_mean(h.double(), layer.weight.double(), layer.bias.double(), backend="reference")
    error = require_close("means", float((run(layer, h) - exact).abs().max()), 1e-5, "(of numbers of about 1)")
    return Ready(lambda: run(layer, h), {"mean_error": error})


def _our_linear_mean(layer: nn.Linear, h: Tensor) -> Tensor:
    return ops.linear_mean(h, layer.weight, layer.bias)


def _eager_linear_mean(layer: nn.Linear, h: Tensor) -> Tensor:
    return torch.relu_(layer(h)).mean(0)


def _decoder_end(rows: int, run, gated) -> Ready:
    layer, h = nn.Linear(1000, 784).requires_grad_(False), torch.rand(rows, 1000)
    given = (h.double(), layer.weight.double(), layer.bias.double())
    exact = ops.linear_sigmoid_corrupt(*given, GAUSSIAN, NOISE, backend="reference").x_tilde
    error = require_close("pixels", float((gated(layer, h) - exact).abs().max()), 1e-5, "(in [0, 1])")
    return Ready(lambda: run(layer, h), {"pixel_error": error})


def _our_end(layer: nn.Linear, h: Tensor) -> Tensor:
    return ops.linear_sigmoid_corrupt(h, layer.weight, layer.bias, GAUSSIAN, NOISE).x_tilde


def _eager_end(layer: nn.Linear, h: Tensor, draw=torch.randn_like) -> Tensor:
    x = torch.sigmoid_(layer(h))
    return add_noise(x, draw(x))


def _gated_end(layer: nn.Linear, h: Tensor) -> Tensor:
    return _eager_end(layer, h, lambda x: addressed.normal(NOISE, *x.shape, site=Site.CHAIN)[0].float())


def _ends(rows: int) -> Group:
    ours = Row("ours", lambda: _decoder_end(rows, _our_end, _our_end))
    torchs = Row("torch", lambda: _decoder_end(rows, _eager_end, _gated_end), "torch")
    return Group(f"linear_sigmoid_corrupt, {rows} rows", (ours, torchs), flops=product_flops(rows, 1000, 784))


GROUPS = (
    Group(
        "encode_mean, M = 5, forward and backward",
        (
            Row("ours", lambda: _encode_mean(_our_encode_mean, _our_encode_mean)),
            Row("torch", lambda: _encode_mean(_eager_encode_mean, _gated_encode_mean), "torch"),
        ),
        flops=COPIES * (3 * product_flops(ROWS, 784, 1000, 1000, 10) - product_flops(ROWS, 784, 1000)),
    ),
    Group(
        "linear_mean, M = 5, forward",
        (
            Row("ours", lambda: _linear_mean(_our_linear_mean)),
            Row("torch", lambda: _linear_mean(_eager_linear_mean), "torch"),
        ),
        flops=product_flops(COPIES * ROWS, 1000, 1000),
    ),
    *(_ends(rows) for rows in (64, 2_000)),
)


def test_row(show, group, row):
    show(group, row)
