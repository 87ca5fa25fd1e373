"""First layer on corrupted inputs, mean over copies, Algorithm 2: against their formulas, gradients and laws."""

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae import reference
from fastdaae.corruptions import Gaussian, Masking

BACKENDS = ["reference", pytest.param("cpp", marks=pytest.mark.needs_cpp)]
ACTIVATIONS = {"relu": torch.relu, "sigmoid": torch.sigmoid, "none": lambda h: h}


def layer(inputs: int, outputs: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(outputs, inputs) / inputs**0.5, torch.randn(outputs)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("shape", [(1, 3), (5, 7), (6, 2, 3), (0, 4)])
def test_corrupted_linear_is_the_layer_of_the_corruption(backend, activation, shape):
    x, noise = torch.rand(shape), fd.Noise(1)
    weight, bias = layer(x[:0].flatten(1).shape[1], 9)
    ours = fd.ops.corrupted_linear(
        x, weight, bias, Gaussian(0.5), noise, copies=3, activation=activation, row_offset=2, site=4, backend=backend
    )
    x_tilde = fd.ops.corrupt(x.double(), Gaussian(0.5), noise, copies=3, row_offset=2, site=4)
    expected = ACTIVATIONS[activation](x_tilde.flatten(2) @ weight.double().T + bias.double())
    assert ours.shape == (3, shape[0], 9) and ours.dtype == torch.float32
    assert torch.allclose(ours.double(), expected, atol=3e-6, rtol=0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_corrupted_linear_gradients(backend):
    x, noise = torch.rand(6, 10), fd.Noise(1)
    weight, bias = layer(10, 4)
    gradients = []
    for dtype, chosen in ((torch.float32, backend), (torch.float64, "reference")):
        leaves = [t.detach().to(dtype, copy=True).requires_grad_() for t in (x, weight, bias)]
        out = fd.ops.corrupted_linear(*leaves, Masking(0.4), noise, copies=5, activation="sigmoid", backend=chosen)
        gradients.append(torch.autograd.grad(out.square().sum(), leaves))
    for ours, expected in zip(*gradients, strict=True):
        assert torch.allclose(ours.double(), expected, rtol=1e-5, atol=1e-5)


def test_gradcheck_of_the_reference():
    x, noise = torch.rand(3, 4, dtype=torch.float64, requires_grad=True), fd.Noise(1)
    weight = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda *t: reference.corrupted_linear(*t, Gaussian(0.3), noise, copies=2, activation="sigmoid"),
        (x, weight, bias),
    )
    h = torch.randn(3, 2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda *t: reference.linear_mean(*t, activation="sigmoid"), (h, weight, bias))
    assert torch.autograd.gradcheck(
        lambda *t: reference.linear_sigmoid_corrupt(*t, Gaussian(0.3), noise).x_tilde, (x, weight, bias)
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_linear_mean_is_the_mean_of_the_layers(activation):
    h = torch.randn(5, 4, 6)
    weight, bias = layer(6, 3)
    expected = ACTIVATIONS[activation](h.double() @ weight.double().T + bias.double()).mean(0)
    ours = fd.ops.linear_mean(h, weight, bias, activation=activation)
    assert torch.allclose(ours.double(), expected, atol=2e-6, rtol=0)
    assert torch.allclose(reference.linear_mean(h, weight, bias, activation=activation).double(), expected, atol=2e-6)


ENCODERS = {
    "mlp": lambda: fd.networks.mlp([12, 20, 3]),
    "one layer": lambda: nn.Sequential(nn.Linear(12, 3)),
    "ends in a nonlinearity": lambda: nn.Sequential(nn.Linear(12, 3), nn.Tanh()),
    "batch norm": lambda: nn.Sequential(nn.Linear(12, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ENCODERS)
def test_encode_mean_is_algorithm_2(kind, backend):
    encoder, x, noise = ENCODERS[kind](), torch.rand(6, 12), fd.Noise(2)
    ours = fd.ops.encode_mean(encoder, x, Gaussian(0.5), noise, copies=4, row_offset=3, site=1, backend=backend)
    expected = reference.encode_mean(encoder, x, Gaussian(0.5), noise, copies=4, row_offset=3, site=1)
    assert torch.allclose(ours, expected, atol=3e-6, rtol=0)
    parameters = list(encoder.parameters())
    both = [torch.autograd.grad(z.square().sum(), parameters) for z in (ours, expected)]
    assert all(torch.allclose(a, b, atol=2e-4, rtol=1e-4) for a, b in zip(*both, strict=True))


def test_batch_norm_sees_one_copy_at_a_time():
    encoder = ENCODERS["batch norm"]()
    fd.ops.encode_mean(encoder, torch.rand(6, 12), Gaussian(0.5), fd.Noise(2), copies=4)
    assert int(encoder[1].num_batches_tracked) == 4


def test_one_copy_is_one_encoding_bitwise():
    encoder, x, noise = fd.networks.mlp([12, 20, 3]), torch.rand(6, 12), fd.Noise(2)
    mean = fd.ops.encode_mean(encoder, x, Gaussian(0.5), noise, copies=1, site=1)
    x_tilde = fd.ops.corrupt(x, Gaussian(0.5), noise, site=1)[0]
    assert torch.equal(mean, fd.ops.encode_mean(encoder, x_tilde, None, noise, copies=1))
    assert torch.allclose(mean, encoder(x_tilde), atol=1e-6, rtol=0)


def test_sigma_zero_is_the_clean_encoding():
    encoder, x = fd.networks.mlp([12, 20, 3]), torch.rand(6, 12)
    mean = fd.ops.encode_mean(encoder, x, Gaussian(0.0), fd.Noise(2), copies=7)
    assert torch.allclose(mean, encoder(x), atol=1e-6, rtol=0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_linear_sigmoid_corrupt_is_its_formula(backend):
    h, noise = torch.randn(5, 6), fd.Noise(3)
    weight, bias = layer(6, 8)
    arguments = {"row_offset": 4, "site": 3, "backend": backend}
    out = fd.ops.linear_sigmoid_corrupt(h, weight, bias, Gaussian(0.25), noise, keep_clean=True, **arguments)
    expected = torch.sigmoid(h.double() @ weight.double().T + bias.double())
    assert torch.allclose(out.x.double(), expected, atol=1e-6, rtol=0)
    assert torch.equal(out.x_tilde, fd.ops.corrupt(out.x, Gaussian(0.25), noise, **arguments)[0])
    assert fd.ops.linear_sigmoid_corrupt(h, weight, bias, None, noise, **arguments).x is None


def test_compile_without_graph_breaks():
    encoder, noise, x = fd.networks.mlp([12, 20, 3]), fd.Noise(2), torch.rand(6, 12)
    weight, bias = layer(12, 4)
    calls = {
        "encode_mean": lambda: fd.ops.encode_mean(encoder, x, Gaussian(0.5), noise, copies=3),
        "corrupted_linear": lambda: fd.ops.corrupted_linear(x, weight, bias, Gaussian(0.5), noise, copies=2),
        "linear_mean": lambda: fd.ops.linear_mean(x[None], weight, bias),
        "linear_sigmoid_corrupt": lambda: fd.ops.linear_sigmoid_corrupt(x, weight, bias, Gaussian(0.5), noise).x_tilde,
    }
    for name, call in calls.items():
        compiled = torch.compile(call, fullgraph=True, backend="aot_eager")
        assert torch.allclose(compiled(), call(), atol=1e-6), name


@pytest.mark.parametrize(
    ("message", "call"),
    [
        (r"activation must be one of", lambda x, w, b, n: fd.ops.corrupted_linear(x, w, b, None, n, activation="gelu")),
        (
            r"weight must have the shape \[H, 6\].*got \[4, 5\]",
            lambda x, w, b, n: fd.ops.corrupted_linear(x, w[:, 1:], b, None, n),
        ),
        (
            r"bias must have the shape \[4\].*got \[3\]",
            lambda x, w, b, n: fd.ops.corrupted_linear(x, w, b[1:], None, n),
        ),
        (r"h must have the shape \[M, N, K\]", lambda x, w, b, n: fd.ops.linear_mean(x, w, b)),
        (r"h must have the shape \[N, K\]", lambda x, w, b, n: fd.ops.linear_sigmoid_corrupt(x[None], w, b, None, n)),
        (
            r"copies must be in 1..65536, got 0",
            lambda x, w, b, n: fd.ops.encode_mean(nn.Identity(), x, None, n, copies=0),
        ),
    ],
)
def test_bad_input_is_one_clear_line(message, call):
    with pytest.raises(ValueError, match=message):
        call(torch.rand(2, 6), *layer(6, 4), fd.Noise(0))
