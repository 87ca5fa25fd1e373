"""Group "layers": plain 1000 -> 1000 layers at 64 to 1,600 rows, the weight gradient of 64, and `corrupted_linear`."""

import torch
from checkout import plan_of
from common import SIGMA, add_noise, images, pixels, product_flops
from gates import Gate
from interleaved import Group, Ready, Row
from torch import Tensor, nn
from torch.nn import functional

from fastdaae import noise as addressed
from fastdaae import ops
from fastdaae.corruptions import Gaussian
from fastdaae.noise import Noise

GAUSSIAN, NOISE = Gaussian(SIGMA), Noise(0)
ACTIVATIONS = {"relu": nn.ReLU, "leaky_relu": lambda: nn.LeakyReLU(0.2), "tanh": nn.Tanh}


def _layer(activation: str) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(1000, 1000), ACTIVATIONS[activation]())


def _in_place(layer: nn.Sequential):
    """The layer as PyTorch runs it best without gradients: the activation writes over the product."""
    linear, activation = layer
    if isinstance(activation, nn.Tanh):
        return lambda x: torch.tanh_(linear(x))
    slope = getattr(activation, "negative_slope", None)
    if slope is not None:
        return lambda x: functional.leaky_relu_(linear(x), slope)
    return lambda x: torch.relu_(linear(x))


def _forward(rows: int, activation: str, run_by) -> Ready:
    layer, x = _layer(activation), torch.randn(rows, 1000)
    with torch.no_grad():
        run = run_by(layer)
        exact = _layer(activation).double()(x.double())
        error = float((run(x) - exact).abs().max() / exact.abs().max())
    return Ready(lambda: run(x), (Gate("layer_error", error, 1e-5, "of the largest output"),))


def _plain_layer(rows: int, activation: str = "relu") -> Group:
    ours = Row("ours", lambda: _forward(rows, activation, plan_of))
    torchs = Row("torch", lambda: _forward(rows, activation, _in_place), "torch")
    flops = product_flops(rows, 1000, 1000)
    return Group(f"layer {rows} x 1000 -> 1000, {activation}", (ours, torchs), flops=flops)


def _gradients(rows: int, run_by) -> Ready:
    """The backward pass alone; nobody asks for the gradient of x."""
    layer, x, grad = _layer("relu"), torch.randn(rows, 1000), torch.randn(rows, 1000)
    exact_layer = _layer("relu").double()
    parameters = list(layer.parameters())
    y = run_by(layer)(x)

    def call():
        return torch.autograd.grad(y, parameters, grad, retain_graph=True)

    exact = torch.autograd.grad(exact_layer(x.double()), list(exact_layer.parameters()), grad.double())[0]
    gate = Gate("gradient_error", _of_most(call()[0], exact), 1e-5, "of the largest gradient")
    return Ready(call, (gate,), trains=True)


def _of_most(given: Tensor, exact: Tensor) -> float:
    """The error of 99 % of the entries, relative to the largest: a unit at zero may lie on its kink's other side."""
    error = (given - exact).abs().flatten() / exact.abs().max()
    return float(error.kthvalue(int(0.99 * len(error))).values)


def _first_layer(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    layer = nn.Linear(784, 1000)
    return tuple(parameter.detach().to(dtype).requires_grad_() for parameter in (layer.weight, layer.bias))


def _eager_linear(x: Tensor, weight: Tensor, bias: Tensor, draw=torch.randn_like) -> Tensor:
    return torch.relu_(functional.linear(add_noise(x, draw(x)), weight, bias))


def _gated_linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return _eager_linear(x, weight, bias, lambda x: addressed.normal(NOISE, *x.shape)[0].to(x.dtype))


def _our_linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return ops.corrupted_linear(x, weight, bias, GAUSSIAN, NOISE)[0]


def _linear_error(layer, x: Tensor, grad: Tensor) -> float:
    """The output and weight gradient against float64 with the same noise, relative to the largest entry."""
    parameters, exact_parameters = _first_layer(), _first_layer(torch.float64)
    h, exact = layer(x, *parameters), _gated_linear(x.double(), *exact_parameters)
    output = float((h - exact).detach().abs().max() / exact.detach().max())
    gradients = (torch.autograd.grad(h, parameters, grad), torch.autograd.grad(exact, exact_parameters, grad.double()))
    return max(output, _of_most(gradients[0][0], gradients[1][0]))


def _corrupted(trains: bool, timed, gated) -> Ready:
    x, grad, parameters = pixels(images()[:320]), torch.randn(320, 1000), _first_layer()
    gate = Gate("linear_error", _linear_error(gated, x, grad), 1e-5, "of the largest entry")

    def call():
        y = timed(x, *parameters)
        return torch.autograd.grad(y, parameters, grad) if trains else y

    return Ready(call, (gate,), trains)


def _corrupted_linear(direction: str) -> Group:
    trains = direction != "forward"
    ours = Row("ours", lambda: _corrupted(trains, _our_linear, _our_linear))
    torchs = Row("torch", lambda: _corrupted(trains, _eager_linear, _gated_linear), "torch")
    flops = product_flops(320, 784, 1000) * (2 if trains else 1)
    return Group(f"corrupted_linear 320 x 784 -> 1000, {direction}", (ours, torchs), flops=flops)


GROUPS = (
    *(_plain_layer(rows) for rows in (64, 128, 320, 1600)),
    *(_plain_layer(320, activation) for activation in ("leaky_relu", "tanh")),
    Group(
        "weight gradient of 64 rows, 1000 -> 1000",
        (
            Row("ours", lambda: _gradients(64, plan_of)),
            Row("torch", lambda: _gradients(64, lambda layer: layer), "torch"),
        ),
        flops=product_flops(64, 1000, 1000),
    ),
    *(_corrupted_linear(direction) for direction in ("forward", "forward and backward")),
)


def test_row(show, case):
    show(case)
