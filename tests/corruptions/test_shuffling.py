"""Shuffling: permutations within tiles, by PyTorch alone, wherever a corruption may stand."""

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae import noise as addressed
from fastdaae.corruptions import Shuffling

NOISE = fd.Noise(7, step=3)
IMAGES = [(1, 1), (4, 4), (7, 9), (3, 10, 12), (2, 2, 5, 3)]


def numbered(rows: int, image: tuple[int, ...]) -> torch.Tensor:
    """Images whose every number is another one, so that where it went can be seen."""
    return torch.arange(rows * torch.Size(image).numel(), dtype=torch.float64).reshape(rows, *image)


@pytest.mark.parametrize("size", [1, 2, 4, 100])
@pytest.mark.parametrize("image", IMAGES)
def test_tiles_hold_their_pixels_in_the_order_of_their_words(image, size):
    x, (height, width) = numbered(3, image), image[-2:]
    found = fd.ops.corrupt(x, Shuffling(size), NOISE, copies=2, row_offset=5, site=1)
    words = addressed.words(NOISE, 3, height * width, copies=2, row_offset=5, site=1).reshape(2, 3, height, width)
    for top in range(0, height, size):
        for left in range(0, width, size):
            tile = (..., slice(top, top + size), slice(left, left + size))
            order = words[tile].flatten(2).argsort(2)
            pixels = x[tile].reshape(3, -1, order.shape[2]).expand(2, -1, -1, -1)
            expected = pixels.gather(3, order[:, :, None].expand_as(pixels))
            assert torch.equal(found[tile].reshape(expected.shape), expected)


def test_every_order_has_the_same_probability():
    x = torch.tensor([[[0.0, 1.0], [2.0, 3.0]]]).expand(24000, 1, 2, 2)
    found = fd.ops.corrupt(x, Shuffling(2), fd.Noise(1))[0].flatten(1) @ torch.tensor([64.0, 16.0, 4.0, 1.0])
    counts = found.unique(return_counts=True)[1].double()
    # chi-squared with 23 degrees of freedom: 58 has the probability 1e-4
    assert len(counts) == 24 and float(((counts - 1000).square() / 1000).sum()) < 58


def test_gradient_is_the_transpose_and_can_be_differentiated():
    x = torch.rand(3, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    index = torch.tensor([2, 0, 2])

    def call(x):
        return fd.ops.corrupt(x, Shuffling(3), NOISE, copies=2, index=index)

    grad = torch.rand(2, 3, 2, 5, 4, dtype=torch.float64)
    (back,) = torch.autograd.grad(call(x), x, grad)
    probe = torch.rand_like(x)
    assert torch.allclose((back * probe).sum(), (grad * call(probe)).sum())  # <P' g, v> = <g, P v>
    assert torch.autograd.gradcheck(call, (x,)) and torch.autograd.gradgradcheck(lambda x: call(x).pow(2), (x,))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.bfloat16])
def test_pieces_blocks_strides_and_dtypes(dtype, monkeypatch):
    x = (torch.rand(37, 3, 6, 10) * 255).to(dtype)[:, :, :, ::2]
    whole = fd.ops.corrupt(x, Shuffling(2), NOISE, copies=2, row_offset=4)
    assert whole.dtype == (torch.float32 if dtype == torch.uint8 else dtype)
    clean = fd.ops.corrupt(x, None, NOISE)[0]
    assert torch.equal(whole.flatten(3).sort(3).values, clean.flatten(2).sort(2).values.expand(2, -1, -1, -1))
    pieces = [fd.ops.corrupt(x[i:j], Shuffling(2), NOISE, copies=2, row_offset=4 + i) for i, j in ((0, 1), (1, 37))]
    assert torch.equal(torch.cat(pieces, 1), whole)
    monkeypatch.setattr("fastdaae.reference.numbers.BLOCK", 700)
    assert torch.equal(fd.ops.corrupt(x, Shuffling(2), NOISE, copies=2, row_offset=4), whole)
    assert fd.ops.corrupt(x[:0], Shuffling(2), NOISE, copies=2).shape == (2, 0, 3, 6, 5)


def test_every_operator_falls_back_and_a_named_kernel_says_why():
    torch.manual_seed(0)
    encoder, decoder = fd.networks.mlp([48, 150, 3]), fd.networks.mlp([3, 150, 48], output="sigmoid")
    x, z, weight = torch.rand(9, 3, 4, 4), torch.randn(9, 3), torch.randn(150, 48) / 7
    shuffle = Shuffling(2)
    one = fd.ops.corrupt(x, shuffle, NOISE, copies=2)
    y = fd.ops.corrupted_linear(x, weight, None, shuffle, NOISE, copies=2)
    assert torch.allclose(y, nn.functional.linear(one.flatten(2), weight).relu(), atol=1e-5)
    mean = fd.ops.encode_mean(encoder, x, shuffle, NOISE, copies=2, site=0)
    assert torch.allclose(mean, encoder(one.flatten(0, 1)).unflatten(0, (2, 9)).mean(0), atol=1e-5)
    chain = fd.ops.sample_chain(decoder, encoder, z, shuffle, NOISE, steps=2, image_shape=(3, 4, 4))
    for t in range(2):
        noisy = fd.ops.corrupt(decoder(z).reshape(9, 3, 4, 4), shuffle, NOISE.ahead(t), site=3)[0]
        z = encoder(noisy.flatten(1))
    assert torch.allclose(chain[0], decoder(z), atol=1e-5)
    end = fd.ops.linear_sigmoid_corrupt(
        torch.rand(9, 5), torch.rand(48, 5), None, shuffle, NOISE, image_shape=(3, 4, 4)
    )
    assert end.x_tilde.shape == (9, 48)
    compiled = torch.compile(lambda x: fd.ops.corrupt(x, shuffle, NOISE, copies=2), fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(x), one)
    for backend in ("cpp", "triton"):
        with pytest.raises(RuntimeError, match=f"backend='{backend}' cannot run corrupt: .*usable here: 'reference'"):
            fd.ops.corrupt(x, shuffle, NOISE, backend=backend)
