"""What holds of every Triton operator: second derivatives, the process's defaults, strides and sizes; interpreted."""

import pytest
import torch

import fastdaae as fd
from fastdaae.corruptions import Gaussian, Masking, SaltAndPepper

CORRUPTIONS = [None, Gaussian(0.5, clip=(0.0, 1.0)), Masking(0.4), SaltAndPepper(0.4)]
INDEX = torch.tensor([4, 0, 0, 2])
NOISE = fd.Noise(3, step=1)


def leaves(dtype: torch.dtype) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    shapes = (5, 18), (18, 18), (18,)
    drawn = [torch.randn(shape, generator=generator, dtype=torch.float64) / shape[-1] ** 0.5 for shape in shapes]
    return [tensor.to(dtype).requires_grad_() for tensor in drawn]


def corrupt(x, weight, bias, corruption, backend):
    return fd.ops.corrupt(x, corruption, NOISE, copies=2, index=INDEX, backend=backend)


def corrupted_linear(x, weight, bias, corruption, backend):
    how = {"copies": 2, "activation": "sigmoid", "index": INDEX, "backend": backend}
    return fd.ops.corrupted_linear(x, weight, bias, corruption, NOISE, **how)


def linear_mean(x, weight, bias, corruption, backend):
    h = torch.stack((x, x.square()))
    return fd.ops.linear_mean(h, weight, bias, activation="sigmoid", backend=backend)


def linear_sigmoid_corrupt(x, weight, bias, corruption, backend):
    return fd.ops.linear_sigmoid_corrupt(x, weight, bias, corruption, NOISE, backend=backend).x_tilde


OPERATORS = [corrupt, corrupted_linear, linear_mean, linear_sigmoid_corrupt]


def second_derivatives(operator, corruption, backend: str, dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
    given = leaves(dtype)
    out = operator(*given, corruption, backend)
    first = torch.autograd.grad(out.square().sum() + out.sum(), given, create_graph=True, materialize_grads=True)
    return torch.autograd.grad(sum(g.square().sum() for g in first), given, materialize_grads=True)


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=repr)
@pytest.mark.parametrize("operator", OPERATORS)
def test_second_derivatives_are_those_of_the_float64_reference(operator, corruption):
    ours = second_derivatives(operator, corruption, "triton", torch.float32)
    expected = second_derivatives(operator, corruption, "reference", torch.float64)
    for found, wanted in zip(ours, expected, strict=True):
        assert torch.allclose(found.double(), wanted, rtol=1e-4, atol=1e-5 * float(wanted.abs().max()))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
@pytest.mark.parametrize("operator", OPERATORS)
def test_results_do_not_read_the_default_dtype(operator, dtype):
    given = leaves(torch.float32)

    def results() -> list[torch.Tensor]:
        out = operator(*given, Gaussian(0.5), "triton")
        return [out, *torch.autograd.grad(out.square().sum(), given, materialize_grads=True)]

    expected = results()
    torch.set_default_dtype(dtype)
    try:
        found = results()
    finally:
        torch.set_default_dtype(torch.float32)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == theirs.dtype and torch.equal(ours, theirs)


def test_strides_of_parameters_and_indices_change_nothing():
    x, weight, bias = (leaf.detach() for leaf in leaves(torch.float32))
    index, spread = INDEX, torch.stack((INDEX, INDEX - 9), dim=1)[:, 0]
    strided = [torch.stack((tensor, tensor - 9), dim=-1)[..., 0] for tensor in (x, weight, bias)]
    found = [
        fd.ops.corrupted_linear(*given, Gaussian(0.5), NOISE, index=chosen, backend="triton")
        for given, chosen in (((x, weight, bias), index), (strided, spread))
    ]
    assert torch.equal(*found)
    found = [fd.ops.linear_mean(given[0][None], *given[1:], backend="triton") for given in ((x, weight, bias), strided)]
    assert torch.equal(*found)
    found = [
        fd.ops.linear_sigmoid_corrupt(*given, None, NOISE, backend="triton")[0] for given in (leaves(x.dtype), strided)
    ]
    assert torch.allclose(*found, atol=1e-6)


@pytest.mark.parametrize("shape", [(0, 5), (4, 0), (0, 0)])
def test_no_rows_and_no_columns(shape):
    x, weight, bias = torch.rand(shape, requires_grad=True), torch.rand(3, shape[1]), torch.tensor([-1.0, 0.5, 2.0])
    noisy = fd.ops.corrupt(x, Masking(0.3), NOISE, copies=2, backend="triton")
    layer = fd.ops.corrupted_linear(x, weight, bias, Masking(0.3), NOISE, copies=2, backend="triton")
    mean = fd.ops.linear_mean(x[None], weight, bias, backend="triton")
    with torch.no_grad():
        pixels = fd.ops.linear_sigmoid_corrupt(x, weight, bias, None, NOISE, backend="triton").x_tilde
    assert (noisy.shape, layer.shape, mean.shape) == ((2, *shape), (2, shape[0], 3), (shape[0], 3))
    if shape[1] == 0:
        assert torch.equal(layer, bias.relu().expand_as(layer)) and torch.equal(mean, bias.relu().expand_as(mean))
        assert torch.allclose(pixels, bias.sigmoid().expand_as(pixels), atol=1e-6)
    total = noisy.sum() + layer.sum() + mean.sum()
    assert torch.autograd.grad(total, x)[0].shape == shape
