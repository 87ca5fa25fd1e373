"""The first layer on corrupted inputs, the layer averaged over copies and Algorithm 2 in Triton, interpreted."""

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae.corruptions import Gaussian, Masking, SaltAndPepper
from fastdaae.draw import draw_of
from fastdaae.kernels.triton import layers
from fastdaae.kernels.triton.jit import configs, corrupted_linear

CORRUPTIONS = [None, Gaussian(0.5), Gaussian(0.5, clip=(0.0, 1.0)), Masking(0.3), SaltAndPepper(0.25, -1.0, 2.0)]
ADDRESS = {"row_offset": 2**32 - 4096, "site": 3}
SLOPE = 0.2
ACTIVATIONS = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "none": lambda h: h,
    "leaky_relu": lambda h: nn.functional.leaky_relu(h, SLOPE),
    "tanh": torch.tanh,
}


def noise() -> fd.Noise:
    return fd.Noise(0xFEDCBA9876543210, step=7)


def layer(inputs: int, outputs: int, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    return (torch.randn(outputs, inputs) / inputs**0.5).to(dtype), torch.randn(outputs).to(dtype)


def error(ours: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest error as a share of the largest value."""
    return float((ours.detach().double() - expected.detach()).abs().max() / expected.detach().abs().max())


def rounded_reference(x, weight, bias, corruption, copies, activation, index):
    """(y, function from a gradient of y to those of x, weight, bias) in float64 from operands rounded to dtype."""
    dtype = weight.dtype
    leaf = x.double().requires_grad_() if x.is_floating_point() else x
    x_tilde = fd.ops.corrupt(
        leaf, corruption, noise(), copies=copies, index=index, dtype=torch.float64, backend="reference", **ADDRESS
    ).flatten(2)
    operand = x_tilde.detach().float().to(dtype).double().requires_grad_()
    w, b = weight.double().requires_grad_(), bias.double().requires_grad_()
    y = ACTIVATIONS[activation](operand @ w.T + b)

    def gradients(grad):
        by_operand, dw, db = torch.autograd.grad(y, (operand, w, b), grad.double())
        dx = torch.autograd.grad(x_tilde, leaf, by_operand)[0] if x.is_floating_point() else None
        return dx, dw, db

    return y.detach(), gradients


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=repr)
def test_corrupted_linear_and_its_gradients(corruption, dtype):
    """Odd in every dimension; float32 to float32's rounding, halves to twice the error of PyTorch's own product."""
    activation = {torch.float32: "sigmoid", torch.bfloat16: "relu", torch.float16: "none"}[dtype]
    x, (weight, bias) = torch.rand(37, 99), layer(99, 70, dtype)
    index = torch.tensor([0, 36, 5, 5, 5, *range(7, 21)]) if dtype == torch.float32 else None
    leaves = [t.clone().requires_grad_() for t in (x, weight, bias)]
    draw = {"copies": 3, "index": index, "activation": activation, **ADDRESS}
    state = noise()
    ours = fd.ops.corrupted_linear(*leaves, corruption, state, backend="triton", **draw)
    state.advance()  # the backward pass needs the noise of the forward pass
    expected, gradients = rounded_reference(x, weight, bias, corruption, 3, activation, index)
    assert ours.dtype == dtype and ours.shape == expected.shape
    grad = torch.randn(ours.shape).to(dtype)
    pairs = [(ours, expected), *zip(torch.autograd.grad(ours, leaves, grad), gradients(grad), strict=True)]
    theirs = [t.clone().requires_grad_() for t in (x, weight, bias)]
    peer = fd.ops.corrupted_linear(*theirs, corruption, noise(), backend="reference", **draw)
    own = [peer, *torch.autograd.grad(peer, theirs, grad)]
    for (found, exact), torchs in zip(pairs, own, strict=True):
        # float16 and bfloat16 results carry one rounding at least: half a step of the largest value
        floor = {torch.float32: 2e-6, torch.bfloat16: 2.0**-9, torch.float16: 2.0**-12}[dtype]
        assert error(found, exact) <= max(2 * error(torchs, exact), floor)


SHAPES = {
    "one row": ((1, 3), 9, 5, None),
    "fewer outputs than a tile": ((5, 7), 1, 2, None),
    "images of pixels, gathered": ((6, 2, 3), 33, 3, torch.tensor([5, 0, 0])),
    "several pieces, split over programs": ((3, 300), 150, 1, None),
    "more columns than stay on chip": ((2, 1100), 40, 2, None),
    "no rows": ((0, 4), 9, 2, None),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_shapes(shape, dtype):
    size, outputs, copies, index = SHAPES[shape]
    x = torch.rand(size) if index is None else torch.randint(0, 256, size, dtype=torch.uint8)
    weight, bias = layer(x[:0].flatten(1).shape[1], outputs, dtype)
    draw = {"copies": copies, "index": index, **ADDRESS}
    ours = fd.ops.corrupted_linear(x, weight.requires_grad_(), bias, Gaussian(0.5), noise(), backend="triton", **draw)
    expected, gradients = rounded_reference(x, weight.detach(), bias, Gaussian(0.5), copies, "relu", index)
    assert ours.shape == expected.shape
    grad = torch.randn(ours.shape).to(dtype)
    dw = torch.autograd.grad(ours, weight, grad)[0]
    allowed = 2e-6 if dtype == torch.float32 else 2.0**-8
    if ours.numel():
        assert error(ours, expected) <= allowed and error(dw, gradients(grad)[1]) <= allowed
    else:
        assert not dw.any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_tiling_gives_the_same_layer(dtype, monkeypatch):
    """Large tiles, the tiled kernel and no bias: the noise does not depend on how the work is cut."""
    x, (weight, _) = torch.rand(70, 140), layer(140, 130, dtype)
    expected, _ = rounded_reference(x, weight, torch.zeros(130), Gaussian(0.5), 1, "none", None)

    def call():
        return fd.ops.corrupted_linear(
            x, weight, None, Gaussian(0.5), noise(), activation="none", backend="triton", **ADDRESS
        )

    results = [call()]
    monkeypatch.setattr(configs, "_SMALL", 0)
    results.append(call())
    monkeypatch.setattr(corrupted_linear, "forward_config", lambda *shape: None)
    results.append(call())
    assert all(error(y, expected) <= (2e-6 if dtype == torch.float32 else 2.0**-8) for y in results)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_and_its_gradients(activation, dtype):
    x, (weight, bias) = torch.rand(9, 20), layer(20, 33, dtype)
    leaves = [t.clone().requires_grad_() for t in (x, weight, bias)]
    how = {"copies": 2, "activation": activation, "slope": SLOPE, "backend": "triton", **ADDRESS}
    ours = fd.ops.corrupted_linear(*leaves, Masking(0.3), noise(), **how)
    expected, gradients = rounded_reference(x, weight, bias, Masking(0.3), 2, activation, None)
    grad = torch.randn(ours.shape).to(dtype)
    pairs = [(ours, expected), *zip(torch.autograd.grad(ours, leaves, grad), gradients(grad), strict=True)]
    assert all(error(*pair) <= (2e-6 if dtype == torch.float32 else 2.0**-6) for pair in pairs)


def test_tanh_keeps_its_digits_near_zero_and_ends_at_one():
    size = torch.cat([torch.linspace(0.5, 0.75, 4000), torch.logspace(-30, 2, 4000)])
    x = torch.cat([size, -size, torch.zeros(1)])[:, None]
    y = fd.ops.corrupted_linear(x, torch.ones(1, 1), None, None, noise(), activation="tanh", backend="triton")[0]
    expected = x.double().tanh()
    assert float(((y - expected).abs() - 4e-7 * expected.abs()).max()) <= 0.0
    assert y[len(size) - 1] == 1.0 and y[2 * len(size) - 1] == -1.0 and y[-1] == 0.0


def test_nan_passes_through_the_activation():
    x, (weight, bias) = torch.full((2, 5), torch.nan), layer(5, 3)
    for activation in ACTIVATIONS:
        y = fd.ops.corrupted_linear(x, weight, bias, None, noise(), activation=activation, backend="triton")
        assert bool(y.isnan().all())


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_linear_mean_and_its_gradients(activation, dtype):
    h, (weight, bias) = torch.randn(3, 21, 90).to(dtype), layer(90, 37, dtype)
    leaves = [t.clone().requires_grad_() for t in (h, weight, bias)]
    exact = [t.double().requires_grad_() for t in (h, weight, bias)]
    ours = fd.ops.linear_mean(*leaves, activation=activation, slope=SLOPE, backend="triton")
    expected = ACTIVATIONS[activation](exact[0] @ exact[1].T + exact[2]).mean(0)
    grad = torch.randn(21, 37).to(dtype)
    pairs = zip(
        (ours, *torch.autograd.grad(ours, leaves, grad)),
        (expected.detach(), *torch.autograd.grad(expected, exact, grad.double())),
        strict=True,
    )
    assert ours.dtype == dtype
    for found, wanted in pairs:
        assert error(found, wanted) <= (2e-6 if dtype == torch.float32 else 2.0**-7)


ENCODERS = {
    "mlp": lambda: fd.networks.mlp([12, 20, 3]),
    "one layer": lambda: nn.Sequential(nn.Linear(12, 3)),
    "one layer and its activation": lambda: nn.Sequential(nn.Linear(12, 3), nn.Sigmoid()),
    "ends in an activation": lambda: nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 3), nn.Sigmoid()),
    "ends in another one": lambda: nn.Sequential(nn.Linear(12, 8), nn.Sigmoid(), nn.Linear(8, 3), nn.Tanh()),
    "batch norm": lambda: nn.Sequential(nn.Linear(12, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)),
    "starts with another layer": lambda: nn.Sequential(nn.Tanh(), nn.Linear(12, 3)),
}


@pytest.mark.parametrize("kind", ENCODERS)
def test_encode_mean_is_algorithm_2(kind):
    encoder, x = ENCODERS[kind](), torch.rand(6, 12)
    draw = {"copies": 4, "row_offset": 3, "site": 1, "index": torch.tensor([1, 1, 5, 0, 2])}
    both = [fd.ops.encode_mean(encoder, x, Gaussian(0.5), noise(), backend=b, **draw) for b in ("triton", "reference")]
    assert torch.allclose(*both, atol=3e-6, rtol=0)
    gradients = [torch.autograd.grad(z.square().sum(), list(encoder.parameters())) for z in both]
    assert all(torch.allclose(a, b, atol=2e-4, rtol=1e-4) for a, b in zip(*gradients, strict=True))


def test_encode_mean_uses_the_fused_layers_only_where_they_are_exact(monkeypatch):
    used = []
    for name in ("corrupted_linear", "linear_mean"):
        real = getattr(layers, name)
        monkeypatch.setattr(layers, name, lambda *a, name=name, real=real: (used.append(name), real(*a))[1])
    x = torch.rand(6, 12)

    def call(encoder, x=x):
        used.clear()
        fd.ops.encode_mean(encoder, x, Gaussian(0.5), noise(), copies=2, backend="triton")
        return list(used)

    assert call(ENCODERS["mlp"]()) == ["corrupted_linear"]
    assert call(ENCODERS["ends in an activation"]()) == ["corrupted_linear", "linear_mean"]
    assert call(ENCODERS["batch norm"]()) == ["corrupted_linear"]
    assert call(ENCODERS["starts with another layer"]()) == []
    hooked = ENCODERS["mlp"]()
    hooked[1].register_forward_hook(lambda *_: None)
    assert call(hooked) == []
    assert call(nn.Sequential(nn.Linear(3, 2), nn.Flatten()), torch.rand(4, 2, 3)) == []


def test_autocast_decides_the_dtype_as_for_pytorchs_product():
    encoder, x = fd.networks.mlp([12, 20, 3]), torch.rand(6, 12)
    with torch.autocast("cpu", torch.bfloat16):
        ours = fd.ops.encode_mean(encoder, x, Gaussian(0.5), noise(), copies=3, backend="triton")
        expected = fd.ops.encode_mean(encoder, x, Gaussian(0.5), noise(), copies=3, backend="reference")
    assert ours.dtype == expected.dtype == torch.bfloat16
    assert error(ours, expected.double()) < 2.0**-6
    ours.float().sum().backward()
    assert encoder[1].weight.grad.dtype == torch.float32


def test_opcheck():
    draw = draw_of(Gaussian(0.3, clip=(0.0, 1.0)), image=(6,), copies=2, row_offset=5, site=1)
    x, state, index, (weight, bias) = torch.rand(4, 6), noise().state, torch.tensor([1, 1, 3]), layer(6, 5)
    ops, y = torch.ops.fastdaae, torch.rand(2, 3, 5)
    torch.library.opcheck(ops.triton_corrupted_linear, (x, index, state, weight, bias, "relu", 0.0, *draw))
    torch.library.opcheck(ops.triton_weight_gradient, (y, y, x, index, state, "leaky_relu", 0.1, *draw))
    torch.library.opcheck(ops.triton_linear_mean, (x[None], weight, bias, "sigmoid", 0.0))
    torch.library.opcheck(ops.triton_linear_mean_backward, (torch.rand(4, 5), x[None], weight, None, "tanh", 0.0))


def test_compile_without_graph_breaks():
    encoder, state, x = nn.Sequential(*fd.networks.mlp([12, 20, 3]), nn.ReLU()), noise(), torch.rand(6, 12)
    weight, bias = layer(12, 4)
    weight.requires_grad_()

    def call():
        z = fd.ops.encode_mean(encoder, x, Gaussian(0.5), state, copies=3, backend="triton")
        return z.sum() + fd.ops.corrupted_linear(x, weight, bias, Masking(0.5), state, backend="triton").square().sum()

    compiled = torch.compile(call, fullgraph=True, backend="aot_eager")
    assert torch.allclose(compiled(), call(), rtol=1e-5)
    grads = [torch.autograd.grad(f(), [weight, *encoder.parameters()]) for f in (compiled, call)]
    assert all(torch.allclose(a, b, rtol=1e-4, atol=1e-5) for a, b in zip(*grads, strict=True))


def test_errors_name_the_argument():
    x, (weight, bias) = torch.rand(4, 6), layer(6, 5)
    with pytest.raises(
        RuntimeError, match="cannot run corrupted_linear: it computes in float32, and weight is float64"
    ):
        fd.ops.corrupted_linear(x, weight.double(), bias, None, noise(), backend="triton")
    with pytest.raises(ValueError, match=r"copies must be in 1\.\.65536, got 0"):
        fd.ops.corrupted_linear(x, weight, bias, None, noise(), copies=0, backend="triton")
    with pytest.raises(TypeError, match="weight must have the dtype of h, torch.float32, got torch.bfloat16"):
        fd.ops.linear_mean(x[None], weight.bfloat16(), bias, backend="triton")
