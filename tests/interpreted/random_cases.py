"""Addressed normal and uniform numbers in Triton, interpreted, against the definition."""

import pytest
import torch

import fastdaae as fd
from fastdaae.draw import draw_of
from fastdaae.kernels.triton import random

NOISE = fd.Noise(0xFEDCBA9876543210, step=2**32 - 1)
SHAPES = [(1, 1), (37, 99), (1030, 5), (0, 4), (4, 0)]


@pytest.mark.parametrize("shape", SHAPES)
def test_both_draws_are_the_addressed_noise(shape):
    address = {"copies": 3, "row_offset": 2**32 - 4096, "site": 65535}
    uniform = fd.ops.uniform(*shape, NOISE, backend="triton", **address)
    normal = fd.ops.normal(*shape, NOISE, backend="triton", **address)
    assert torch.equal(uniform, fd.noise.uniform(NOISE, *shape, **address)) and uniform.dtype == torch.float64
    expected = fd.noise.normal(NOISE, *shape, **address)
    assert normal.dtype == torch.float32 and normal.shape == expected.shape
    assert normal.numel() == 0 or float((normal - expected).abs().max()) < 1.5e-6


def test_pieces_equal_the_whole_bitwise_across_tilings():
    for draw in (fd.ops.normal, fd.ops.uniform):
        whole = draw(1100, 7, NOISE, copies=2, backend="triton")
        piece = draw(100, 7, NOISE, copies=2, row_offset=1000, backend="triton")
        assert torch.equal(whole[:, 1000:], piece)


@pytest.mark.parametrize("draw", [random.normal, random.uniform])
def test_a_step_ahead_is_the_later_noise(draw):
    ahead = draw(5, 6, NOISE.state, draw_of(None, site=2, ahead=3))
    assert torch.equal(ahead, draw(5, 6, NOISE.ahead(3).state, draw_of(None, site=2)))


def test_rows_beyond_the_counter_are_refused():
    with pytest.raises(ValueError, match="row_offset must be at most"):
        random.normal(2, 3, NOISE.state, draw_of(None, row_offset=2**32 - 1))


def test_registration():
    for operator in (torch.ops.fastdaae.triton_normal, torch.ops.fastdaae.triton_uniform):
        torch.library.opcheck(operator.default, (NOISE.state, 4, 6, *draw_of(None, copies=2, row_offset=5)))

    def call(noise):
        return fd.ops.normal(4, 6, noise, backend="triton") + fd.ops.uniform(4, 6, noise, backend="triton")

    assert torch.equal(torch.compile(call, fullgraph=True, backend="aot_eager")(NOISE), call(NOISE))
