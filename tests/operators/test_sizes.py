"""Indices that are not contiguous, batches without rows and rows without numbers, on every operator and backend."""

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae.corruptions import Gaussian, Masking, SaltAndPepper

BACKENDS = ["reference", pytest.param("cpp", marks=pytest.mark.needs_cpp)]
CORRUPTIONS = [None, Gaussian(0.5), Gaussian(0.5, clip=(0, 1)), Masking(0.3), SaltAndPepper(0.3)]
NOISE, X, WEIGHT = fd.Noise(1), torch.rand(6, 5), torch.randn(3, 5)
INDICES = {
    "strided": torch.tensor([5, -9, 1, -9, 1, -9])[::2],
    "column": torch.tensor([[5, -9], [1, -9], [0, -9]])[:, 0],
    "expanded": torch.tensor([2]).expand(3),
}


def encoder(inputs: int = 5) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, 4), nn.ReLU(), nn.Linear(4, 2))


INDEXED = {
    "corrupt": lambda x, **how: fd.ops.corrupt(x, Masking(0.3), NOISE, **how),
    "corrupted_linear": lambda x, **how: fd.ops.corrupted_linear(x, WEIGHT, None, Masking(0.3), NOISE, **how),
    "encode_mean": lambda x, **how: fd.ops.encode_mean(encoder(), x, Masking(0.3), NOISE, copies=2, **how),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
@pytest.mark.parametrize("call", INDEXED.values(), ids=INDEXED)
def test_an_index_may_have_strides(call, index, backend):
    found = []
    for chosen in (index, index.clone(memory_format=torch.contiguous_format)):
        x = X.clone().requires_grad_()
        out = call(x, index=chosen, backend=backend)
        found.append((out, torch.autograd.grad(out.sum(), x)[0]))
    assert torch.equal(found[0][0], found[1][0]) and torch.equal(found[0][1], found[1][1])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("call", INDEXED.values(), ids=INDEXED)
@pytest.mark.parametrize("wrong", [-1, 6, -(2**62), 2**62])
def test_an_index_outside_x_is_named(call, wrong, backend):
    with pytest.raises(IndexError, match=rf"index must be in 0\.\.5, the rows of x, got {wrong} at position 1"):
        call(X, index=torch.tensor([0, wrong]), backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shape", [(0, 5), (0, 5, 1)])
def test_no_rows_have_results_and_gradients(backend, shape):
    for name, call in INDEXED.items():
        x = torch.rand(shape, requires_grad=True)
        out = call(x, backend=backend)
        assert out.shape[-len(shape) if name == "corrupt" else -2] == 0, name
        assert torch.autograd.grad(out.sum(), x)[0].shape == shape, name
    assert fd.priors.Normal(3).sample(0, NOISE).shape == (0, 3)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=repr)
@pytest.mark.parametrize("shape", [(4, 0), (0, 0), (4, 3, 0), (4, 0, 3)])
def test_rows_without_numbers_are_copied(backend, corruption, shape):
    x = torch.rand(shape, requires_grad=True)
    out = fd.ops.corrupt(x, corruption, NOISE, copies=2, backend=backend)
    assert out.shape == (2, *shape)
    assert torch.autograd.grad(out.sum(), x)[0].shape == shape
    chosen = torch.zeros(3 if shape[0] else 0, dtype=torch.int64)
    assert fd.ops.corrupt(x, corruption, NOISE, index=chosen, backend=backend).shape == (1, len(chosen), *shape[1:])


@pytest.mark.parametrize("activation", ["none", "relu", "sigmoid"])
@pytest.mark.parametrize("rows", [0, 4])
def test_layers_of_no_inputs_give_their_bias(rows, activation):
    x, weight = torch.rand(rows, 0), torch.rand(3, 0, requires_grad=True)
    bias = torch.tensor([-1.0, 0.5, 2.0])
    expected = {"none": bias, "relu": bias.relu(), "sigmoid": bias.sigmoid()}[activation]
    layer = fd.ops.corrupted_linear(x, weight, bias, Gaussian(0.5), NOISE, copies=2, activation=activation)
    mean = fd.ops.linear_mean(x.expand(2, rows, 0), weight, bias, activation=activation)
    assert torch.equal(layer, expected.expand(2, rows, 3)) and torch.equal(mean, expected.expand(rows, 3))
    assert torch.autograd.grad(layer.sum() + mean.sum(), weight)[0].shape == (3, 0)
    pixels = fd.ops.linear_sigmoid_corrupt(x, weight, bias, None, NOISE).x_tilde
    assert torch.allclose(pixels, bias.sigmoid().expand(rows, 3))


@pytest.mark.needs_cpp
def test_the_engine_refuses_layers_of_no_inputs_when_it_is_named():
    x, weight = torch.rand(4, 0), torch.rand(3, 0)
    for call in (
        lambda: fd.ops.corrupted_linear(x, weight, None, None, NOISE, backend="cpp"),
        lambda: fd.ops.linear_mean(x[None], weight, None, backend="cpp"),
    ):
        with pytest.raises(RuntimeError, match="it needs at least one number a row; usable here: 'reference'"):
            call()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_encoders_and_chains_of_empty_layers_run(backend):
    x = torch.rand(4, 0)
    codes = fd.ops.encode_mean(encoder(0), x, Gaussian(0.5), NOISE, copies=2, backend=backend)
    assert codes.shape == (4, 2) and bool(codes.isfinite().all())
    for sizes in ((0, 5), (3, 0)):
        decoder = nn.Sequential(nn.Linear(*sizes), nn.Sigmoid())
        back, z = nn.Sequential(nn.Linear(*sizes[::-1])), torch.rand(4, sizes[0])
        chain = fd.ops.sample_chain(decoder, back, z, Gaussian(0.5), NOISE, steps=2, backend=backend)
        assert chain.shape == (1, 4, sizes[1])


@pytest.mark.parametrize("call", [fd.ops.nearest_neighbors, lambda x, k, y: fd.ops.parzen_log_density(y, x, [1.0])])
def test_points_without_columns_are_refused_and_no_queries_are_answered(call):
    with pytest.raises(ValueError, match="must not be empty"):
        call(torch.rand(5, 0), 2, torch.rand(5, 0))
    found = call(torch.rand(5, 3), 2, torch.rand(0, 3))
    assert (found if isinstance(found, torch.Tensor) else found.distances).numel() == 0
