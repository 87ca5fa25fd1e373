"""The compiled module called as it stands: activations, addressed draws and words, against float64 PyTorch."""

import math

import numpy as np
import pytest
import torch

from fastdaae.draw import Draw
from fastdaae.kernels import compiled as compiled_module

pytestmark = [pytest.mark.needs_cpp, pytest.mark.usefixtures("isa")]

NEW = ("leaky_relu", "tanh")
SLOPES = (0.0, 0.2, 1.5)
STATE = torch.tensor([0xDEADBEEF, 0xFEEDF00D, 41])
# small enough to stay in a cache, where the weights are multiplied in place; and too large
BATCHES = (33, 2100)


def compiled():
    return compiled_module.load()


def numbers(tensor):
    return (0, "float32") if tensor is None else (tensor.data_ptr(), str(tensor.dtype).removeprefix("torch."))


def source(x, state=None):
    return (*numbers(x), len(x), 0, 0 if state is None else state.data_ptr())


def layer(weight, bias, activation, slope=0.0):
    outputs, inputs = weight.shape
    return numbers(weight), 0 if bias is None else bias.data_ptr(), inputs, outputs, activation, slope


def linear(x, weight, bias, activation, slope=0.0, *, half=False):
    out = torch.full((len(x), len(weight)), math.nan)
    compiled().linear(source(x), len(x), Draw(), layer(weight, bias, activation, slope), half, numbers(out), 2)
    return out


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


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def bits(tensor):
    return tensor.view(torch.int64 if tensor.dtype == torch.float64 else torch.int32)


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
@pytest.mark.parametrize("saved_as", ["outputs", "signs"])
@pytest.mark.parametrize("activation", NEW)
def test_gradients(activation, saved_as, shared):
    if saved_as == "signs" and activation != "leaky_relu":
        pytest.skip("the sign alone is enough for a rectifier only")
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


def drawn(function, rows, columns, dtype, draw, threads=1, state=STATE):
    out = torch.zeros(draw.copies, rows, columns, dtype=dtype)
    function(state.data_ptr(), rows, columns, draw, out.data_ptr(), threads)
    return out


SHAPES = [(1, 1), (3, 5), (4, 31), (2, 64), (5, 67), (3, 129), (300, 130)]


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
@pytest.mark.parametrize("threads", [1, 2])
def test_normals_are_the_noise_of_zeros(rows, columns, threads):
    draw = Draw("gaussian", 1.0, copies=3, row_offset=2**32 - 2, site=7, ahead=2**32 - 1)
    x = torch.zeros(rows, columns)
    noise = torch.empty(3, rows, columns)
    compiled().corrupt(source(x, STATE), rows, columns, draw, noise.data_ptr(), 1)
    found = drawn(compiled().normal, rows, columns, torch.float32, draw, threads)
    assert torch.equal(bits(found), bits(noise))
    # what is drawn does not matter, where does
    other = draw._replace(kind="masking", amount=0.3)
    assert torch.equal(bits(drawn(compiled().normal, rows, columns, torch.float32, other)), bits(noise))


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
@pytest.mark.parametrize("threads", [1, 2])
def test_uniforms_are_exact(rows, columns, threads):
    draw = Draw(copies=3, row_offset=2**32 - 2, site=7, ahead=5)
    words = drawn(compiled().noise_words, rows, columns, torch.uint32, draw)
    found = drawn(compiled().uniform, rows, columns, torch.float64, draw, threads)
    assert torch.equal(found, (words.to(torch.float64) + 0.5) * 2.0**-32)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_draws_stay_within_their_memory(dtype):
    function = compiled().normal if dtype == torch.float32 else compiled().uniform
    for columns in (1, 7, 33, 67):
        room, draw = torch.full((3 * columns + 70,), 7.0, dtype=dtype), Draw()
        function(STATE.data_ptr(), 3, columns, draw, room[1:].data_ptr(), 1)
        assert torch.equal(room[1 : 3 * columns + 1], drawn(function, 3, columns, dtype, draw).flatten())
        assert room[0] == 7 and (room[3 * columns + 1 :] == 7).all()


def test_ahead_is_a_later_step():
    later = torch.tensor([*STATE[:2].tolist(), int(STATE[2]) + 3])
    found = drawn(compiled().normal, 2, 9, torch.float32, Draw(ahead=3))
    assert torch.equal(found, drawn(compiled().normal, 2, 9, torch.float32, Draw(), state=later))


def corrupt_words(**fields):
    x, out = torch.zeros(2, 3), torch.empty(1, 2, 3)
    type_of_x = fields.pop("type", "float32")
    state = fields.pop("state", STATE.data_ptr())
    draw = Draw(**{"kind": "gaussian", "amount": 0.5, **fields})
    compiled().corrupt((x.data_ptr(), type_of_x, 2, 0, state), 2, 3, draw, out.data_ptr(), 1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "speckle"}, "kind must be one of none, gaussian, clipped_gaussian, .*, got speckle"),
        ({"type": "int8"}, "x must be one of float32, uint8, float64, bfloat16, got int8"),
        ({"type": "float64"}, "x cannot be of float64"),
        ({"state": 0}, "noise needs a state"),
        ({"copies": 0}, r"copies must be in 1\.\.65536, got 0"),
        ({"site": 65536}, r"site must be in 0\.\.65535, got 65536"),
    ],
)
def test_words_that_nobody_knows_are_named(fields, message):
    with pytest.raises(ValueError, match=message):
        corrupt_words(**fields)


@pytest.mark.parametrize("fields", [{"amount": "much"}, {"copies": 1.5}, {"kind": 3}, {"row_offset": 2**63}])
def test_fields_of_another_kind_are_a_type_error(fields):
    with pytest.raises(TypeError, match="incompatible function arguments"):
        corrupt_words(**fields)


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
