"""The fused decoder end and the chain under Triton's interpreter, through the public operators."""

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae import reference
from fastdaae.corruptions import Gaussian, Masking, SaltAndPepper
from fastdaae.draw import draw_of
from fastdaae.kernels.triton.jit import linear_sigmoid_corrupt

CORRUPTIONS = [
    None,
    Gaussian(0.5),
    Gaussian(0.5, clip=(0.1, 0.9)),
    Masking(0.3),
    SaltAndPepper(0.4, low=-1.0, high=2.0),
]
NOISE = fd.Noise(2**40 + 3, step=2**32 - 2)


def inputs(rows: int = 37, width: int = 50, columns: int = 70, dtype: torch.dtype = torch.float32):
    h, weight, bias = torch.rand(rows, width), torch.randn(columns, width) / width**0.5, torch.randn(columns)
    return h.to(dtype), weight.to(dtype), bias.to(dtype)


def exact(h, weight, bias, corruption, **address) -> reference.Corrupted:
    """The definition in float64, with the noise of the reference."""
    bias = None if bias is None else bias.double()
    return reference.linear_sigmoid_corrupt(
        h.double(), weight.double(), bias, corruption, NOISE, keep_clean=True, **address
    )


def rounding_of_pixels(h, weight, bias):
    """How far two orders of the float32 sum h W^T + b may move a noisy sigmoid of it, whose slope is at most 1/4."""
    unit, magnitude = torch.finfo(torch.float32).eps / 2, h.abs() @ weight.abs().T + bias.abs()
    return 2 * (h.shape[1] + 1) * unit * magnitude / 4 + 8 * unit


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=str)
def test_definition(corruption):
    given, address = inputs(), {"row_offset": 2**32 - 4096, "site": 9}
    x_tilde, x = fd.ops.linear_sigmoid_corrupt(*given, corruption, NOISE, keep_clean=True, backend="triton", **address)
    expected = exact(*given, corruption, **address)
    assert x_tilde.dtype == x.dtype == torch.float32
    assert float((x - expected.x).abs().max()) < 5e-7
    assert float((x_tilde - expected.x_tilde).abs().max()) < 5e-6
    if isinstance(corruption, Masking | SaltAndPepper):
        assert torch.equal(x_tilde == x, (expected.x_tilde == expected.x))


@pytest.mark.parametrize("width", [1, 16, 1000])
def test_every_width_and_no_bias(width):
    h, weight, _ = inputs(width=width, columns=5)
    x_tilde, x = fd.ops.linear_sigmoid_corrupt(h, weight, None, Gaussian(0.5), NOISE, backend="triton")
    assert x is None
    assert float((x_tilde - exact(h, weight, None, Gaussian(0.5)).x_tilde).abs().max()) < 5e-6


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_rounds_once(dtype):
    given = inputs(dtype=dtype)
    x_tilde, x = fd.ops.linear_sigmoid_corrupt(*given, Gaussian(0.5), NOISE, keep_clean=True, backend="triton")
    expected = exact(*given, Gaussian(0.5))
    half_ulp = torch.finfo(dtype).eps / 2
    for ours, wanted in ((x, expected.x), (x_tilde, expected.x_tilde)):
        assert ours.dtype == dtype
        assert float(((ours.double() - wanted).abs() - half_ulp * wanted.abs()).max()) < 1e-5


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("family", ["sm_80", "sm_90", "sm_100"])
def test_shipped_tiles(monkeypatch, family, dtype):
    table = linear_sigmoid_corrupt.FULL if dtype == torch.float32 else linear_sigmoid_corrupt.HALF
    monkeypatch.setitem(table, "interpreter", table[family])
    given = inputs(rows=140, width=70, columns=150, dtype=dtype)
    x_tilde = fd.ops.linear_sigmoid_corrupt(*given, Gaussian(0.5), NOISE, backend="triton").x_tilde
    wanted = exact(*given, Gaussian(0.5)).x_tilde
    half_ulp = torch.finfo(dtype).eps / 2
    assert float(((x_tilde.double() - wanted).abs() - half_ulp * wanted.abs()).max()) < 1e-5


def test_pieces_equal_the_whole_and_empty_batches_are_fine():
    h, weight, bias = inputs()
    whole = fd.ops.linear_sigmoid_corrupt(h, weight, bias, Gaussian(0.5), NOISE, backend="triton").x_tilde
    rest = fd.ops.linear_sigmoid_corrupt(h[20:], weight, bias, Gaussian(0.5), NOISE, row_offset=20, backend="triton")
    # the interpreter multiplies with NumPy's BLAS, which sums products of other sizes in another order
    assert bool(((whole[20:] - rest.x_tilde).abs() <= rounding_of_pixels(h[20:], weight, bias)).all())
    empty = fd.ops.linear_sigmoid_corrupt(h[:0], weight, bias, None, NOISE, keep_clean=True, backend="triton")
    assert empty.x_tilde.shape == empty.x.shape == (0, 70)


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=str)
def test_gradients(corruption):
    def gradients(backend: str, given):
        given = [t.detach().clone().requires_grad_() for t in given]
        noisy, x = fd.ops.linear_sigmoid_corrupt(*given, corruption, NOISE, keep_clean=True, backend=backend)
        return torch.autograd.grad((noisy * noisy.detach().cos()).sum() + x.square().sum(), given)

    given = inputs()
    expected = gradients("reference", [t.double() for t in given])
    for ours, wanted in zip(gradients("triton", given), expected, strict=True):
        assert float((ours - wanted).abs().max() / wanted.abs().max()) < 2e-6


def registered(h, weight, bias, first_row, row_offset, ahead):
    draw = draw_of(Gaussian(0.5), image=(70,), row_offset=row_offset, site=3, ahead=ahead)
    arguments = (h, weight, bias, NOISE.state, first_row, False, *draw)
    return torch.ops.fastdaae.triton_linear_sigmoid_corrupt(*arguments)[0]


def test_first_row_and_step_ahead_are_addresses():
    given = inputs(rows=8)
    moved = registered(*given, torch.tensor([30]), 4, 3)
    later = fd.ops.linear_sigmoid_corrupt(
        *given, Gaussian(0.5), NOISE.ahead(3), row_offset=34, site=3, backend="triton"
    )
    assert torch.equal(moved, later.x_tilde)


def test_registration():
    h, weight, bias = inputs(rows=3, width=4, columns=6)
    for keep, first in ((True, None), (False, torch.tensor([2]))):
        arguments = (h, weight, bias, NOISE.state, first, keep, *draw_of(Gaussian(0.5), image=(6,), site=3, ahead=1))
        torch.library.opcheck(torch.ops.fastdaae.triton_linear_sigmoid_corrupt.default, arguments)


def networks() -> tuple[nn.Module, nn.Module]:
    return fd.networks.mlp([3, 16, 12], output="sigmoid"), fd.networks.mlp([12, 16, 3])


@pytest.mark.parametrize("form", ["mlp", "no hidden layer", "functions"])
def test_chain_is_the_reference(form):
    decoder, encoder = networks()
    if form == "no hidden layer":
        decoder = nn.Sequential(nn.Linear(3, 12), nn.Sigmoid())
    wrapped = (lambda z: decoder(z), lambda x: encoder(x)) if form == "functions" else (decoder, encoder)
    z, noise = torch.randn(50, 3), fd.Noise(7, step=20)
    arguments = {"steps": 4, "keep": (0, 2, 4), "row_offset": 6}
    ours = fd.ops.sample_chain(*wrapped, z, Gaussian(0.5), noise, backend="triton", **arguments)
    expected = reference.sample_chain(decoder, encoder, z, Gaussian(0.5), noise, **arguments)
    assert ours.shape == (3, 50, 12) and not ours.requires_grad and noise.step == 20
    assert float((ours - expected).abs().max()) < 5e-6


def test_chain_runs_in_pieces(monkeypatch):
    decoder, encoder = networks()
    z, noise = torch.randn(40, 3), fd.Noise(7)
    whole = fd.ops.sample_chain(decoder, encoder, z, Masking(0.3), noise, steps=2, backend="triton")
    monkeypatch.setattr("fastdaae.reference.CHAIN_ROWS", 16)
    pieces = fd.ops.sample_chain(decoder, encoder, z, Masking(0.3), noise, steps=2, backend="triton")
    assert float((whole - pieces).abs().max()) < 5e-6
    empty = fd.ops.sample_chain(decoder, encoder, z[:0], Masking(0.3), noise, steps=2, backend="triton")
    assert empty.shape == (1, 0, 12)


def test_chain_under_autocast():
    decoder, encoder = networks()
    z, noise = torch.randn(20, 3), fd.Noise(7)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours = fd.ops.sample_chain(decoder, encoder, z, Gaussian(0.5), noise, steps=2, keep=(0, 2), backend="triton")
    expected = reference.sample_chain(decoder, encoder, z, Gaussian(0.5), noise, steps=2, keep=(0, 2))
    assert ours.dtype == torch.bfloat16
    assert float((ours - expected).abs().max()) < 2e-2


def test_compiles_without_graph_breaks():
    decoder, encoder = networks()
    z, noise = torch.randn(4, 3), fd.Noise(0)

    def call(z):
        return fd.ops.sample_chain(decoder, encoder, z, Gaussian(0.5), noise, steps=2, keep=(0, 2), backend="triton")

    assert torch.allclose(torch.compile(call, fullgraph=True, backend="aot_eager")(z), call(z), atol=1e-6)
