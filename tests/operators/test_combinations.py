"""Autocast, strides, repeated indices and gradients together: "auto" against the reference, in values and gradients."""

import contextlib

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae.corruptions import Gaussian, Masking

NOISE = fd.Noise(3, step=7)
REPEATED = torch.tensor([3, 3, 3, 0, 19, 7, 7, 1])
CASTS = {"no autocast": contextlib.nullcontext, "bf16": lambda: torch.autocast("cpu", dtype=torch.bfloat16)}


def strided(*shape: int) -> torch.Tensor:
    """Every other column of a matrix twice as wide, transposed in memory."""
    return torch.rand(2 * shape[1], shape[0])[::2].T.requires_grad_()


def corrupted_linear(leaves, index, backend):
    x, weight, bias = leaves
    how = {"copies": 3, "index": index, "backend": backend}
    return fd.ops.corrupted_linear(x, weight, bias, Masking(0.3), NOISE, activation="sigmoid", **how)


def linear_mean(leaves, index, backend):
    x, weight, bias = leaves
    h = torch.stack((x, x.square()), dim=1).transpose(0, 1)
    return fd.ops.linear_mean(h, weight, bias, activation="relu", backend=backend)


def linear_sigmoid_corrupt(leaves, index, backend):
    found = fd.ops.linear_sigmoid_corrupt(*leaves, Gaussian(0.4), NOISE, keep_clean=True, backend=backend)
    return torch.cat((found.x_tilde, found.x))


class Encoder(nn.Module):
    """Any module: called as it is, on the copies as one batch."""

    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias = weight, bias

    def forward(self, x):
        return nn.functional.linear(x, self.weight, self.bias).tanh()


def encode_mean(leaves, index, backend):
    x, weight, bias = leaves
    return fd.ops.encode_mean(Encoder(weight, bias), x, Gaussian(0.4), NOISE, copies=3, index=index, backend=backend)


OPERATORS = [corrupted_linear, linear_mean, linear_sigmoid_corrupt, encode_mean]


def results(operator, leaves, index, backend) -> list[torch.Tensor]:
    out = operator(leaves, index, backend)
    return [out.detach(), *torch.autograd.grad((out.float() * out.detach().float().cos()).sum(), leaves)]


@pytest.mark.parametrize("cast", CASTS.values(), ids=CASTS)
@pytest.mark.parametrize("index", [None, REPEATED], ids=["rows", "repeated rows"])
@pytest.mark.parametrize("operator", OPERATORS)
def test_operators_agree_with_the_reference(operator, index, cast):
    leaves = [
        strided(20, 140),
        (strided(150, 140) / 12).detach().requires_grad_(),
        torch.rand(300)[::2].requires_grad_(),
    ]
    with cast():
        ours = results(operator, leaves, index, "auto")
        expected = results(operator, leaves, index, "reference")
    unit = 2.0**-8 if ours[0].dtype == torch.bfloat16 else 2.0**-24
    for found, wanted in zip(ours, expected, strict=True):
        assert found.dtype == wanted.dtype and found.shape == wanted.shape
        # some tens of roundings of numbers of the result's size
        assert float((found.double() - wanted.double()).abs().max()) <= 24 * unit * float(wanted.abs().max())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("index", [None, REPEATED], ids=["rows", "repeated rows"])
def test_networks_agree_with_the_reference(index, dtype):
    torch.manual_seed(2)
    shared = nn.Linear(150, 150)
    encoder = nn.Sequential(nn.Linear(140, 150), nn.ReLU(inplace=True), shared, nn.Sigmoid(), shared, nn.ReLU())
    encoder.append(nn.Linear(150, 5)).to(dtype)
    leaves = [strided(20, 140).detach().to(dtype).requires_grad_(), *encoder.parameters()]

    def call(leaves, index, backend):
        x, how = leaves[0], {"copies": 3, "index": index, "backend": backend}
        return fd.ops.encode_mean(encoder, x, Gaussian(0.4), NOISE, **how)

    unit = {torch.float32: 2.0**-24, torch.bfloat16: 2.0**-8, torch.float64: 2.0**-53}[dtype]
    pairs = zip(results(call, leaves, index, "auto"), results(call, leaves, index, "reference"), strict=True)
    for found, wanted in pairs:
        assert found.dtype == wanted.dtype
        assert float((found - wanted).abs().max()) <= 24 * unit * float(wanted.abs().max())


@pytest.mark.parametrize("corruption", [None, Gaussian(0.0), Gaussian(0.4), Masking(0.3)], ids=repr)
@pytest.mark.parametrize("backend", ["reference", pytest.param("cpp", marks=pytest.mark.needs_cpp)])
def test_noise_may_advance_before_the_backward_pass(backend, corruption):
    gradients = []
    for steps in (0, 3):
        torch.manual_seed(0)
        leaves, noise = [torch.rand(20, 140, requires_grad=True), torch.rand(150, 140, requires_grad=True)], fd.Noise(1)
        layer = fd.ops.corrupted_linear(*leaves, None, corruption, noise, activation="sigmoid", backend=backend)
        copied = fd.ops.corrupt(leaves[0], corruption, noise, backend=backend)
        noise.advance(steps)
        gradients.append(torch.autograd.grad(layer.sum() + copied.square().sum(), leaves))
    assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))
