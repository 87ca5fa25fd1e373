"""`normal` and `uniform`: numbers by their address alone, on every backend and however the work is cut."""

import pytest
import torch

import fastdaae as fd
from fastdaae.corruptions import Gaussian
from fastdaae.draw import draw_of
from fastdaae.noise import Site

NOISE = fd.Noise(0x1234567890ABCDEF, step=3)
DRAWS = [fd.ops.normal, fd.ops.uniform]
cpp = pytest.param("cpp", marks=pytest.mark.needs_cpp)
BACKENDS = ["reference", cpp]


@pytest.mark.needs_cpp
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (17, 130), (0, 4), (4, 0), (1, 784)])
@pytest.mark.parametrize("copies", [1, 3])
def test_cpp_draws_what_the_reference_draws(isa, shape, copies):
    how = {"copies": copies, "row_offset": 2**32 - 100, "site": 9}
    exact = fd.ops.uniform(*shape, NOISE, backend="reference", **how)
    assert exact.dtype == torch.float64 and exact.shape == (copies, *shape)
    assert torch.equal(fd.ops.uniform(*shape, NOISE, backend="cpp", **how), exact)
    ours, theirs = (fd.ops.normal(*shape, NOISE, backend=name, **how) for name in ("cpp", "reference"))
    assert ours.dtype == theirs.dtype == torch.float32
    assert float((ours - theirs).abs().max() if ours.numel() else 0.0) <= 2e-6


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("draw", DRAWS)
def test_pieces_equal_the_whole(draw, backend):
    whole = draw(11, 7, NOISE, copies=2, row_offset=5, backend=backend)
    parts = [draw(stop - start, 7, NOISE, copies=2, row_offset=5 + start, backend=backend) for start, stop in
             ((0, 4), (4, 5), (5, 11))]  # fmt: skip
    assert torch.equal(whole, torch.cat(parts, dim=1))
    assert torch.equal(whole[:1, :, :3], draw(11, 3, NOISE, row_offset=5, backend=backend))


@pytest.mark.parametrize("backend", BACKENDS)
def test_normal_is_the_noise_of_a_corrupted_zero_to_the_bit(backend):
    zeros = torch.zeros(9, 33, dtype=torch.float32)
    noise = fd.ops.corrupt(zeros, Gaussian(1.0), NOISE, copies=2, row_offset=4, site=2, backend=backend)
    assert torch.equal(fd.ops.normal(9, 33, NOISE, copies=2, row_offset=4, site=2, backend=backend), noise)


@pytest.mark.parametrize("draw", DRAWS)
def test_every_part_of_the_address_matters_and_equal_calls_are_equal(draw):
    base = draw(6, 8, NOISE)
    others = [draw(6, 8, NOISE, site=Site.PRIOR), draw(6, 8, NOISE, row_offset=6), draw(6, 8, NOISE.ahead(1)),
              draw(6, 8, fd.Noise(1, step=3)), draw(6, 8, NOISE, copies=2)[1:]]  # fmt: skip
    assert torch.equal(draw(6, 8, NOISE), base)
    assert all(float((other == base).double().mean()) < 0.1 for other in others)


def test_moments_of_a_million_draws():
    normal, uniform = fd.ops.normal(1000, 1000, NOISE).double(), fd.ops.uniform(1000, 1000, NOISE)
    assert abs(float(normal.mean())) < 5e-3 and abs(float(normal.std()) - 1) < 5e-3
    assert abs(float(uniform.mean()) - 0.5) < 1.5e-3 and abs(float(uniform.var()) - 1 / 12) < 5e-4
    assert 0 < float(uniform.min()) < 1e-5 and 1 - 1e-5 < float(uniform.max()) < 1


@pytest.mark.needs_cpp
@pytest.mark.parametrize("name", ["cpp_normal", "cpp_uniform"])
def test_opcheck(name):
    draw = draw_of(None, copies=2, row_offset=3, site=1)
    torch.library.opcheck(getattr(torch.ops.fastdaae, name), (NOISE.state, 5, 6, *draw))


@pytest.mark.needs_cpp
@pytest.mark.parametrize("draw", DRAWS)
def test_compiles_without_graph_breaks(draw):
    torch._dynamo.reset()
    call = torch.compile(lambda x: draw(5, 4, NOISE, backend="cpp") + x, fullgraph=True, backend="aot_eager")
    assert torch.equal(call(torch.ones(1)), draw(5, 4, NOISE, backend="cpp") + 1)


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("n must be a whole number >= 0, got -1", lambda: fd.ops.normal(-1, 3, NOISE)),
        ("columns must be a whole number >= 0, got 2.5", lambda: fd.ops.uniform(3, 2.5, NOISE)),
        ("noise must be a fastdaae.Noise", lambda: fd.ops.normal(3, 3, 7)),
        ("copies must be in 1..65536, got 0", lambda: fd.ops.uniform(3, 3, NOISE, copies=0)),
        (r"row_offset must be at most 2\^32 - rows", lambda: fd.ops.normal(3, 3, NOISE, row_offset=2**32)),
        ("site must be in 0..65535", lambda: fd.ops.normal(3, 3, NOISE, site=65536)),
        ("backend='cuda' cannot run normal", lambda: fd.ops.normal(3, 3, NOISE, backend="cuda")),
    ],
)
def test_bad_input_is_one_clear_line(message, call):
    with pytest.raises((TypeError, ValueError, RuntimeError), match=message):
        call()
