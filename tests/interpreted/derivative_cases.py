"""Gradients of gradients through the Triton operators, and their results under other defaults, interpreted."""

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
