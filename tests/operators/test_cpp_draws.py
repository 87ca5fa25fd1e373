"""Addressed draws and the words of the compiled module, and a layer that is corrupted in one pass."""

import math

import pytest
import torch

from fastdaae.draw import KINDS, Draw
from tests.cpp_calls import STATE, bits, compiled, layer, linear, random, source

pytestmark = [pytest.mark.needs_cpp, pytest.mark.usefixtures("isa")]

SHAPES = [(1, 1), (3, 5), (4, 31), (2, 64), (5, 67), (3, 129), (300, 130)]


def drawn(function, rows, columns, dtype, draw, threads=1, state=STATE):
    out = torch.zeros(draw.copies, rows, columns, dtype=dtype)
    function(state.data_ptr(), rows, columns, draw, out.data_ptr(), threads)
    return out


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
        ({"kind": "patches", "image": (2, 2)}, "image must have 3 numbers, got 1 x 2 x 2"),
        ({"kind": "patches", "image": (1, 3)}, r"patch_height must be in 1\.\.1, got 0"),
        (
            {"kind": "patches", "image": (3,), "patch_height": 1, "patch_width": 4},
            r"patch_width must be in 1\.\.3, got 4",
        ),
        (
            {"kind": "patches", "image": (3,), "patch_height": 1, "patch_width": 1, "patches": -1},
            "patches must be >= 0",
        ),
    ],
)
def test_words_that_nobody_knows_are_named(fields, message):
    with pytest.raises(ValueError, match=message):
        corrupt_words(**fields)


@pytest.mark.parametrize(
    "fields", [{"amount": "much"}, {"copies": 1.5}, {"kind": 3}, {"row_offset": 2**63}, {"image": 3}]
)
def test_fields_of_another_kind_are_a_type_error(fields):
    with pytest.raises(TypeError, match="incompatible function arguments"):
        corrupt_words(**fields)


def linear_then_corrupt(h, weight, bias, activation, draw, half):
    clean = linear(h, weight, bias, activation, 0.2, half=half)
    noisy = torch.empty(1, *clean.shape)
    compiled().corrupt(source(clean, STATE), *clean.shape, draw, noisy.data_ptr(), 2)
    return clean, noisy[0]


def linear_corrupt(h, weight, bias, activation, draw, half, keeps):
    clean, noisy = torch.full((len(h), len(weight)), math.nan), torch.full((len(h), len(weight)), math.nan)
    to, form = clean.data_ptr() if keeps else 0, layer(weight, bias, activation, 0.2)
    at = STATE.data_ptr()
    compiled().linear_corrupt(h.data_ptr(), len(h), form, draw, at, half, to, noisy.data_ptr(), 2)
    return clean, noisy


@pytest.mark.parametrize("kind", [*KINDS, "patches"])
@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize(("rows", "outputs"), [(1, 1), (3, 35), (13, 70), (33, 129), (1700, 67), (1700, 784)])
def test_corruption_of_a_layer_in_one_pass(rows, outputs, half, kind):
    h, weight, bias = random(rows, 100), random(outputs, 100, seed=1) / 10, random(outputs, seed=2)
    patches = {"image": (1, 1, outputs), "patch_height": 1, "patch_width": (outputs + 2) // 3, "patches": 2}
    draw = Draw(kind, 0.3, -0.5, 0.75, row_offset=2**32 - 2, site=7, ahead=3, **patches)
    for activation in ("sigmoid", "tanh", "leaky_relu"):
        clean, noisy = linear_then_corrupt(h, weight, bias, activation, draw, half)
        found_clean, found = linear_corrupt(h, weight, bias, activation, draw, half, keeps=True)
        assert torch.equal(bits(found), bits(noisy)) and torch.equal(bits(found_clean), bits(clean))
        unkept, alone = linear_corrupt(h, weight, bias, activation, draw, half, keeps=False)
        assert torch.equal(bits(alone), bits(noisy)) and unkept.isnan().all()


def test_one_pass_draws_once_and_needs_a_state():
    h, weight, noisy = torch.ones(2, 3), torch.ones(4, 3), torch.empty(2, 4)
    for draw, state, message in (
        (Draw("masking", 0.5, copies=2), STATE.data_ptr(), "corrupted once, got copies = 2"),
        (Draw("masking", 0.5), 0, "noise needs a state"),
    ):
        with pytest.raises(ValueError, match=message):
            form = layer(weight, None, "none")
            compiled().linear_corrupt(h.data_ptr(), 2, form, draw, state, False, 0, noisy.data_ptr(), 1)
