"""`corrupted_linear`, `linear_mean` and `encode_mean` in Triton on a CUDA device."""

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae.corruptions import Gaussian, Masking, SaltAndPepper
from fastdaae.draw import draw_of

pytestmark = [pytest.mark.needs_cuda, pytest.mark.needs_triton]
ADDRESS = {"row_offset": 2**32 - 2**20, "site": 3}
# shares of the largest value: float32 adds the noise's 5e-6 to its own rounding, halves are rounded once
ALLOWED = {torch.float32: 1e-5, torch.bfloat16: 2.0**-7, torch.float16: 2.0**-10}
SHAPES = {
    "training batch": (64, 784, 1000, 5),
    "one row": (1, 3, 9, 5),
    "odd": (37, 99, 70, 3),
    "large tiles": (4200, 784, 1000, 1),
    "more columns than stay on chip": (70, 3072, 130, 2),
    "many and wide": (4200, 1100, 130, 1),
}
ACTIVATIONS = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "leaky_relu": lambda h: nn.functional.leaky_relu(h, 0.2),
    "tanh": torch.tanh,
}


def noise(step: int = 7) -> fd.Noise:
    return fd.Noise(0xFEDCBA9876543210, step=step, device="cuda")


def layer(inputs: int, outputs: int, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    weight = torch.randn(outputs, inputs, device="cuda") / inputs**0.5
    return weight.to(dtype), torch.randn(outputs, device="cuda").to(dtype)


def error(ours: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest error as a share of the largest value."""
    return float((ours.detach().double() - expected.detach()).abs().max() / expected.detach().abs().max())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ALLOWED)
@pytest.mark.parametrize("corruption", [Gaussian(0.5), Masking(0.3), SaltAndPepper(0.25, -1.0, 2.0)], ids=repr)
def test_corrupted_linear_and_its_gradients(shape, dtype, corruption):
    rows, columns, outputs, copies = SHAPES[shape]
    x, (weight, bias) = torch.rand(rows, columns, device="cuda"), layer(columns, outputs, dtype)
    index = torch.randint(0, rows, (rows,), device="cuda")
    leaves = [t.clone().requires_grad_() for t in (x, weight, bias)]
    draw = {"copies": copies, "index": index, **ADDRESS}
    ours = fd.ops.corrupted_linear(*leaves, corruption, noise(), activation="sigmoid", backend="triton", **draw)

    exact = [t.double().requires_grad_() for t in (x, weight, bias)]
    x_tilde = fd.ops.corrupt(exact[0], corruption, noise(), backend="reference", **draw)
    operand = x_tilde + (x_tilde.detach().float().to(dtype).double() - x_tilde.detach())
    expected = torch.sigmoid(operand @ exact[1].T + exact[2])
    grad = torch.randn(ours.shape, device="cuda").to(dtype)
    pairs = zip(
        (ours, *torch.autograd.grad(ours, leaves, grad)),
        (expected, *torch.autograd.grad(expected, exact, grad.double())),
        strict=True,
    )
    assert ours.dtype == dtype and ours.shape == expected.shape
    for found, wanted in pairs:
        assert error(found, wanted) <= 2 * ALLOWED[dtype]


@pytest.mark.parametrize("dtype", ALLOWED)
def test_one_kernel_is_two_kernels(dtype):
    x, (weight, bias) = torch.randint(0, 256, (320, 28, 28), dtype=torch.uint8, device="cuda"), layer(784, 1000, dtype)
    draw = {"copies": 2, "activation": "relu", "backend": "triton", **ADDRESS}
    one = fd.ops.corrupted_linear(x, weight, bias, Gaussian(0.5), noise(), **draw)
    x_tilde = fd.ops.corrupt(x, Gaussian(0.5), noise(), copies=2, dtype=dtype, backend="triton", **ADDRESS).flatten(2)
    two = torch.relu(nn.functional.linear(x_tilde, weight, bias))
    assert error(one, two.double()) <= ALLOWED[dtype]


@pytest.mark.parametrize("activation", ["leaky_relu", "tanh"])
def test_activations_with_a_slope_or_a_series(activation):
    x, (weight, bias) = torch.rand(300, 100, device="cuda"), layer(100, 70)
    leaves, exact = ([t.to(d).requires_grad_() for t in (weight, bias)] for d in (torch.float32, torch.float64))
    how = {"activation": activation, "slope": 0.2, "backend": "triton"}
    ours = fd.ops.corrupted_linear(x, *leaves, None, noise(), **how)
    before = nn.functional.linear(x.double(), *exact)
    expected, grad = ACTIVATIONS[activation](before)[None], torch.rand(300, 70, device="cuda")
    grad = grad * (before.abs() > 1e-4)[None]
    pairs = zip(
        (ours, *torch.autograd.grad(ours, leaves, grad)),
        (expected, *torch.autograd.grad(expected, exact, grad.double())),
        strict=True,
    )
    assert all(error(found, wanted) <= ALLOWED[torch.float32] for found, wanted in pairs)


def test_nan_and_a_row_outside_x_show_in_the_result():
    x, (weight, bias) = torch.rand(4, 100, device="cuda"), layer(100, 70)
    index = torch.tensor([0, 4, -1, 3], device="cuda")
    y = fd.ops.corrupted_linear(x, weight, bias, Gaussian(0.5), noise(), index=index, backend="triton")[0]
    assert bool(y[[1, 2]].isnan().all()) and not bool(y[[0, 3]].isnan().any())


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ALLOWED)
@pytest.mark.parametrize("rows", [37, 4200])
def test_linear_mean_and_its_gradients(activation, dtype, rows):
    h, (weight, bias) = torch.randn(5, rows, 1000, device="cuda").to(dtype), layer(1000, 70, dtype)
    leaves = [t.clone().requires_grad_() for t in (h, weight, bias)]
    exact = [t.double().requires_grad_() for t in (h, weight, bias)]
    ours = fd.ops.linear_mean(*leaves, activation=activation, slope=0.2, backend="triton")
    before = exact[0] @ exact[1].T + exact[2]
    # at a kink, the sign of a sum within rounding of 0 decides: away from it the gradients agree
    grad = torch.randn(rows, 70, device="cuda") * ((before.abs() > 0.02).all(0) if "relu" in activation else 1)
    expected = ACTIVATIONS[activation](before).mean(0)
    grad = grad.to(dtype)
    pairs = zip(
        (ours, *torch.autograd.grad(ours, leaves, grad)),
        (expected, *torch.autograd.grad(expected, exact, grad.double())),
        strict=True,
    )
    for found, wanted in pairs:
        assert error(found, wanted) <= 2 * ALLOWED[dtype]


@pytest.mark.parametrize("precision", [None, torch.bfloat16])
def test_encode_mean_is_algorithm_2(precision):
    encoder, x = fd.networks.mlp([784, 1000, 1000, 10]).cuda(), torch.rand(64, 784, device="cuda")
    with torch.autocast("cuda", precision, enabled=precision is not None):
        both = [
            fd.ops.encode_mean(encoder, x, Gaussian(0.5), noise(), copies=5, backend=backend)
            for backend in ("triton", "reference")
        ]
    assert both[0].dtype == both[1].dtype
    assert error(both[0], both[1].double()) <= (1e-5 if precision is None else 2.0**-6)
    gradients = [torch.autograd.grad(z.float().square().sum(), list(encoder.parameters())) for z in both]
    for ours, expected in zip(*gradients, strict=True):
        assert error(ours, expected.double()) <= (1e-3 if precision is None else 0.05)


def test_a_captured_training_step_draws_fresh_noise_at_each_replay():
    x, state = torch.rand(64, 784, device="cuda"), noise(step=0)
    weight, bias = (t.requires_grad_() for t in layer(784, 1000))

    def gradients(drawn):
        y = fd.ops.corrupted_linear(x, weight, bias, Gaussian(0.5), drawn, copies=5, backend="triton")
        return torch.autograd.grad(y.square().mean(), (weight, bias))

    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        gradients(state)  # compiles before the capture
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = gradients(state)
        state.advance()
    state.state[2].zero_()
    for step in range(3):
        graph.replay()
        for ours, expected in zip(captured, gradients(noise(step)), strict=True):
            assert torch.equal(ours, expected)


def test_opcheck():
    draw = draw_of(Gaussian(0.3, clip=(0.0, 1.0)), image=(6,), copies=2, row_offset=5, site=1)
    x, (weight, bias) = torch.rand(4, 6, device="cuda"), layer(6, 5)
    index, ops, y = torch.tensor([1, 1, 3], device="cuda"), torch.ops.fastdaae, torch.rand(2, 3, 5, device="cuda")
    torch.library.opcheck(ops.triton_corrupted_linear, (x, index, noise().state, weight, bias, "relu", 0.0, *draw))
    torch.library.opcheck(ops.triton_weight_gradient, (y, y, x, index, noise().state, "leaky_relu", 0.1, *draw))
    torch.library.opcheck(ops.triton_linear_mean, (x[None], weight, bias, "sigmoid", 0.0))
    grad = torch.rand(4, 5, device="cuda")
    torch.library.opcheck(ops.triton_linear_mean_backward, (grad, x[None], weight, None, "tanh", 0.0))


def test_compiles_without_graph_breaks():
    encoder, x = nn.Sequential(*fd.networks.mlp([100, 50, 10]), nn.ReLU()).cuda(), torch.rand(64, 100, device="cuda")
    state = noise()

    def call():
        return fd.ops.encode_mean(encoder, x, Gaussian(0.5), state, copies=3, backend="triton").sum()

    compiled = torch.compile(call, fullgraph=True)
    grads = [torch.autograd.grad(function(), list(encoder.parameters())) for function in (compiled, call)]
    for ours, expected in zip(*grads, strict=True):
        assert error(ours, expected.double()) <= 1e-4
