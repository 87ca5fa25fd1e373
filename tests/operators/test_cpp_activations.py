"""Activations of the compiled module against float64 PyTorch."""

import math

import numpy as np
import pytest
import torch

from fastdaae.draw import Draw
from tests.cpp_calls import bits, compiled, layer, linear, numbers, random, source

pytestmark = [pytest.mark.needs_cpp, pytest.mark.usefixtures("isa")]

NEW = ("leaky_relu", "tanh")
SLOPES = (0.0, 0.2, 1.5)
# small enough to stay in a cache, where the weights are multiplied in place; and too large
BATCHES = (33, 2100)


def linear_mean(h, weight, bias, activation, slope, saved_dtype):
    copies, rows, _ = h.shape
    out, saved = torch.empty(rows, len(weight)), torch.empty(copies, rows, len(weight)).to(saved_dtype)
    form = layer(weight, bias, activation, slope)
    compiled().linear_mean(h.data_ptr(), rows, copies, form, False, numbers(out), numbers(saved), 2)
    return out, saved


def gradient(grad, saved, activation, slope):
    copies, rows, outputs = saved.shape
    shared = grad.dim() == 2
    scale = 1 / copies if shared else 1.0
    return numbers(grad), numbers(saved), activation, slope, shared, scale, copies, rows, outputs


def activated(x, activation, slope):
    return torch.tanh(x) if activation == "tanh" else torch.nn.functional.leaky_relu(x, slope)


def edges():
    """Numbers at which an activation could go wrong: zero, subnormals, a polynomial's end, saturation."""
    powers = torch.logspace(-45, 38, 3001, dtype=torch.float64).float()
    near = torch.linspace(0.6, 0.65, 4001), torch.linspace(8.0, 10.0, 2001), torch.linspace(0.0, 12.0, 50001)
    positive = torch.cat([powers, *near, torch.tensor([0.0, math.inf, math.nan])])
    return torch.cat([positive, -positive])[:, None].contiguous()


def test_tanh_is_within_four_units_of_the_last_place():
    x = edges()
    found, expected = linear(x, torch.ones(1, 1), None, "tanh"), torch.tanh(x.double())
    unit = np.spacing(expected.float().abs().numpy()).astype(np.float64)
    error = (found.double() - expected).abs().numpy() / unit
    assert np.nanmax(error) <= 4
    assert torch.equal(found.isnan(), x.isnan())
    signed = (x != 0) & ~x.isnan()  # a sum of products has no -0
    assert torch.equal(found[signed].sign(), x[signed].sign()) and (found[signed].abs() <= 1).all()
    assert (found[x >= 9.5] == 1).all() and (found[x <= -9.5] == -1).all()


@pytest.mark.parametrize("slope", SLOPES)
def test_leaky_relu_is_exact(slope):
    x = edges() + 0.0  # a sum of products has no -0
    found = linear(x, torch.ones(1, 1), None, "leaky_relu", slope)
    expected = torch.where(x < 0, torch.tensor(slope) * x, x)
    assert torch.equal(found.isnan(), expected.isnan())
    assert torch.equal(bits(found.nan_to_num()), bits(expected.nan_to_num()))


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("activation", NEW)
@pytest.mark.parametrize("half", [False, True])
def test_a_layer_is_the_activation_of_its_sums(activation, batch, half):
    x, weight, bias = random(batch, 130), random(35, 130, seed=1) / 12, random(35, seed=2)
    sums = linear(x, weight, bias, "none", half=half)
    found = linear(x, weight, bias, activation, 0.2, half=half)
    expected = activated(sums.double(), activation, 0.2)
    torch.testing.assert_close(found.double(), expected, rtol=3e-7, atol=0)


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("activation", NEW)
def test_mean_and_what_it_saves(activation, slope):
    h, weight, bias = random(3, 17, 40), random(35, 40, seed=1) / 6, random(35, seed=2)
    each = activated(h.double() @ weight.double().T + bias.double(), activation, slope)
    found, outputs = linear_mean(h, weight, bias, activation, slope, torch.float32)
    torch.testing.assert_close(found.double(), each.mean(0), rtol=0, atol=3e-6)
    torch.testing.assert_close(outputs.double(), each, rtol=0, atol=3e-6)
    if activation == "leaky_relu":
        again, signs = linear_mean(h, weight, bias, activation, slope, torch.uint8)
        assert torch.equal(bits(again), bits(found))
        assert torch.equal(signs, (linear_mean(h, weight, bias, "none", 0.0, torch.float32)[1] > 0).byte())


def gradients_in_float64(x, weight, activation, slope, grad):
    """Of the layer's sum of grad * output: by x [copies, rows, inputs], by the weight and by the bias."""
    x, weight = x.double().requires_grad_(), weight.double().requires_grad_()
    bias = torch.zeros(len(weight), dtype=torch.float64, requires_grad=True)
    y = activated(x @ weight.T + bias, activation, slope)
    y = y.mean(0) if grad.dim() == 2 else y
    return torch.autograd.grad((y * grad.double()).sum(), (x, weight, bias))


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(
    ("activation", "saved_as"), [("leaky_relu", "outputs"), ("leaky_relu", "signs"), ("tanh", "outputs")]
)
def test_gradients(activation, saved_as, shared):
    slope, (copies, rows, inputs, outputs) = 0.2, (3, 19, 33, 21)
    x, weight = random(copies, rows, inputs), random(outputs, inputs, seed=1) / 6
    grad = random(*((rows, outputs) if shared else (copies, rows, outputs)), seed=3)
    _, saved = linear_mean(x, weight, None, activation, slope, torch.float32)
    saved = (saved > 0).byte() if saved_as == "signs" else saved
    dx, dw, db = gradients_in_float64(x, weight, activation, slope, grad)
    given = gradient(grad, saved, activation, slope)
    for sums, expected in ((False, dx), (True, dx.sum(0))):
        found = torch.empty(expected.shape)
        compiled().input_gradient(given, numbers(weight), inputs, sums, False, found.data_ptr(), 2)
        torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-5)
    by_weight, by_bias, flat = torch.empty(outputs, inputs), torch.empty(outputs), x.flatten(0, 1)
    pointers = (by_weight.data_ptr(), by_bias.data_ptr())
    compiled().weight_gradient(source(flat), len(flat), inputs, Draw(), given, False, *pointers, 2)
    torch.testing.assert_close(by_weight.double(), dw, rtol=0, atol=2e-5)
    torch.testing.assert_close(by_bias.double(), db, rtol=0, atol=2e-5)


@pytest.mark.parametrize(
    ("activation", "y", "expected"),
    [("leaky_relu", math.nan, 0.25), ("leaky_relu", 0.0, 0.25), ("leaky_relu", -0.0, 0.25), ("leaky_relu", 1e-45, 1.0)]
    + [("tanh", math.nan, math.nan), ("tanh", 0.0, 1.0), ("tanh", 1.0, 0.0), ("tanh", 0.5, 0.75)],
)
def test_gradients_at_the_edges(activation, y, expected):
    grad, saved, weight, dx = torch.ones(1, 1, 1), torch.full((1, 1, 1), y), torch.ones(1, 1), torch.empty(1)
    given = gradient(grad, saved, activation, 0.25)
    compiled().input_gradient(given, numbers(weight), 1, False, False, dx.data_ptr(), 1)
    assert dx.item() == pytest.approx(expected, nan_ok=True, rel=0, abs=0)


@pytest.mark.parametrize("half", [False, True])
def test_a_chain_of_every_activation(half):
    sizes, rows = (7, 40, 30, 65), 37
    names = ("tanh", "leaky_relu", "sigmoid"), ("leaky_relu", "tanh", "none")
    weights = [random(b, a, seed=a) / a**0.5 for a, b in zip(sizes, sizes[1:], strict=False)]
    back = [random(b, a, seed=a + 1) / a**0.5 for a, b in zip(sizes[::-1], sizes[-2::-1], strict=False)]
    decoder = [layer(weight, None, name, 0.3) for weight, name in zip(weights, names[0], strict=True)]
    encoder = [layer(weight, None, name, 0.3) for weight, name in zip(back, names[1], strict=True)]
    z, out = random(rows, sizes[0], seed=9), torch.empty(2, rows, sizes[-1])
    compiled().sample_chain(decoder, encoder, z.data_ptr(), rows, 0, Draw(), half, [0, 2], out.data_ptr(), 2)
    activations = {"sigmoid": torch.sigmoid, "none": lambda x: x}
    for t in range(3):
        for weight, name in zip(weights, names[0], strict=True):
            z = activations.get(name, lambda x, name=name: activated(x, name, 0.3))(z.double() @ weight.double().T)
        if t in (0, 2):
            torch.testing.assert_close(out[t // 2].double(), z, rtol=0, atol=2e-2 if half else 1e-5)
        for weight, name in zip(back, names[1], strict=True):
            z = activations.get(name, lambda x, name=name: activated(x, name, 0.3))(z.double() @ weight.double().T)


@pytest.mark.parametrize(
    ("activation", "slope", "message"),
    [
        ("gelu", 0.0, "activation must be one of none, relu, sigmoid, leaky_relu, tanh, got gelu"),
        ("leaky_relu", -0.1, "slope must be >= 0 and finite, got -0.1"),
        ("leaky_relu", math.nan, "slope must be >= 0 and finite"),
    ],
)
def test_activations_that_nobody_knows_are_named(activation, slope, message):
    with pytest.raises(ValueError, match=message):
        linear(torch.ones(2, 3), torch.ones(4, 3), None, activation, slope)


def test_bytes_are_saved_for_rectifiers_only():
    with pytest.raises(ValueError, match="saved cannot be of uint8"):
        linear_mean(torch.ones(2, 2, 3), torch.ones(4, 3), None, "tanh", 0.0, torch.uint8)
