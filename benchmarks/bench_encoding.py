"""Group "encoding": Algorithm 2 and the layers it is made of, 64 images, M = 5 copies, forward and backward."""

import pytest
import torch
from common import SIGMA, images, make_networks, pixels, product_flops, require_close
from torch import Tensor, nn

from fastdaae import ops, reference
from fastdaae.corruptions import Gaussian
from fastdaae.noise import Noise

ROWS, COPIES, GAUSSIAN, NOISE = 64, 5, Gaussian(SIGMA), Noise(0)


def _encode_mean(encoder, x: Tensor) -> Tensor:
    return ops.encode_mean(encoder, x, GAUSSIAN, NOISE, copies=COPIES)


def _eager_encode_mean(encoder, x: Tensor) -> Tensor:
    x_tilde = x + SIGMA * torch.randn(COPIES, *x.shape)
    return encoder(x_tilde.flatten(0, 1)).unflatten(0, (COPIES, len(x))).mean(0)


@pytest.mark.parametrize("who", ["ours", "torch"])
def test_encode_mean(measure, who):
    encoder, x = make_networks()[0], pixels(images()[:ROWS])
    exact = reference.encode_mean(encoder.double(), x.double(), GAUSSIAN, NOISE, copies=COPIES)
    scale = float(exact.abs().max())
    encoder.float()
    error = float((_encode_mean(encoder, x) - exact).abs().max()) / scale
    require_close("codes", error, 1e-5, "(relative to the largest)")
    run = _encode_mean if who == "ours" else _eager_encode_mean
    parameters = list(encoder.parameters())
    flops = COPIES * (3 * product_flops(ROWS, 784, 1000, 1000, 10) - product_flops(ROWS, 784, 1000))
    notes = {"flops": flops, "by": None if who == "ours" else f"torch {torch.__version__}", "relative_error": error}
    call = lambda: torch.autograd.grad(run(encoder, x).square().sum(), parameters)  # noqa: E731
    measure("encode_mean, M = 5, forward and backward", call, rounds=20, **notes)


@pytest.mark.parametrize("who", ["ours", "torch"])
def test_linear_mean(measure, who):
    layer, h = nn.Linear(1000, 1000), torch.rand(COPIES, ROWS, 1000)
    exact = reference.linear_mean(h.double(), layer.weight.double(), layer.bias.double())
    ours = lambda: ops.linear_mean(h, layer.weight, layer.bias)  # noqa: E731
    error = require_close("means", float((ours() - exact).abs().max()), 1e-5, "(of numbers of about 1)")
    eager = lambda: torch.relu(layer(h)).mean(0)  # noqa: E731
    notes = {"flops": product_flops(COPIES * ROWS, 1000, 1000), "mean_error": error}
    by = None if who == "ours" else f"torch {torch.__version__}"
    measure("linear_mean, M = 5, forward", ours if who == "ours" else eager, rounds=20, by=by, **notes)


@pytest.mark.parametrize("who", ["ours", "torch"])
def test_linear_sigmoid_corrupt(measure, who):
    layer, h = nn.Linear(1000, 784).requires_grad_(False), torch.rand(2_000, 1000)
    exact = reference.linear_sigmoid_corrupt(h.double(), layer.weight.double(), layer.bias.double(), GAUSSIAN, NOISE)
    ours = lambda: ops.linear_sigmoid_corrupt(h, layer.weight, layer.bias, GAUSSIAN, NOISE).x_tilde  # noqa: E731
    error = require_close("pixels", float((ours() - exact.x_tilde).abs().max()), 1e-5, "(in [0, 1])")

    def eager() -> Tensor:
        x = torch.sigmoid(layer(h))
        return x + SIGMA * torch.randn_like(x)

    notes = {"flops": product_flops(len(h), 1000, 784), "pixel_error": error}
    by = None if who == "ours" else f"torch {torch.__version__}"
    measure("linear_sigmoid_corrupt, 2000 rows", ours if who == "ours" else eager, rounds=20, by=by, **notes)
