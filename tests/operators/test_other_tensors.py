"""Tensors without memory of their own, and torch.func's transforms: PyTorch's operators take them, no kernel does."""

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad
from torch.utils import _pytree as pytree

import fastdaae as fd
from fastdaae.corruptions import Gaussian
from fastdaae.ops.network import Plan

NOISE, NOISY = fd.Noise(1), Gaussian(0.5)
X, WEIGHT = torch.rand(3, 16, 140), torch.randn(150, 140)


class Doubled(torch.Tensor):
    """Twice another tensor, computed when it is read, as quantised weights are."""

    @staticmethod
    def __new__(cls, half: torch.Tensor):
        return torch.Tensor._make_wrapper_subclass(cls, half.shape, dtype=half.dtype, device=half.device)

    def __init__(self, half: torch.Tensor):
        self.half = half

    @classmethod
    def __torch_dispatch__(cls, function, types, args, kwargs=None):
        if function is torch.ops.aten.detach.default:
            return cls(args[0].half)
        args, kwargs = pytree.tree_map_only(cls, lambda one: one.half * 2, (args, kwargs or {}))
        return function(*args, **kwargs)


def layer(x, weight, **how):
    return fd.ops.corrupted_linear(x, weight, None, NOISY, NOISE, activation="sigmoid", **how)


def test_weights_and_inputs_without_memory_are_computed():
    x = X[0]
    assert torch.allclose(layer(x, Doubled(WEIGHT)), layer(x, 2 * WEIGHT), atol=1e-5)
    assert torch.allclose(layer(Doubled(x), WEIGHT), layer(2 * x, WEIGHT), atol=1e-5)
    assert torch.allclose(fd.ops.corrupt(Doubled(x), NOISY, NOISE), fd.ops.corrupt(2 * x, NOISY, NOISE), atol=1e-5)
    mean = fd.ops.linear_mean(X, Doubled(WEIGHT), None)
    assert torch.allclose(mean, fd.ops.linear_mean(X, 2 * WEIGHT, None), atol=1e-4)


def test_networks_whose_weights_have_no_memory_run():
    encoder, decoder = (nn.Sequential(nn.Linear(140, 140), end) for end in (nn.ReLU(), nn.Sigmoid()))
    expected = []
    for weight in (2 * WEIGHT[:140], Doubled(WEIGHT[:140])):
        encoder[0].weight = nn.Parameter(weight, requires_grad=False)
        results = Plan.of(encoder)(X[0]), fd.ops.encode_mean(encoder, X[0], NOISY, NOISE, copies=2)
        expected.append((*results, fd.ops.sample_chain(decoder, encoder, X[0], NOISY, NOISE, steps=2)))
    for ours, theirs in zip(*expected, strict=True):
        assert torch.allclose(ours.detach(), theirs.detach(), atol=1e-4)


@pytest.mark.needs_cpp
def test_a_kernel_that_is_named_says_why_not():
    with pytest.raises(RuntimeError, match="it reads plain tensors, and weight is a Doubled; usable here: 'reference'"):
        layer(X[0], Doubled(WEIGHT), backend="cpp")
    with pytest.raises(RuntimeError, match="it takes no part in torch.func's transforms, and x does"):
        torch.vmap(lambda x: layer(x, WEIGHT, backend="cpp"))(X)


def test_subclasses_with_memory_are_taken():
    class Image(torch.Tensor):
        pass

    assert torch.allclose(layer(X[0].as_subclass(Image), WEIGHT), layer(X[0], WEIGHT), atol=1e-6)


def test_transforms_of_torch_func():
    x, direction = X[0], torch.randn(150, 140)
    mapped = torch.vmap(lambda one: layer(one, WEIGHT))(X)
    assert torch.allclose(mapped, torch.stack([layer(one, WEIGHT) for one in X]), atol=1e-5)
    weight = WEIGHT.clone().requires_grad_()
    expected = torch.autograd.grad(layer(x, weight).sum(), weight)[0]
    found = torch.func.grad(lambda weight: layer(x, weight).sum())(WEIGHT)
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4)
    slope = torch.func.jvp(lambda weight: layer(x, weight).sum(), (WEIGHT,), (direction,))[1]
    assert torch.allclose(slope, (expected * direction).sum(), rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("call", [lambda x: fd.ops.corrupt(x, NOISY, NOISE), lambda x: layer(x, WEIGHT)])
def test_forward_mode_derivatives_are_not_lost(call):
    x = X[0].clone().requires_grad_()
    expected = (torch.autograd.grad(call(x).sum(), x)[0] * X[1]).sum()
    with forward_ad.dual_level():
        tangent = forward_ad.unpack_dual(call(forward_ad.make_dual(X[0], X[1]))).tangent
    assert torch.allclose(tangent.sum(), expected, rtol=1e-3, atol=1e-2)
