"""Addressed noise and `corrupt` in Triton, run by its interpreter through the public operator."""

import math

import pytest
import torch

import fastdaae as fd
from fastdaae import noise as addressed
from fastdaae.corruptions import Gaussian, Masking, Patches, SaltAndPepper
from fastdaae.draw import draw_of
from fastdaae.kernels.triton.jit import corruption as jit_corruption
from tests.interpreted import noise_kernels

CORRUPTIONS = [
    None,
    Gaussian(0.0),
    Gaussian(0.5),
    Gaussian(0.5, clip=(0.0, 1.0)),
    Masking(0.3),
    Masking(1.0),
    SaltAndPepper(0.25),
    SaltAndPepper(0.0),
    SaltAndPepper(1.0, low=-1.0, high=2.0),
    SaltAndPepper(2.0**-31),
]
ADDRESS = {"copies": 3, "row_offset": 2**32 - 4096, "site": 65535}  # all upper bits of the counter are set


def noise() -> fd.Noise:
    return fd.Noise(0xFEDCBA9876543210, step=2**32 - 1)


def pixels(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8)


def test_tiles_are_the_addressed_noise():
    words, normals = noise_kernels.tile(noise().state, 128, 256, row_offset=2**32 - 128, col0=64, word=2 | 9 << 16)
    address = {"copies": 3, "row_offset": 2**32 - 128, "site": 9}
    assert torch.equal(words, addressed.words(noise(), 128, 320, **address)[2, :, 64:])
    error = (normals.double() - addressed.normal(noise(), 128, 320, **address)[2, :, 64:]).abs()
    assert float(error.max()) < 1.5e-6


def test_normals_of_forced_words_keep_their_digits():
    u, v = noise_kernels.forced_words()
    found = noise_kernels.normals_of_words(u, v)
    log = torch.where(
        u < 2**31, torch.log((u.double() + 0.5) * 2.0**-32), torch.log1p(-(2**32 - 0.5 - u.double()) * 2.0**-32)
    )
    angle = torch.where(v < 2**31, v, v - 2**32).double() * (2 * math.pi * 2.0**-32)
    radius = torch.sqrt(-2 * log)
    expected = torch.stack((radius * torch.cos(angle), radius * torch.sin(angle)))
    assert float((found.double() - expected).abs().max()) < 2e-6
    # relative to the radius, which is 1.5e-5 at the last word: an approximate logarithm would leave nothing of it
    assert float(((found.double() - expected).abs() / radius).max()) < 1e-6


def agree(ours: torch.Tensor, expected: torch.Tensor, exact: bool) -> bool:
    if ours.shape != expected.shape or ours.dtype != expected.dtype:
        return False
    if exact:
        return torch.equal(ours, expected)
    steps = {torch.float32: 0.0, torch.bfloat16: 2.0**-7, torch.float16: 2.0**-10}[ours.dtype]  # a rounding may flip
    return bool(((ours.double() - expected.double()).abs() <= 1.5e-6 + steps * expected.double().abs()).all())


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=repr)
def test_corrupt_agrees_with_the_reference(corruption):
    exact = not isinstance(corruption, Gaussian) or corruption.sigma == 0
    index = torch.tensor([4, 0, 0, 36, 5])
    cases = [
        (torch.rand(37, 100), None, None),
        (pixels(37, 99), index, torch.bfloat16),
        (torch.rand(6, 21).bfloat16(), None, None),
        (torch.rand(2, 3, 4, 5).half(), torch.tensor([1, 1, 0]), None),
        (torch.rand(1, 1), None, torch.float64),
        (torch.rand(8, 30)[::2, 1::3], None, torch.float16),
        (torch.rand(0, 7), None, None),
        (pixels(3, 5), torch.tensor([], dtype=torch.int64), None),
    ]
    for x, chosen, dtype in cases:
        arguments = {"index": chosen, "dtype": dtype, **ADDRESS}
        ours = fd.ops.corrupt(x, corruption, noise(), backend="triton", **arguments)
        expected = fd.ops.corrupt(x, corruption, noise(), backend="reference", **arguments)
        if dtype == torch.float64:
            ours, expected = ours.float(), expected.float()
        assert agree(ours, expected, exact), (x.dtype, x.shape, dtype)


@pytest.mark.parametrize(
    ("image", "patches"),
    [
        ((1, 1), Patches(1, 1, fill=0.5)),
        ((7, 9), Patches((3, 2), 4, fill=-2.0)),
        ((3, 10, 12), Patches((10, 1), 3)),
        ((2, 2, 9, 5), Patches(5, 2, fill=1.0)),
        ((4, 6), Patches(3, 0)),
    ],
)
def test_patches_are_the_reference_s_and_so_are_their_gradients(image, patches):
    index = torch.tensor([4, 0, 0, 3])
    for dtype, chosen in ((torch.uint8, index), (torch.bfloat16, None), (torch.float32, None), (torch.float32, index)):
        x, found, gradients = pixels(5, *image), [], []
        x = x if dtype == torch.uint8 else (x / 255).to(dtype)
        for backend in ("triton", "reference"):
            leaf = x if dtype == torch.uint8 else x.clone().requires_grad_()
            found.append(fd.ops.corrupt(leaf, patches, noise(), index=chosen, backend=backend, **ADDRESS))
            if dtype == torch.float32:
                weights = torch.arange(found[-1].numel()).reshape(found[-1].shape) % 7
                gradients.append(torch.autograd.grad((found[-1] * weights).sum(), leaf)[0])
        assert torch.equal(*found) and (not gradients or torch.equal(*gradients))
    large = torch.zeros(1, 1, 65536)
    with pytest.raises(RuntimeError, match="images of at most 65535 pixels a side, got"):
        fd.ops.corrupt(large, Patches(1, 1), noise(), backend="triton")


def test_probabilities_that_a_drawn_word_meets_exactly():
    """u < p decides in integers: p = u of one entry leaves that entry, the next larger p changes it."""
    x = torch.rand(4, 60)
    word = int(addressed.words(noise(), 4, 60)[0, 2].min())
    assert 0 < word < 2**31
    for p in ((word + 0.5) * 2.0**-32, (word + 0.75) * 2.0**-32):
        for corruption in (Masking(p), SaltAndPepper(p), SaltAndPepper(2 * p)):
            ours, expected = (fd.ops.corrupt(x, corruption, noise(), backend=b) for b in ("triton", "reference"))
            assert torch.equal(ours, expected), corruption


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=repr)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradient_passes_where_the_input_passes(corruption, dtype):
    x, noise_ = torch.rand(5, 12).to(dtype), noise()
    x[0, 0] = 0.0
    for index in (None, torch.tensor([2, 2, 0])):
        grad = torch.randn(4, 5 if index is None else 3, 12).to(dtype)
        gradients = []
        for backend, own in (("triton", dtype), ("reference", torch.float64)):
            leaf = x.detach().to(own, copy=True).requires_grad_()
            out = fd.ops.corrupt(leaf, corruption, noise_, copies=4, index=index, backend=backend)
            noise_.advance()  # the backward pass needs the noise of the forward pass
            out.backward(grad.to(own))
            noise_ = noise()
            gradients.append(leaf.grad.double())
        allowed = 1e-6 if dtype == torch.float32 else 2.0**-8 * gradients[1].abs() + 1e-6
        assert bool(((gradients[0] - gradients[1]).abs() <= allowed).all())


def test_every_pixel_is_value_over_255_bitwise():
    x = torch.arange(256, dtype=torch.uint8).reshape(2, 128)
    assert torch.equal(fd.ops.corrupt(x, None, noise(), copies=2, backend="triton")[1], x.float() / 255)


@pytest.mark.parametrize("corruption", [Gaussian(0.5), SaltAndPepper(0.4)], ids=repr)
def test_pieces_equal_the_whole_bitwise_across_tilings(corruption, monkeypatch):
    x, draw = pixels(20, 50), {"copies": 2, "backend": "triton"}
    whole = fd.ops.corrupt(x, corruption, noise(), **draw)
    monkeypatch.setattr(jit_corruption, "elementwise_config", lambda rows: {"BM": 32, "BK": 64, "num_warps": 4})
    pieces = [fd.ops.corrupt(x[o : o + n], corruption, noise(), row_offset=o, **draw) for o, n in ((0, 1), (1, 19))]
    assert torch.equal(whole, torch.cat(pieces, dim=1))


def test_a_row_outside_x_is_nan_and_the_others_are_not_touched():
    x, index = torch.rand(4, 6), torch.tensor([0, 4, -1, 3, 2**40])
    found = fd.ops.corrupt(x, Gaussian(0.5), noise(), copies=2, index=index, backend="triton")
    assert bool(found[:, [1, 2, 4]].isnan().all()) and not bool(found[:, [0, 3]].isnan().any())


def test_nan_stays_through_the_clip():
    x = torch.full((1, 4), math.nan)
    assert bool(fd.ops.corrupt(x, Gaussian(0.5, clip=(0, 1)), noise(), backend="triton").isnan().all())


@pytest.mark.parametrize("corruption", [Gaussian(0.3, clip=(0, 1)), SaltAndPepper(0.3), Patches((1, 2), 3)], ids=repr)
def test_opcheck(corruption):
    draw = draw_of(corruption, image=(2, 3), copies=2, row_offset=5, site=1)
    state, index = noise().state, torch.tensor([1, 1, 3])
    for x, chosen in ((torch.rand(4, 6), None), (pixels(4, 6), index)):
        torch.library.opcheck(torch.ops.fastdaae.triton_corrupt, (x, chosen, state, *draw, torch.bfloat16))
        grad = torch.randn(2, 4 if chosen is None else 3, 6)
        torch.library.opcheck(torch.ops.fastdaae.triton_corrupt_backward, (grad, x, chosen, state, *draw))


@pytest.mark.parametrize("corruption", [Gaussian(0.5, clip=(0, 1)), Masking(0.5)], ids=repr)
def test_compiles_without_graph_breaks(corruption):
    def call(x, noise):
        return fd.ops.corrupt(x, corruption, noise, copies=2, backend="triton").square().sum()

    x, drawn = torch.rand(6, 10, requires_grad=True), noise()
    expected = torch.autograd.grad(call(x, drawn), x)[0]
    compiled = torch.compile(call, fullgraph=True, backend="aot_eager")
    assert torch.allclose(torch.autograd.grad(compiled(x, drawn), x)[0], expected, atol=1e-6, rtol=0)


def test_float64_is_refused_with_the_reason():
    with pytest.raises(RuntimeError, match="it computes in float32, and x is float64; usable here: 'reference'"):
        fd.ops.corrupt(torch.rand(2, 3).double(), None, noise(), backend="triton")
