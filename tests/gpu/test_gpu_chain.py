"""The decoder's end and the chain on a real device: against the reference, in captured graphs, and in blocks."""

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae import reference
from fastdaae.corruptions import Gaussian, Masking, SaltAndPepper
from fastdaae.draw import draw_of

pytestmark = [pytest.mark.needs_cuda, pytest.mark.needs_triton]
CORRUPTIONS = [
    None,
    Gaussian(0.5),
    Gaussian(0.5, clip=(0.1, 0.9)),
    Masking(0.3),
    SaltAndPepper(0.4, low=-1.0, high=2.0),
]
HALF_ULP = {torch.float32: 0.0, torch.bfloat16: 2.0**-9, torch.float16: 2.0**-12}
NORMALS = 1e-3 * 0.5  # the largest difference between two backends' normals, times sigma


def inputs(rows: int, width: int, columns: int, dtype: torch.dtype = torch.float32):
    shapes = ((rows, width), (columns, width), (columns,))
    h, weight, bias = (torch.randn(shape) / shape[-1] ** 0.5 for shape in shapes)
    return h.to("cuda", dtype), weight.to("cuda", dtype), bias.to("cuda", dtype)


@pytest.mark.parametrize("dtype", list(HALF_ULP), ids=str)
@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=str)
@pytest.mark.parametrize("shape", [(300, 1000, 784), (37, 50, 70)])
def test_definition(corruption, dtype, shape):
    given, noise = inputs(*shape, dtype), fd.Noise(2**40 + 3, step=2**32 - 2, device="cuda")
    address = {"row_offset": 2**32 - 2**20, "keep_clean": True}
    x_tilde, x = fd.ops.linear_sigmoid_corrupt(*given, corruption, noise, backend="triton", **address)
    expected = reference.linear_sigmoid_corrupt(*(t.double() for t in given), corruption, noise, **address)
    half_ulp = HALF_ULP[dtype] * 1.01
    assert x.dtype == x_tilde.dtype == dtype
    assert float(((x.double() - expected.x).abs() - half_ulp).max()) < 5e-6
    error = (x_tilde.double() - expected.x_tilde).abs() - half_ulp * expected.x_tilde.abs()
    assert float(error.max()) < NORMALS and float(error.quantile(0.999)) < 1e-5


def test_gradients():
    given, noise = inputs(40, 50, 70), fd.Noise(3, device="cuda")

    def gradients(backend, tensors):
        tensors = [t.detach().clone().requires_grad_() for t in tensors]
        noisy, x = fd.ops.linear_sigmoid_corrupt(*tensors, Masking(0.3), noise, keep_clean=True, backend=backend)
        return torch.autograd.grad(noisy.square().sum() + x.square().sum(), tensors)

    expected = gradients("reference", [t.double() for t in given])
    for ours, wanted in zip(gradients("triton", given), expected, strict=True):
        assert float((ours - wanted).abs().max() / wanted.abs().max()) < 1e-5


def networks() -> tuple[nn.Module, nn.Module]:
    return fd.networks.mlp([3, 64, 100], output="sigmoid").cuda(), fd.networks.mlp([100, 64, 3]).cuda()


@pytest.mark.parametrize("count", [20, 64, 75])
@pytest.mark.parametrize("form", ["mlp", "functions"])
def test_chain_is_the_reference_in_blocks_and_replays(monkeypatch, count, form):
    monkeypatch.setattr("fastdaae.reference.CHAIN_ROWS", 16)
    decoder, encoder = networks()
    given = (decoder, encoder) if form == "mlp" else (lambda z: decoder(z), lambda x: encoder(x))
    z, noise = torch.randn(count, 3, device="cuda"), fd.Noise(7, step=20, device="cuda")
    arguments = {"steps": 4, "keep": (0, 2, 4), "row_offset": 6}
    ours = fd.ops.sample_chain(*given, z, Gaussian(0.5), noise, backend="triton", **arguments)
    expected = reference.sample_chain(decoder, encoder, z, Gaussian(0.5), noise, **arguments)
    assert float((ours - expected).abs().max()) < 1e-3
    assert noise.step == 20


def test_replays_equal_one_eager_pass(monkeypatch):
    decoder, encoder = networks()
    z, noise = torch.randn(80, 3, device="cuda"), fd.Noise(7, device="cuda")
    whole = fd.ops.sample_chain(decoder, encoder, z, Masking(0.3), noise, steps=5, backend="triton")
    monkeypatch.setattr("fastdaae.reference.CHAIN_ROWS", 16)
    blocks = fd.ops.sample_chain(decoder, encoder, z, Masking(0.3), noise, steps=5, backend="triton")
    # the noise is the same to the bit; the products of other batch sizes round differently
    assert float((whole - blocks).abs().max()) < 1e-4


def test_captured_graph_draws_fresh_noise_at_each_replay():
    given, noise = inputs(32, 20, 40), fd.Noise(5, device="cuda")

    def draw():
        x_tilde = fd.ops.linear_sigmoid_corrupt(*given, Gaussian(0.5), noise, backend="triton").x_tilde
        noise.advance()
        return x_tilde

    draw()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = draw()
    noise.state.copy_(fd.Noise(5, step=10).state)
    for step in (10, 11, 12):
        graph.replay()
        at_step = fd.Noise(5, step=step, device="cuda")
        eager = fd.ops.linear_sigmoid_corrupt(*given, Gaussian(0.5), at_step, backend="triton").x_tilde
        assert torch.equal(captured, eager)


def test_registration():
    given, noise = inputs(3, 4, 6), fd.Noise(5, device="cuda")
    first = torch.tensor([2], device="cuda")
    arguments = (*given, noise.state, first, True, *draw_of(Gaussian(0.5), image=(6,), site=3, ahead=1))
    torch.library.opcheck(torch.ops.fastdaae.triton_linear_sigmoid_corrupt.default, arguments)
