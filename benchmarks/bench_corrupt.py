"""Groups "corrupt" and "corrupted_linear": Gaussian noise on images, alone and with the first layer behind it."""

import pytest
import torch
from common import SIGMA, images, pixels, product_flops, require_close
from torch import Tensor
from torch.nn.functional import linear

from fastdaae import noise as addressed
from fastdaae import ops, reference
from fastdaae.corruptions import Gaussian
from fastdaae.noise import Noise

GAUSSIAN, NOISE = Gaussian(SIGMA), Noise(0)
TORCH = f"torch {torch.__version__}"


def _many_rows(rows: int) -> Tensor:
    return pixels(images()[torch.arange(rows) % len(images())])


def _normal_error(x_tilde: Tensor, expected: Tensor) -> float:
    """Our noise against the reference's, in standard deviations: the 99.9th percentile; the largest is checked too."""
    error = (x_tilde - expected).abs().flatten() / SIGMA
    require_close("the largest error of a normal", float(error.max()), 1e-3, "standard deviations")
    middle = float(error.kthvalue(int(0.999 * len(error))).values)
    return require_close("99.9 % of the normals", middle, 5e-6, "standard deviations")


def _moment_error(noise: Tensor) -> float:
    """How far a peer's own noise is from mean 0 and deviation SIGMA, in standard errors: the larger of the two."""
    mean, spread, root = float(noise.mean()) / SIGMA, float(noise.std()) / SIGMA - 1, noise.numel() ** 0.5
    return max(abs(mean) * root, abs(spread) * (2**0.5) * root)


@pytest.mark.parametrize("rows, who", [(320, "cpp"), (320, "reference"), (100_000, "cpp")])
def test_ours(measure, use_backend, rows, who):
    use_backend(who)
    x = _many_rows(rows)
    head = x[:320]
    error = _normal_error(ops.corrupt(head, GAUSSIAN, NOISE), reference.corrupt(head, GAUSSIAN, NOISE))
    notes = {"moved": 2 * x.nbytes, "normal_error": error, "rounds": 30 if rows == 320 else 5}
    measure(f"corrupt {rows} x 784", lambda: ops.corrupt(x, GAUSSIAN, NOISE), **notes)


@pytest.mark.parametrize("rows", [320, 100_000])
def test_torch(measure, rows):
    x = _many_rows(rows)
    error = require_close("moments", _moment_error(SIGMA * torch.randn_like(x)), 5, "standard errors")
    notes = {"moved": 2 * x.nbytes, "moment_error": error, "rounds": 30 if rows == 320 else 5}
    measure(f"corrupt {rows} x 784", lambda: x + SIGMA * torch.randn_like(x), by=TORCH, **notes)


GATHER = "corrupt: gather 64 of 60,000 uint8 rows, 5 copies"


def _moved(copies: int, rows: int) -> int:
    return rows * 784 + copies * rows * 784 * 4


def test_ours_gather(measure, use_backend):
    use_backend("cpp")
    x, index = images(), torch.randperm(len(images()))[:64]

    def call():
        return ops.corrupt(x, GAUSSIAN, NOISE, copies=5, index=index)

    error = _normal_error(call(), reference.corrupt(x, GAUSSIAN, NOISE, copies=5, index=index))
    measure(GATHER, call, rounds=30, moved=_moved(5, 64), normal_error=error)


def test_torch_gather(measure):
    x, index = images(), torch.randperm(len(images()))[:64]

    def call():
        return pixels(x[index]) + SIGMA * torch.randn(5, 64, 784)

    error = require_close("moments", _moment_error(call() - pixels(x[index])), 5, "standard errors")
    measure(GATHER, call, rounds=30, by=TORCH, moved=_moved(5, 64), moment_error=error)


def _layer(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    layer = torch.nn.Linear(784, 1000)
    return tuple(parameter.detach().to(dtype).requires_grad_() for parameter in (layer.weight, layer.bias))


def _eager_linear(x: Tensor, weight: Tensor, bias: Tensor, draw=torch.randn_like) -> Tensor:
    return torch.relu(linear(x + SIGMA * draw(x), weight, bias))


def _addressed(x: Tensor) -> Tensor:
    return addressed.normal(NOISE, *x.shape)[0].to(x.dtype)


def _our_linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return ops.corrupted_linear(x, weight, bias, GAUSSIAN, NOISE)[0]


def _linear_error(layer, x: Tensor, grad: Tensor) -> float:
    """The output and weight gradient against float64 with the same noise, relative to the largest entry.

    For 99 % of the gradient: a unit at zero to rounding may lie on the other side of the kink.
    """
    weight, bias = _layer()
    exact_weight, exact_bias = _layer(torch.float64)
    h = layer(x, weight, bias)
    exact = _eager_linear(x.double(), exact_weight, exact_bias, _addressed)
    h.backward(grad)
    exact.backward(grad.double())
    output = float((h - exact).detach().abs().max() / exact.detach().max())
    error = (weight.grad - exact_weight.grad).abs().flatten() / exact_weight.grad.abs().max()
    return max(output, float(error.kthvalue(int(0.99 * len(error))).values))


@pytest.mark.parametrize("direction", ["forward", "forward and backward"])
@pytest.mark.parametrize("who", ["ours", "torch"])
def test_linear(measure, who, direction):
    x, grad = pixels(images()[:320]), torch.randn(320, 1000)
    weight, bias = _layer()
    timed = _our_linear if who == "ours" else _eager_linear
    gated = _our_linear if who == "ours" else lambda *given: _eager_linear(*given, _addressed)
    error = require_close("corrupted_linear", _linear_error(gated, x, grad), 1e-5, "of the largest entry")

    def call():
        if direction == "forward":
            with torch.no_grad():
                return timed(x, weight, bias)
        return torch.autograd.grad(timed(x, weight, bias), (weight, bias), grad)

    flops = product_flops(320, 784, 1000) * (1 if direction == "forward" else 2)
    by = None if who == "ours" else TORCH
    measure(f"corrupted_linear 320 x 784 -> 1000, {direction}", call, rounds=30, by=by, flops=flops, linear_error=error)
