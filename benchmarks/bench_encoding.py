"""Group "encoding": Algorithm 2 and the layers it is made of, 64 images, M = 5 copies; and the decoder's end."""

import torch
from common import SIGMA, add_noise, images, make_networks, pixels, product_flops
from gates import Gate
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


def _encode_mean(rows: int, trains: bool, run, gated) -> Ready:
    encoder, x = make_networks()[0], pixels(images()[:rows])
    double = make_networks()[0].double()
    exact = ops.encode_mean(double, x.double(), GAUSSIAN, NOISE, copies=COPIES, backend="reference").detach()
    error = float((gated(encoder, x) - exact).detach().abs().max() / exact.abs().max())
    parameters = list(encoder.parameters())

    def call():
        z = run(encoder, x)
        return torch.autograd.grad(z.square().sum(), parameters) if trains else z

    return Ready(call, (Gate("relative_error", error, 1e-5, "of the largest code"),), trains)


def _codes_flops(rows: int, last_copies: int, trains: bool) -> int:
    """The mean over copies moves before the last layer, or not; nobody asks for the gradient of x."""
    first, body, last = (product_flops(rows, *sizes) for sizes in ((784, 1000), (784, 1000, 1000), (1000, 10)))
    forward = COPIES * body + last_copies * last
    return 3 * forward - COPIES * first if trains else forward


def _codes(name: str, rows: int, trains: bool) -> Group:
    ours = Row("ours", lambda: _encode_mean(rows, trains, _our_encode_mean, _our_encode_mean))
    torchs = Row(
        "torch",
        lambda: _encode_mean(rows, trains, _eager_encode_mean, _gated_encode_mean),
        "torch",
        flops=_codes_flops(rows, COPIES, trains),
    )
    return Group(name, (ours, torchs), flops=_codes_flops(rows, 1, trains))


def _linear_mean(run) -> Ready:
    layer, h = nn.Linear(1000, 1000).requires_grad_(False), torch.rand(COPIES, ROWS, 1000)
    exact = ops.linear_mean(h.double(), layer.weight.double(), layer.bias.double(), backend="reference")
    gate = Gate("mean_error", float((run(layer, h) - exact).abs().max()), 1e-5, "of numbers of about 1")
    return Ready(lambda: run(layer, h), (gate,))


def _our_linear_mean(layer: nn.Linear, h: Tensor) -> Tensor:
    return ops.linear_mean(h, layer.weight, layer.bias)


def _eager_linear_mean(layer: nn.Linear, h: Tensor) -> Tensor:
    return torch.relu_(layer(h)).mean(0)


def _decoder_end(rows: int, run, gated) -> Ready:
    layer, h = nn.Linear(1000, 784).requires_grad_(False), torch.rand(rows, 1000)
    given = (h.double(), layer.weight.double(), layer.bias.double())
    exact = ops.linear_sigmoid_corrupt(*given, GAUSSIAN, NOISE, backend="reference").x_tilde
    gate = Gate("pixel_error", float((gated(layer, h) - exact).abs().max()), 1e-5, "of [0, 1]")
    return Ready(lambda: run(layer, h), (gate,))


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
    _codes("encode_mean, M = 5, forward and backward", ROWS, trains=True),
    _codes("encode_mean of 8 rows, M = 5", 8, trains=False),
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


def test_row(show, case):
    show(case)
