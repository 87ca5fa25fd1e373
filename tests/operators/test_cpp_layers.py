"""The C++ layers on every instruction set, against float64 products of the same corrupted rows."""

import ctypes
import shutil
import subprocess

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae import backend
from fastdaae.corruptions import Gaussian, Masking, SaltAndPepper
from fastdaae.draw import Draw, draw_of
from fastdaae.kernels.compiled import load
from fastdaae.kernels.cpp import layer_launches, products
from fastdaae.ops.network import Plan
from tests.emulation.library import HERE

pytestmark = pytest.mark.needs_cpp
ISAS = [] if backend.CPP_PROBLEM else load().build_info()["isas"]
ACTIVATIONS = {"relu": torch.relu, "sigmoid": torch.sigmoid, "none": lambda h: h}
# rows, inputs, outputs: odd sizes around the panels' heights and widths of every instruction set
SHAPES = [
    (1, 1, 1),
    (2, 63, 10),
    (3, 64, 31),
    (5, 7, 3),
    (14, 65, 32),
    (15, 127, 33),
    (33, 128, 1),
    (64, 129, 100),
    (100, 784, 10),
    (7, 1000, 17),
    (13, 256, 1000),
]


def layer(inputs, outputs, dtype=torch.float32):
    return torch.randn(outputs, inputs, dtype=dtype) / inputs**0.5, torch.randn(outputs, dtype=dtype)


def require_product(ours, left, right, *, plus=0.0, unit=5e-7):
    """ours = left @ right + plus, each number to `unit` times the sum of the magnitudes it is made of."""
    left, right = left.double(), right.double()
    plus = torch.as_tensor(plus, dtype=torch.float64)
    tolerance = unit * (left.abs() @ right.abs() + plus.abs()) + 1e-30
    error = (ours.double() - (left @ right + plus)).abs()
    assert bool((error <= tolerance).all()), float((error / tolerance).max())


def before_activation(grad, y, activation):
    """The gradient before the activation, float64, from the layer's own output."""
    grad, y = grad.double(), y.double()
    return {"relu": torch.where(y > 0, grad, 0.0), "sigmoid": grad * y * (1 - y), "none": grad}[activation]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("corruption", [None, Gaussian(0.5), Masking(0.3)], ids=str)
def test_product_and_gradients(isa, shape, corruption):
    rows, inputs, outputs = shape
    x, (weight, bias), noise = torch.rand(rows, inputs), layer(inputs, outputs), fd.Noise(3)
    draw = {"copies": 3, "row_offset": 5, "site": 2}
    leaves = [t.requires_grad_() for t in (x, weight, bias)]
    y = fd.ops.corrupted_linear(*leaves, corruption, noise, activation="none", backend="cpp", **draw)
    x_tilde = fd.ops.corrupt(x, corruption, noise, backend="cpp", **draw)
    require_product(y.detach(), x_tilde.detach(), weight.detach().T, plus=bias.detach())
    grad = torch.randn_like(y)
    dx, dw, db = torch.autograd.grad(y, leaves, grad)
    require_product(dw, grad.flatten(0, 1).T, x_tilde.detach().flatten(0, 1))
    require_product(db[None], torch.ones(1, 3 * rows), grad.flatten(0, 1))
    passed = torch.ones_like(x_tilde) if corruption is None or isinstance(corruption, Gaussian) else (x_tilde != 0)
    terms = (grad.double() @ weight.detach().double()) * passed
    size = (grad.double().abs() @ weight.detach().double().abs()).sum(0)
    assert bool(((dx.double() - terms.sum(0)).abs() <= 5e-7 * size + 1e-30).all())


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("biased", [True, False])
def test_activations_and_their_gradients(isa, activation, biased):
    x, (weight, bias), noise = torch.rand(21, 50) * 4, layer(50, 37), fd.Noise(1)
    bias = bias if biased else None
    leaves = [t.requires_grad_() for t in (x, weight)] + ([bias.requires_grad_()] if biased else [])
    y = fd.ops.corrupted_linear(x, weight, bias, Gaussian(2.0), noise, copies=2, activation=activation, backend="cpp")
    x_tilde = fd.ops.corrupt(x, Gaussian(2.0), noise, copies=2, backend="cpp").detach()
    h = x_tilde.double() @ weight.detach().double().T + (bias.detach().double() if biased else 0)
    assert torch.allclose(y.double(), ACTIVATIONS[activation](h), atol=8e-6, rtol=0)
    grad = torch.randn_like(y)
    gradients = torch.autograd.grad(y, leaves, grad)
    g = before_activation(grad, y.detach(), activation)
    require_product(gradients[0], g.sum(0), weight.detach(), unit=2e-6)
    require_product(gradients[1], g.flatten(0, 1).T, x_tilde.flatten(0, 1), unit=1e-6)
    if biased:
        require_product(gradients[2][None], torch.ones(1, 42), g.flatten(0, 1), unit=1e-6)


def test_sigmoid_and_relu_at_the_ends(isa):
    x = torch.tensor([[-1e4], [-100.0], [-30.0], [0.0], [30.0], [100.0], [1e4], [float("nan")]])
    one, none = torch.ones(1, 1), (None, fd.Noise(0))
    for activation in ACTIVATIONS:
        y = fd.ops.corrupted_linear(x, one, None, *none, activation=activation, backend="cpp")[0]
        assert torch.allclose(y, ACTIVATIONS[activation](x), rtol=3e-6, atol=1e-37, equal_nan=True)


@pytest.mark.parametrize("corruption", [Gaussian(0.5, clip=(0.0, 1.0)), SaltAndPepper(0.4)], ids=str)
@pytest.mark.parametrize("indexed", [True, False])
def test_pixels_indices_and_other_corruptions(isa, corruption, indexed):
    x = torch.randint(0, 256, (9, 30), dtype=torch.uint8)
    index = torch.tensor([3, 3, 0, 8, 1, 3]) if indexed else None
    (weight, bias), noise = layer(30, 20), fd.Noise(4)
    draw = {"copies": 2, "index": index, "row_offset": 7, "site": 1, "backend": "cpp"}
    x_tilde = fd.ops.corrupt(x, corruption, noise, **draw)
    y = fd.ops.corrupted_linear(x, weight, bias, corruption, noise, activation="none", **draw)
    require_product(y, x_tilde, weight.T, plus=bias)
    floats = (x.float() / 255).requires_grad_()
    y = fd.ops.corrupted_linear(floats, weight, bias, corruption, noise, activation="none", **draw)
    grad = torch.randn_like(y)
    (dx,) = torch.autograd.grad(y, floats, grad)
    (expected,) = torch.autograd.grad(fd.ops.corrupt(floats, corruption, noise, **draw), floats, grad @ weight)
    assert torch.allclose(dx, expected, atol=1e-5, rtol=1e-5)


def test_pieces_equal_the_whole_bitwise(isa):
    """Also where the whole is packed and its pieces meet the weights in place."""
    x, (weight, bias), noise = torch.rand(1500, 200), layer(200, 45), fd.Noise(2)
    call = {"activation": "sigmoid", "site": 3, "copies": 2, "backend": "cpp"}
    whole = fd.ops.corrupted_linear(x, weight, bias, Gaussian(0.5), noise, **call)
    for first, last in ((0, 1), (1, 15), (15, 700), (700, 1500)):
        piece = fd.ops.corrupted_linear(x[first:last], weight, bias, Gaussian(0.5), noise, row_offset=first, **call)
        assert torch.equal(piece, whole[:, first:last])


def test_threads_change_nothing(isa):
    x, (weight, bias), noise = torch.rand(90, 300), layer(300, 120), fd.Noise(2)
    results, before = [], torch.get_num_threads()
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        leaves = [t.detach().clone().requires_grad_() for t in (x, weight, bias)]
        y = fd.ops.corrupted_linear(*leaves, Gaussian(0.5), noise, copies=2, backend="cpp")
        mean = fd.ops.linear_mean(y, torch.ones(40, 120), None, backend="cpp")
        results.append([y, mean, *torch.autograd.grad(mean.sum() + y.sum(), leaves)])
    torch.set_num_threads(before)
    assert all(torch.equal(a, b) for other in results[1:] for a, b in zip(results[0], other, strict=True))


def test_long_batches(isa):
    """More rows than one product contracts and than one chunk of panels holds."""
    x, (weight, bias), noise = torch.rand(2100, 40).requires_grad_(), layer(40, 35), fd.Noise(2)
    weight.requires_grad_()
    y = fd.ops.corrupted_linear(x, weight, bias, None, noise, copies=2, activation="none", backend="cpp")
    grad = torch.randn_like(y)
    dx, dw = torch.autograd.grad(y, (x, weight), grad)
    require_product(y.detach()[1], x.detach(), weight.detach().T, plus=bias)
    require_product(dw, grad.flatten(0, 1).T, torch.cat((x, x)).detach())
    require_product(dx, grad.sum(0), weight.detach(), unit=1e-6)


def test_strided_and_empty_inputs():
    x, (weight, bias), noise = torch.rand(40, 6).T, layer(80, 12), fd.Noise(2)
    y = fd.ops.corrupted_linear(x, weight[:, ::2], bias, Gaussian(0.5), noise, backend="cpp")
    same = fd.ops.corrupted_linear(x.contiguous(), weight[:, ::2].contiguous(), bias, Gaussian(0.5), noise)
    assert torch.equal(y, same)
    leaves = [torch.rand(0, 80).requires_grad_(), weight.requires_grad_(), bias.requires_grad_()]
    y = fd.ops.corrupted_linear(*leaves, Gaussian(0.5), noise, copies=3, backend="cpp")
    assert y.shape == (3, 0, 12)
    dx, dw, db = torch.autograd.grad(y.sum(), leaves)
    assert dx.shape == (0, 80) and not dw.any() and not db.any()
    assert fd.ops.corrupted_linear(torch.rand(3, 80), weight[:0], bias[:0], None, noise).shape == (1, 3, 0)


def test_noise_of_the_backward_pass_is_that_of_the_forward_pass():
    x, (weight, bias) = torch.rand(8, 20), layer(20, 12)
    gradients = []
    for advances in (0, 3):
        noise, leaf = fd.Noise(2), weight.detach().clone().requires_grad_()
        y = fd.ops.corrupted_linear(x, leaf, bias, Gaussian(0.5), noise, backend="cpp")
        noise.advance(advances)
        gradients.append(torch.autograd.grad(y.sum(), leaf)[0])
    assert torch.equal(*gradients)


def test_sigma_zero_and_no_corruption_are_the_plain_layer(isa):
    x, (weight, bias), noise = torch.rand(8, 20), layer(20, 12), fd.Noise(2)
    plain = fd.ops.corrupted_linear(x, weight, bias, None, noise, backend="cpp")
    assert torch.equal(plain, fd.ops.corrupted_linear(x, weight, bias, Gaussian(0.0), noise, backend="cpp"))
    assert torch.allclose(plain[0], torch.relu(nn.functional.linear(x, weight, bias)), atol=1e-6)


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
@pytest.mark.parametrize("shape", [(1, 5, 7, 3), (3, 14, 65, 33), (5, 33, 128, 40), (2, 1, 1, 1)])
def test_linear_mean_and_gradients(isa, activation, shape):
    copies, rows, inputs, outputs = shape
    h, (weight, bias) = torch.randn(copies, rows, inputs), layer(inputs, outputs)
    leaves = [t.requires_grad_() for t in (h, weight, bias)]
    ours = fd.ops.linear_mean(*leaves, activation=activation, backend="cpp")
    double = [t.detach().double().requires_grad_() for t in leaves]
    expected = ACTIVATIONS[activation](nn.functional.linear(*double)).mean(0)
    assert ours.shape == (rows, outputs) and torch.allclose(ours.double(), expected, atol=3e-6, rtol=0)
    grad = torch.randn_like(ours)
    pairs = zip(
        torch.autograd.grad(ours, leaves, grad), torch.autograd.grad(expected, double, grad.double()), strict=True
    )
    for a, b in pairs:
        assert torch.allclose(a.double(), b, atol=2e-6 * float(b.abs().max() + 1), rtol=0)


def test_linear_mean_of_one_copy_is_the_layer_bitwise(isa):
    h, (weight, bias) = torch.rand(1, 30, 50), layer(50, 40)
    mean = fd.ops.linear_mean(h, weight, bias, backend="cpp")
    assert torch.equal(mean, fd.ops.corrupted_linear(h[0], weight, bias, None, fd.Noise(0), backend="cpp")[0])


def halves(*tensors):
    return tuple(t.bfloat16().double() for t in tensors)


@pytest.mark.parametrize("autocast", [True, False])
def test_bf16_rounds_the_factors_and_sums_in_float32(isa, autocast):
    x, (weight, bias), noise = torch.rand(17, 65), layer(65, 35), fd.Noise(3)
    weight, bias = (weight, bias) if autocast else (weight.bfloat16(), bias.bfloat16())
    leaves = [t.requires_grad_() for t in (x, weight, bias)]
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        y = fd.ops.corrupted_linear(*leaves, Gaussian(0.5), noise, copies=2, activation="none", backend="cpp")
        mean = fd.ops.linear_mean(y, torch.ones(3, 35, dtype=weight.dtype), None, backend="cpp")
    assert y.dtype == torch.bfloat16 and mean.dtype == torch.bfloat16
    x_tilde = fd.ops.corrupt(x, Gaussian(0.5), noise, copies=2, backend="cpp").detach()
    left, right = halves(x_tilde, weight.detach())
    # the result itself is rounded to 8 bits
    expected = left @ right.T + bias.detach().double()
    assert torch.allclose(y.double(), expected, rtol=2**-8, atol=1e-5)
    assert torch.allclose(mean.double(), torch.relu(y.double().sum(2, keepdim=True)).mean(0).expand(-1, 3), rtol=2**-7)
    grad = torch.randn(y.shape).bfloat16()
    dx, dw, db = torch.autograd.grad(y, leaves, grad)
    assert (dx.dtype, dw.dtype, db.dtype) == (x.dtype, weight.dtype, bias.dtype)
    g = grad.double()
    rounding = 2**-8 if weight.dtype == torch.bfloat16 else 0.0
    assert torch.allclose(dw.double(), g.flatten(0, 1).T @ left.flatten(0, 1), rtol=rounding, atol=1e-5)
    assert torch.allclose(db.double(), g.sum((0, 1)), rtol=rounding, atol=1e-5)
    assert torch.allclose(dx.double(), halves(g.sum(0))[0] @ right, rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="module")
def emulated(tmp_path_factory):
    compiler = shutil.which("g++") or pytest.skip("no g++")
    output = tmp_path_factory.mktemp("half_layers") / "half_layers.so"
    flags = [
        "-std=c++17",
        "-O1",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-Wno-psabi",
        "-Wno-unknown-pragmas",
        "-shared",
        "-fPIC",
    ]
    subprocess.run([compiler, *flags, HERE / "half_layers.cpp", "-o", output], check=True)
    return ctypes.CDLL(str(output))


def call(function, *arguments):
    function(*(ctypes.c_void_p(a.data_ptr()) if isinstance(a, torch.Tensor) else a for a in arguments))


def sizes(*numbers):
    return [ctypes.c_int64(number) for number in numbers]


@pytest.mark.parametrize("weight_dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 7, 3), (14, 65, 33), (3, 127, 10), (40, 300, 70), (261, 9, 20)])
def test_pairs_of_bf16_in_panels(emulated, shape, weight_dtype):
    rows, inputs, outputs = shape
    copies, (weight, bias), x = 2, layer(inputs, outputs), torch.rand(rows, inputs)
    weight = weight.to(weight_dtype)
    kind, size = ctypes.c_int(weight_dtype == torch.bfloat16), sizes(rows, inputs, copies, outputs)
    x_tilde, y = torch.empty(copies * rows, inputs), torch.empty(copies * rows, outputs)
    call(emulated.corrupted, x, *sizes(rows, inputs, copies), x_tilde)
    assert rows * inputs < 30 or 0.1 < float((x_tilde == 0).float().mean()) < 0.5
    call(emulated.linear, x, weight, kind, bias, *size, y)
    left, right = halves(x_tilde, weight)
    assert torch.allclose(y.double(), torch.relu(left @ right.T + bias.double()), atol=1e-5, rtol=0)
    grad = torch.randn_like(y)
    g = torch.where(y > 0, grad, 0)
    dw, db, dx = torch.empty(outputs, inputs), torch.empty(outputs), torch.empty(copies * rows, inputs)
    call(emulated.weight_gradient, grad, y, x, *size, dw, db)
    require_product(dw, halves(g)[0].T, left, unit=1e-6)
    require_product(db[None], torch.ones(1, len(g)), g, unit=1e-6)
    call(emulated.input_gradient, grad, y, weight, kind, *size, dx)
    require_product(dx, halves(g)[0], right, unit=1e-6)
    h, mean = torch.randn(copies, rows, inputs), torch.empty(rows, outputs)
    saved = torch.empty(copies, rows, outputs, dtype=torch.uint8)
    call(emulated.linear_mean, h, weight, kind, bias, *size, mean, saved)
    layers = torch.relu(halves(h)[0] @ right.T + bias.double())
    assert torch.allclose(mean.double(), layers.mean(0), atol=1e-5, rtol=0)
    assert torch.equal(saved.bool(), layers > 0) or float(layers[saved.bool() != (layers > 0)].max()) < 1e-5


def run(network, x):
    return Plan.of(network)(x)


def operator_calls():
    x, index, state = torch.rand(5, 6), torch.tensor([1, 1, 4]), fd.Noise(1).state
    weight, bias, grad, y = *layer(6, 4), torch.rand(2, 3, 4), torch.rand(2, 3, 4)
    draw = draw_of(Gaussian(0.5), image=(6,), copies=2, site=1)
    form = ("relu", 0.0, False)
    h, mean_grad = torch.rand(2, 3, 6), torch.rand(3, 4)
    saved = torch.ones(2, 3, 4, dtype=torch.uint8)
    return {
        "cpp_linear": (x, index, state, weight, bias, *form, *draw),
        "cpp_weight_gradient": (grad, y, x, index, state, *form, *draw),
        "cpp_linear_mean": (h, weight, bias, *form, True),
        "cpp_input_gradient": (grad, y, weight, *form, 2, True),
        "cpp_weight_gradient of a mean": (mean_grad, saved, h.flatten(0, 1), None, state, *form, *Draw()),
    }


@pytest.mark.parametrize("name", operator_calls() if ISAS else [])
def test_opcheck(name):
    torch.library.opcheck(getattr(torch.ops.fastdaae, name.split()[0]), operator_calls()[name])


def test_compiles_without_graph_breaks():
    x, (weight, bias), noise = torch.rand(16, 40), layer(40, 50), fd.Noise(2)
    leaves = [x.requires_grad_(), weight.requires_grad_(), bias.requires_grad_()]
    second = torch.randn(34, 50)

    def call(x, weight, bias):
        h = fd.ops.corrupted_linear(x, weight, bias, Gaussian(0.5), noise, copies=2, backend="cpp")
        return fd.ops.linear_mean(h, second, None, activation="sigmoid", backend="cpp")

    compiled = torch.compile(call, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(*leaves), call(*leaves))
    gradients = [torch.autograd.grad(f(*leaves).square().sum(), leaves) for f in (compiled, call)]
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(*gradients, strict=True))
    wide = nn.Sequential(nn.Linear(40, 150), nn.ReLU(), nn.Linear(150, 160), nn.Sigmoid())
    assert torch.equal(torch.compile(run, fullgraph=True, backend="aot_eager")(wide, x), run(wide, x))


def test_encode_mean_takes_the_kernels_layer_by_layer():
    encoder, x, noise = fd.networks.mlp([12, 160, 150, 140, 3]), torch.rand(20, 12), fd.Noise(2)
    for copies in (1, 4):
        ours = fd.ops.encode_mean(encoder, x, Gaussian(0.5), noise, copies=copies, backend="cpp")
        x_tilde = fd.ops.corrupt(x, Gaussian(0.5), noise, copies=copies, site=1, backend="cpp")
        expected = encoder.double()(x_tilde.double().flatten(0, 1)).unflatten(0, (copies, 20)).mean(0)
        encoder.float()
        assert torch.allclose(ours.double(), expected, atol=2e-6, rtol=0)


BAD_CALLS = {
    "weight": (r"weight must have the shape \[4, 6\].*got \[4, 5\]", {"weight": torch.rand(4, 5)}),
    "strided": (r"x must be a contiguous 2-D CPU tensor.*strided", {"x": torch.rand(6, 5).T}),
    "dtype": (r"weight must be .* float32 or bfloat16, got .*float64", {"weight": torch.rand(4, 6).double()}),
    "bias": (r"bias must have the shape \[4\].*got \[3\]", {"bias": torch.rand(3)}),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_launchers_refuse_what_does_not_fit(name):
    message, change = BAD_CALLS[name]
    arguments = {"x": torch.rand(5, 6), "index": None, "state": fd.Noise(0).state}
    arguments |= {"weight": torch.rand(4, 6), "bias": None} | change
    with pytest.raises(ValueError, match=message):
        layer_launches.linear(*arguments.values(), "relu", 0.0, False, *Draw())


def test_bad_index_and_dtype_are_one_clear_line():
    x, (weight, bias), noise = torch.rand(5, 6), layer(6, 4), fd.Noise(0)
    with pytest.raises(IndexError, match=r"index must be in 0\.\.4, the rows of x, got 5 at position 1"):
        fd.ops.corrupted_linear(x, weight, bias, None, noise, index=torch.tensor([0, 5]), backend="cpp")
    with pytest.raises(RuntimeError, match="computes in float32 or bfloat16, and weight is float64"):
        fd.ops.corrupted_linear(x, weight.double(), bias.double(), None, noise, backend="cpp")
    assert fd.ops.corrupted_linear(x, weight.double(), bias.double(), None, noise).dtype == torch.float64


def test_one_copy_is_the_network_of_the_corrupted_rows_bitwise():
    encoder, noise, x = fd.networks.mlp([140, 160, 150, 3]), fd.Noise(2), torch.rand(20, 140)
    x_tilde = fd.ops.corrupt(x, Gaussian(0.5), noise, site=1)[0]
    results = [fd.ops.encode_mean(encoder, x, Gaussian(0.5), noise, copies=1), run(encoder, x_tilde)]
    assert torch.equal(*results)
    gradients = [torch.autograd.grad(z.square().sum(), list(encoder.parameters())) for z in results]
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("corruption", [None, Gaussian(0.5), Masking(0.3)], ids=repr)
@pytest.mark.parametrize("copies", [1, 3])
def test_products_of_the_library_are_those_of_the_engine(monkeypatch, copies, corruption, activation):
    weight, bias = layer(40, 33)
    x, inputs = torch.rand(15, 40), []

    def gradients(by_library: bool):
        monkeypatch.setattr(products, "MKL_MULTIPLIES", by_library)
        monkeypatch.setattr(products, "_LEAST_ROWS", dict.fromkeys(products._LEAST_ROWS, 1))
        inputs[:] = [t.clone().requires_grad_() for t in (x, weight, bias)]
        arguments = {"copies": copies, "activation": activation, "backend": "cpp"}
        h = fd.ops.corrupted_linear(*inputs, corruption, fd.Noise(3), **arguments)
        out = fd.ops.linear_mean(h, torch.eye(33)[:7], None, activation=activation, backend="cpp")
        return out, *torch.autograd.grad(out.sin().sum(), inputs)

    for ours, theirs in zip(gradients(False), gradients(True), strict=True):
        ours, theirs = ours.detach(), theirs.detach()
        assert float((ours - theirs).abs().max()) <= 4e-6 * max(1.0, float(theirs.abs().max()))


def test_what_the_library_multiplies(monkeypatch):
    monkeypatch.setattr(products, "MKL_MULTIPLIES", True)
    assert [products.mkl_multiplies("forward", rows, False) for rows in (64, 512, 513)] == [False, False, True]
    monkeypatch.setattr(products, "MKL_MULTIPLIES", False)
    assert not products.mkl_multiplies("input_gradient", 10**6, False)
