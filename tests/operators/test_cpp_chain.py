"""Whole chains in C++: the float64 reference, every instruction set, odd sizes, and pieces to the bit."""

import ctypes
import shutil
import subprocess

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae import reference
from fastdaae.activation import Activation
from fastdaae.corruptions import Gaussian, Masking, SaltAndPepper
from fastdaae.draw import Draw, draw_of
from fastdaae.kernels.cpp import chain as cpp_chain
from fastdaae.ops.network import Plan
from tests.emulation.library import HERE

pytestmark = pytest.mark.needs_cpp
GAUSSIAN = Gaussian(0.5)
CORRUPTIONS = [None, Gaussian(0.0), GAUSSIAN, Gaussian(0.5, clip=(0.0, 1.0)), Masking(0.3), SaltAndPepper(0.2)]


def networks(sizes=(3, 40, 33, 50)):
    return fd.networks.mlp(sizes, output="sigmoid"), fd.networks.mlp(sizes[::-1])


def chain(decoder, encoder, z, corruption=GAUSSIAN, *, steps=3, **choices):
    choices = {"backend": "cpp", **choices}
    return fd.ops.sample_chain(decoder, encoder, z, corruption, fd.Noise(7, step=2**32 - 2), steps=steps, **choices)


def exact(decoder, encoder, z, corruption=GAUSSIAN, *, steps=3, **choices):
    wide = [nn.Sequential(*network).double() for network in (decoder, encoder)]
    try:
        noise = fd.Noise(7, step=2**32 - 2)
        return reference.sample_chain(*wide, z.double(), corruption, noise, steps=steps, **choices)
    finally:
        for network in wide:
            network.float()


@pytest.mark.parametrize("rows", [1, 2, 13, 14, 15, 64, 300])
def test_rows(isa, rows):
    decoder, encoder = networks()
    z = torch.randn(rows, 3)
    assert float((chain(decoder, encoder, z) - exact(decoder, encoder, z)).abs().max()) < 2e-6


@pytest.mark.parametrize("sizes", [(1, 1), (1, 5), (2, 127), (10, 128, 129), (3, 65, 31, 64), (33, 32, 17, 784)])
def test_sizes(isa, sizes):
    decoder, encoder = networks(sizes)
    z = torch.randn(20, sizes[0])
    assert float((chain(decoder, encoder, z) - exact(decoder, encoder, z)).abs().max()) < 3e-6


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=repr)
def test_corruptions_kept_steps_and_offsets(isa, corruption):
    decoder, encoder = networks()
    z, choices = torch.randn(31, 3), {"keep": (0, 2, 4), "row_offset": 2**32 - 31, "site": 9}
    found = chain(decoder, encoder, z, corruption, steps=4, **choices)
    assert found.shape == (3, 31, 50)
    assert float((found - exact(decoder, encoder, z, corruption, steps=4, **choices)).abs().max()) < 3e-6


def test_no_bias_and_activations_anywhere(isa):
    decoder = nn.Sequential(nn.Linear(3, 20, bias=False), nn.Sigmoid(), nn.Linear(20, 9), nn.ReLU())
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(9, 8), nn.Identity(), nn.Linear(8, 3), nn.Sigmoid())
    z = torch.randn(17, 3)
    assert float((chain(decoder, encoder, z) - exact(decoder, encoder, z)).abs().max()) < 3e-6


def test_pieces_and_threads_give_the_whole_to_the_bit(isa):
    decoder, encoder = networks((10, 200, 784))
    z, threads = torch.randn(200, 10), torch.get_num_threads()
    whole = chain(decoder, encoder, z)
    pieces = [chain(decoder, encoder, z[a:b], row_offset=a) for a, b in ((0, 1), (1, 30), (30, 200))]
    assert torch.equal(whole, torch.cat(pieces, dim=1))
    try:
        torch.set_num_threads(1 if threads > 1 else 2)
        assert torch.equal(whole, chain(decoder, encoder, z))
    finally:
        torch.set_num_threads(threads)


def test_keeping_a_step_changes_no_other():
    decoder, encoder = networks()
    z = torch.randn(9, 3)
    every = chain(decoder, encoder, z, steps=5, keep=tuple(range(6)))
    for t in range(6):
        assert torch.equal(every[t], chain(decoder, encoder, z, steps=t)[0])


def test_nan_is_not_hidden(isa):
    decoder, encoder = networks()
    z = torch.randn(20, 3)
    z[4] = torch.nan
    found = chain(decoder, encoder, z)[0]
    assert bool(found[4].isnan().all()) and not bool(found[:4].isnan().any() or found[5:].isnan().any())


def test_strided_weights_and_codes():
    decoder, encoder = networks((3, 16, 12))
    z = torch.randn(3, 9).T
    expected = exact(decoder, encoder, z)
    decoder[1].weight = nn.Parameter(decoder[1].weight.detach().T.contiguous().T)
    assert not decoder[1].weight.is_contiguous()
    assert float((chain(decoder, encoder, z) - expected).abs().max()) < 2e-6


def test_launcher_refuses_what_it_would_misread():
    decoder, encoder = networks()
    plans, state = (Plan.of(decoder).layers, Plan.of(encoder).layers), fd.Noise(0).state

    def launch(decoder, encoder, z, keep=(1,)):
        cpp_chain.sample_chain(decoder, encoder, z, state, Draw(), keep, half=False)

    with pytest.raises(ValueError, match="weight must have the shape .* got"):
        launch(*plans, torch.randn(2, 4))
    with pytest.raises(ValueError, match="weight must have the shape .* got|encoder must take what decoder returns"):
        launch(plans[0], plans[0], torch.randn(2, 3))
    with pytest.raises(ValueError, match="keep must be ascending"):
        launch(*plans, torch.randn(2, 3), keep=(1, 1))
    decoder[1].double()
    with pytest.raises(ValueError, match="weight must be a contiguous 2-D CPU tensor of float32"):
        launch(*plans, torch.randn(2, 3))


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=repr)
@pytest.mark.parametrize("shape", [(8, 128, 128), (15, 200, 131), (300, 129, 784), (2000, 160, 140)])
def test_the_decoder_s_end_in_one_pass_is_its_two_passes_to_the_bit(isa, shape, corruption):
    rows, inputs, outputs = shape
    h, weight, bias = torch.randn(rows, inputs), torch.randn(outputs, inputs) / inputs**0.5, torch.randn(outputs)
    how = {"keep_clean": True, "row_offset": 9, "site": 5, "backend": "cpp"}
    one = fd.ops.linear_sigmoid_corrupt(h, weight, bias, corruption, fd.Noise(3), **how)
    two = fd.ops.linear_sigmoid_corrupt(h.requires_grad_(), weight, bias, corruption, fd.Noise(3), **how)
    assert two.x_tilde.requires_grad and not one.x_tilde.requires_grad
    assert torch.equal(one.x, two.x) and torch.equal(one.x_tilde, two.x_tilde)


@pytest.mark.parametrize("keep_clean", [False, True])
def test_opcheck_of_the_decoder_s_end(keep_clean):
    h, weight, bias = torch.rand(5, 6), torch.rand(7, 6), torch.rand(7)
    draw = draw_of(GAUSSIAN, row_offset=2, site=1)
    arguments = (h, weight, bias, fd.Noise(1).state, keep_clean, *draw)
    torch.library.opcheck(torch.ops.fastdaae.cpp_linear_sigmoid_corrupt, arguments)


@pytest.mark.parametrize("rows", [1, 15, 64])
def test_bf16_rounds_the_factors_alone(isa, rows):
    decoder, encoder = networks((3, 40, 33, 51))
    z = torch.randn(rows, 3)
    found = chain(decoder, encoder, z, precision="bf16", keep=(0, 3))
    assert found.dtype == torch.float32
    assert 1e-5 < float((found - exact(decoder, encoder, z, keep=(0, 3))).abs().max()) < 1e-2
    # rounding every factor by hand, in float32
    x, expected = z, []
    for t in range(4):
        for layer in Plan.of(decoder).layers:
            x = _rounded_layer(layer, x)
        expected.append(x)
        x = fd.ops.corrupt(x, GAUSSIAN, fd.Noise(7, step=(2**32 - 2 + t) % 2**32), site=fd.noise.Site.CHAIN)[0]
        for layer in Plan.of(encoder).layers:
            x = _rounded_layer(layer, x)
    # a sum that rounds to the other neighbour moves what follows by a unit of bf16
    assert float((found - torch.stack([expected[0], expected[3]])).abs().max()) < 2e-3
    assert float((found[0] - expected[0]).abs().max()) < 2e-4


def _rounded_layer(layer, x):
    return _rounded(layer.linear.weight.detach(), layer.linear.bias.detach(), layer.activation, x)


def _rounded(weight, bias, activation, x):
    product = x.bfloat16().double() @ weight.bfloat16().double().T + bias.double()
    return reference.activate(product, activation).float()


def test_bf16_through_autocast_and_elsewhere():
    decoder, encoder = networks()
    z = torch.randn(9, 3)
    named = chain(decoder, encoder, z, precision="bf16")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(chain(decoder, encoder, z), named.bfloat16())
    other = chain(decoder, encoder, z, precision="bf16", backend="reference")
    assert other.dtype == torch.float32 and float((other - named).abs().max()) < 2e-2
    with pytest.raises(ValueError, match="precision must be one of 'fp32', 'bf16', got 'fp16'"):
        chain(decoder, encoder, z, precision="fp16")


@pytest.fixture(scope="module")
def emulated(tmp_path_factory):
    compiler = shutil.which("g++") or pytest.skip("no g++")
    output = tmp_path_factory.mktemp("half_chain") / "half_chain.so"
    flags = ["-std=c++17", "-O1", "-fopenmp", "-Wno-psabi", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, HERE / "half_chain.cpp", "-o", output], check=True)
    return ctypes.CDLL(str(output)).half_chain


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (5, 3, 7, 9), (15, 10, 33, 129), (40, 5, 300, 257)])
def test_pairs_of_bf16_in_panels(emulated, shape):
    rows, code, hidden, pixels = shape
    ends = [(hidden, code), (pixels, hidden), (hidden, pixels), (code, hidden)]
    weights = [torch.randn(end) / end[1] ** 0.5 for end in ends]
    z, out = torch.randn(rows, code), torch.empty(rows, pixels)
    sizes = [ctypes.c_int64(size) for size in (rows, code, hidden, pixels)]
    pointers = [ctypes.c_void_p(t.data_ptr()) for t in (*weights, z)]
    for steps in (0, 1):
        emulated(*pointers, *sizes, ctypes.c_int64(steps), ctypes.c_void_p(out.data_ptr()))
        x = _decoded(weights, z)
        if steps:
            noisy = fd.ops.corrupt(x, SaltAndPepper(0.3), fd.Noise(5), site=4)[0]
            hidden_units = _rounded(weights[2], torch.zeros(()), Activation("relu"), noisy)
            x = _decoded(weights, _rounded(weights[3], torch.zeros(()), Activation("none"), hidden_units))
        assert float((out - x).abs().max()) < (1e-5 if steps == 0 else 2e-3)


def _decoded(weights, z):
    hidden = _rounded(weights[0], torch.zeros(()), Activation("relu"), z)
    return _rounded(weights[1], torch.zeros(()), Activation("sigmoid"), hidden)
