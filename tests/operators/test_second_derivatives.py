"""Gradients of gradients (create_graph=True) are those of the float64 reference, on every backend."""

import sys

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae.activation import ACTIVATIONS
from fastdaae.corruptions import Gaussian, Masking, SaltAndPepper
from fastdaae.ops.network import Plan

BACKENDS = ["reference", pytest.param("cpp", marks=pytest.mark.needs_cpp)]
CORRUPTIONS = [None, Gaussian(0.5), Gaussian(0.5, clip=(0.0, 1.0)), Masking(0.4), SaltAndPepper(0.4)]
INDEX = torch.tensor([4, 0, 0, 2])
NOISE = fd.Noise(3, step=1)


def corrupt(leaves, corruption, backend):
    x, *_ = leaves
    return fd.ops.corrupt(x, corruption, NOISE, copies=3, index=INDEX, backend=backend)


def layer_of(activation: str):
    def corrupted_linear(leaves, corruption, backend):
        how = {"copies": 3, "activation": activation, "index": INDEX, "backend": backend}
        return fd.ops.corrupted_linear(*leaves, corruption, NOISE, **how)

    return corrupted_linear


def mean_of(activation: str):
    def linear_mean(leaves, corruption, backend):
        x, weight, bias = leaves
        h = torch.stack((x, x.square(), x.cos()))
        return fd.ops.linear_mean(h, weight, bias, activation=activation, backend=backend)

    return linear_mean


def linear_sigmoid_corrupt(leaves, corruption, backend):
    found = fd.ops.linear_sigmoid_corrupt(*leaves, corruption, NOISE, keep_clean=True, backend=backend)
    return found.x_tilde + found.x.square()


class Encoder(nn.Sequential):
    """A network with the weights that it is given."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor):
        last = nn.Linear(len(weight), 2, dtype=weight.dtype)
        nn.init.constant_(last.weight, 0.5)
        nn.init.constant_(last.bias, 0.1)
        first = nn.Linear(1, 1)
        super().__init__(first, nn.Sigmoid(), last)
        for name, value in (("weight", weight), ("bias", bias)):
            delattr(first, name)
            setattr(first, name, value)


def encode_mean(leaves, corruption, backend):
    x, weight, bias = leaves
    return fd.ops.encode_mean(Encoder(weight, bias), x, corruption, NOISE, copies=3, index=INDEX, backend=backend)


OPERATORS = {
    "corrupt": corrupt,
    **{f"corrupted_linear {activation}": layer_of(activation) for activation in ACTIVATIONS},
    **{f"linear_mean {activation}": mean_of(activation) for activation in ACTIVATIONS},
    "linear_sigmoid_corrupt": linear_sigmoid_corrupt,
    "encode_mean": encode_mean,
}


def leaves_of(dtype: torch.dtype, width: int = 140) -> list[torch.Tensor]:
    # wide enough for the engine to take the products, with the layer's outputs within the bend of a sigmoid
    generator = torch.Generator().manual_seed(5)
    shapes = (5, width), (width, width), (width,)
    drawn = [torch.randn(shape, generator=generator, dtype=torch.float64) / shape[-1] ** 0.5 for shape in shapes]
    return [tensor.to(dtype).requires_grad_() for tensor in drawn]


def second_derivatives(operator, corruption, backend: str, dtype: torch.dtype) -> list[torch.Tensor]:
    """The gradients of a function of the first gradients, as a gradient penalty takes them."""
    leaves = leaves_of(dtype)
    out = operator(leaves, corruption, backend)
    first = torch.autograd.grad(out.square().sum() + out.sum(), leaves, create_graph=True, materialize_grads=True)
    penalty = sum(gradient.square().sum() for gradient in first)
    return list(torch.autograd.grad(penalty, leaves, materialize_grads=True))


CASES = [
    pytest.param(operator, corruption, id=f"{name}, {corruption}")
    for name, operator in OPERATORS.items()
    for corruption in CORRUPTIONS
    if corruption is None or not name.startswith("linear_mean")
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("operator", "corruption"), CASES)
def test_second_derivatives_are_those_of_the_float64_reference(backend, corruption, operator):
    ours = second_derivatives(operator, corruption, backend, torch.float32)
    expected = second_derivatives(operator, corruption, "reference", torch.float64)
    for found, wanted in zip(ours, expected, strict=True):
        assert torch.allclose(found.double(), wanted, rtol=1e-4, atol=1e-5 * float(wanted.abs().max())), corruption


@pytest.mark.parametrize(("operator", "corruption"), CASES)
def test_gradgradcheck_of_the_reference(corruption, operator):
    leaves = leaves_of(torch.float64, width=4)
    assert torch.autograd.gradgradcheck(lambda *given: operator(given, corruption, "reference"), leaves)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_gradient_penalty_through_a_linear_critic_reaches_its_weights(backend):
    """The gradient by x of a sum of outputs depends on the weights alone: no incoming gradient carries a graph."""
    x, weight, bias = leaves_of(torch.float32)
    scores = fd.ops.corrupted_linear(x, weight, bias, None, NOISE, activation="none", backend=backend)
    slope = torch.autograd.grad(scores.sum(), x, create_graph=True)[0]
    found = torch.autograd.grad(slope.square().sum(), weight)[0]
    # each row of x has the slope sum_h w_h, so that the penalty is 5 |sum_h w_h|^2
    assert torch.allclose(found, (2 * 5 * weight.sum(0)).expand_as(weight), rtol=1e-4, atol=1e-4)


def critic(x, layers, activation: str, backend: str) -> torch.Tensor:
    """Scores [N, 1] by layers of the operators, each of one batch and without noise."""
    for place, (weight, bias) in enumerate(layers):
        through = activation if place < len(layers) - 1 else "none"
        x = fd.ops.corrupted_linear(x, weight, bias, None, NOISE, activation=through, backend=backend)[0]
    return x


def penalty_gradients(dtype: torch.dtype, activation: str, backend: str) -> list[torch.Tensor]:
    """The gradients of a critic's loss with the penalty of Gulrajani et al. 2017, by every parameter."""
    torch.manual_seed(4)
    shapes = (160, 150), (140, 160), (1, 140)
    drawn = [(torch.randn(shape) / shape[1] ** 0.5, torch.randn(shape[:1]) / 9) for shape in shapes]
    layers = [tuple(tensor.to(dtype).requires_grad_() for tensor in layer) for layer in drawn]
    real, fake, mix = (torch.rand(shape).to(dtype) for shape in ((12, 150), (12, 150), (12, 1)))
    between = (mix * real + (1 - mix) * fake).requires_grad_()
    slope = torch.autograd.grad(critic(between, layers, activation, backend).sum(), between, create_graph=True)[0]
    penalty = (slope.norm(dim=1) - 1).square().mean()
    wasserstein = critic(fake, layers, activation, backend).mean() - critic(real, layers, activation, backend).mean()
    parameters = [tensor for layer in layers for tensor in layer]
    return list(torch.autograd.grad(wasserstein + 10 * penalty, parameters))


@pytest.mark.needs_cpp
@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "none"])
def test_a_wasserstein_critic_of_layers_trains_with_its_penalty(isa, activation):
    ours = penalty_gradients(torch.float32, activation, "cpp")
    expected = penalty_gradients(torch.float64, activation, "reference")
    for found, wanted in zip(ours, expected, strict=True):
        assert torch.allclose(found.double(), wanted, rtol=1e-4, atol=1e-5 * float(wanted.abs().max()))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("leaf", [0, 1, 2], ids=["x", "weight", "bias"])
@pytest.mark.parametrize("name", ["corrupted_linear sigmoid", "linear_mean sigmoid", "linear_sigmoid_corrupt"])
def test_second_derivatives_by_one_leaf_alone(backend, leaf, name):
    """Nobody asks for the gradients of the other leaves, so that nothing but the saved tensors carries their part."""

    def second(dtype: torch.dtype, backend: str) -> torch.Tensor:
        leaves = [t.detach().requires_grad_(place == leaf) for place, t in enumerate(leaves_of(dtype))]
        out = OPERATORS[name](leaves, Masking(0.4) if "mean" not in name else None, backend)
        first = torch.autograd.grad(out.square().sum(), leaves[leaf], create_graph=True)[0]
        return torch.autograd.grad(first.square().sum(), leaves[leaf])[0]

    found, wanted = second(torch.float32, backend), second(torch.float64, "reference")
    assert torch.allclose(found.double(), wanted, rtol=1e-4, atol=1e-5 * float(wanted.abs().max()))


def functions_of_the_library() -> list[type]:
    """The autograd Functions of the C++ operators."""
    modules = [m for name, m in sys.modules.items() if name.startswith("fastdaae.") and "triton" not in name]
    found = {value for module in modules for value in vars(module).values() if isinstance(value, type)}
    return [one for one in found if issubclass(one, torch.autograd.Function) and one.__module__.startswith("fastdaae.")]


@pytest.mark.needs_cpp
def test_the_cases_above_differentiate_every_backward_pass_again(monkeypatch):
    functions, differentiated = functions_of_the_library(), set()
    assert len(functions) >= 3

    def recording(function: type):
        backward = function.backward

        def recorded(ctx, *gradients):
            # so it is where the backward pass shall have a history itself
            if torch.is_grad_enabled():
                differentiated.add(function)
            return backward(ctx, *gradients)

        return staticmethod(recorded)

    for function in functions:
        monkeypatch.setattr(function, "backward", recording(function))
    for operator in OPERATORS.values():
        second_derivatives(operator, None, "cpp", torch.float32)
    assert differentiated == set(functions)


def test_a_gradient_penalty_through_a_network_is_pytorch_s():
    critic, x = fd.networks.mlp([160, 160, 160, 1]), torch.rand(16, 160, requires_grad=True)
    found = []
    for call in (lambda: Plan.of(critic)(x), lambda: critic(x)):
        slope = torch.autograd.grad(call().sum(), x, create_graph=True)[0]
        penalty = (slope.norm(dim=1) - 1).square().mean()
        found.append(torch.autograd.grad(penalty, list(critic.parameters()), materialize_grads=True))
    for ours, expected in zip(*found, strict=True):
        assert torch.allclose(ours, expected, atol=1e-6 + 1e-4 * float(expected.abs().max()), rtol=0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_third_derivatives_go_on(backend):
    x, weight, bias = leaves_of(torch.float32)
    out = fd.ops.corrupted_linear(
        x, weight, bias, Masking(0.4), NOISE, copies=2, activation="sigmoid", backend=backend
    ).sum()
    for _ in range(3):
        out = torch.autograd.grad(out, x, create_graph=True)[0].square().sum()
    x64, *layer = (leaf.detach().double().requires_grad_() for leaf in (x, weight, bias))
    expected = fd.ops.corrupted_linear(x64, *layer, Masking(0.4), NOISE, copies=2, activation="sigmoid").sum()
    for _ in range(3):
        expected = torch.autograd.grad(expected, x64, create_graph=True)[0].square().sum()
    assert abs(float(out.detach()) / float(expected.detach()) - 1) < 1e-3
