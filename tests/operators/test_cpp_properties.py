"""Every operator of the C++ engine, with every instruction set of this processor, against the reference.

Shapes, strides and values are drawn at random: odd sizes, views of larger tensors, off-centre data, duplicates.
"""

import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fastdaae as fd
from fastdaae import reference
from tests import tools

pytestmark = pytest.mark.needs_cpp
UNIT = 2.0**-24  # half a unit in the last place of 1 in float32

CORRUPTIONS = [
    None,
    fd.corruptions.Gaussian(0.0),
    fd.corruptions.Gaussian(0.5),
    fd.corruptions.Gaussian(0.5, clip=(0.0, 1.0)),
    fd.corruptions.Masking(0.3),
    fd.corruptions.SaltAndPepper(0.3),
]

sizes = st.one_of(st.integers(1, 40), st.sampled_from([63, 64, 65, 127, 128, 129, 200]))
several = settings(
    max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def matrices(draw, rows=sizes, columns=sizes, kinds=("unit", "off-centre", "duplicates", "bytes", "wide range")):
    """A matrix [rows, columns] of one kind of values, contiguous or a view of a larger one."""
    rows, columns, kind = draw(rows), draw(columns), draw(st.sampled_from(kinds))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    row_step, column_step, shift = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(0, 3))
    whole = torch.rand(rows * row_step, columns * column_step + shift, generator=generator)
    if kind == "off-centre":
        whole += 1e4
    if kind == "wide range":
        whole = (whole - 0.5) * torch.exp(8 * torch.rand(len(whole), 1, generator=generator) - 4)
    if kind == "bytes":
        whole = (whole * 256).to(torch.uint8)
    if kind == "duplicates":
        whole = whole[torch.randint(0, max(1, len(whole) // 3), (len(whole),), generator=generator)]
    return whole[::row_step, shift::column_step]


@st.composite
def draws(draw, rows: int):
    """The keyword arguments of a corruption of a matrix with so many rows."""
    chosen = {"copies": draw(st.integers(1, 4)), "row_offset": draw(st.sampled_from([0, 1, 2**32 - 1000]))}
    if draw(st.booleans()):
        chosen["index"] = torch.tensor(draw(st.lists(st.integers(0, rows - 1), max_size=30)), dtype=torch.int64)
    return chosen


@several
@given(data=st.data(), x=matrices(), corruption=st.sampled_from(CORRUPTIONS), seed=st.integers(0, 2**63 - 1))
def test_corrupt(isa, data, x, corruption, seed):
    noise, address = fd.Noise(seed), data.draw(draws(len(x)))
    found = fd.ops.corrupt(x, corruption, noise, backend="cpp", **address)
    expected = reference.corrupt(x, corruption, noise, **address)
    assert found.shape == expected.shape and found.dtype == expected.dtype
    # normals agree to 5e-6, and one rounding of the sum
    assert bool(((found - expected).abs() <= 0.5 * 5e-6 + 2 * UNIT * expected.abs()).all())
    if not isinstance(corruption, fd.corruptions.Gaussian) or corruption.sigma == 0:
        assert torch.equal(found, expected)


def activated(wide: torch.Tensor, found: torch.Tensor, activation: str, tolerance: float) -> torch.Tensor:
    """The layer's sums through its activation, in float64; only where rounding decides on which side of a rectifier's
    kink a sum lies, on the side of `found`."""
    if activation != "relu":
        return torch.sigmoid(wide) if activation == "sigmoid" else wide
    passes = torch.where(wide.detach().abs() <= tolerance, found > 0, wide > 0)
    return torch.where(passes, wide, 0.0 * wide)


@several
@given(
    data=st.data(),
    x=matrices(),
    outputs=sizes,
    corruption=st.sampled_from(CORRUPTIONS),
    activation=st.sampled_from(["relu", "sigmoid", "none"]),
    biased=st.booleans(),
)
def test_corrupted_linear_and_its_gradients(isa, data, x, outputs, corruption, activation, biased):
    require_layer(x, outputs, corruption, activation, biased, data.draw(draws(len(x))))


def require_layer(x, outputs, corruption, activation, biased, address) -> None:
    """`corrupted_linear` and its gradients on the engine, to rounding those of float64 on the engine's own x~."""
    noise = fd.Noise(3)
    weight, bias = torch.randn(outputs, x.shape[1]) / math.sqrt(x.shape[1]), torch.randn(outputs) if biased else None
    x = x if x.dtype == torch.uint8 else x.clone()
    arguments = [t for t in (x, weight, bias) if t is not None and t.is_floating_point()]
    for tensor in arguments:
        tensor.requires_grad_(True)
    found = fd.ops.corrupted_linear(x, weight, bias, corruption, noise, activation=activation, backend="cpp", **address)
    # on the engine's own x~, so that what differs is the layer alone
    x_tilde = fd.ops.corrupt(x, corruption, noise, backend="cpp", **address)
    wide = x_tilde.double() @ weight.double().T + (0.0 if bias is None else bias.double())
    product = x_tilde.detach().abs().double() @ weight.detach().abs().double().T
    largest = product.max() if found.numel() else torch.zeros(())
    tolerance = float(largest + 1) * UNIT * (8 + x.shape[1] / 4)
    expected = activated(wide, found, activation, tolerance)
    assert float((found - expected).detach().abs().max() if found.numel() else 0) <= tolerance
    probe = torch.randn(found.shape)
    gradients = torch.autograd.grad((found * probe).sum(), arguments)
    exact = torch.autograd.grad((expected * probe).sum(), arguments)
    for ours, theirs in zip(gradients, exact, strict=True):
        scale = max(1.0, float(x_tilde.detach().abs().max()) if x_tilde.numel() else 0.0) * math.sqrt(1 + probe.numel())
        assert float((ours - theirs).abs().max() if ours.numel() else 0) <= 64 * UNIT * scale * (1 + float(largest))


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "none"])
def test_an_engine_that_writes_zeros_is_found_out(monkeypatch, activation):
    require_layer(torch.rand(20, 30), 40, None, activation, True, {})
    monkeypatch.setattr(tools.compiled(), "linear", lambda *arguments: None)
    monkeypatch.setattr(torch, "empty", torch.zeros)
    with pytest.raises(AssertionError):
        require_layer(torch.rand(20, 30), 40, None, activation, True, {})


@several
@given(
    x=matrices(kinds=("unit", "off-centre", "wide range")),
    copies=st.integers(1, 4),
    outputs=sizes,
    activation=st.sampled_from(["relu", "sigmoid", "none"]),
)
def test_linear_mean(isa, x, copies, outputs, activation):
    weight, bias = torch.randn(outputs, x.shape[1]) / math.sqrt(x.shape[1]), torch.randn(outputs)
    h = torch.stack([x * (1 + copy) for copy in range(copies)])
    found = fd.ops.linear_mean(h, weight, bias, activation=activation, backend="cpp")
    expected = reference.linear_mean(h.double(), weight.double(), bias.double(), activation=activation)
    largest = float((h.abs().double() @ weight.abs().double().T).max())
    assert float((found - expected).abs().max()) <= (largest + 1) * UNIT * (8 + x.shape[1] / 4)


@several
@given(
    widths=st.lists(sizes, min_size=2, max_size=4),
    rows=sizes,
    corruption=st.sampled_from(CORRUPTIONS),
    keep=st.sets(st.integers(0, 3), min_size=1),
    seed=st.integers(0, 2**63 - 1),
)
def test_sample_chain(isa, widths, rows, corruption, keep, seed):
    decoder, encoder = fd.networks.mlp(widths, output="sigmoid"), fd.networks.mlp(widths[::-1])
    z, noise, choices = torch.randn(rows, widths[0]), fd.Noise(seed), {"steps": 3, "keep": tuple(sorted(keep))}
    found = fd.ops.sample_chain(decoder, encoder, z, corruption, noise, backend="cpp", **choices)
    networks = decoder.double(), encoder.double()
    expected = reference.sample_chain(*networks, z.double(), corruption, noise, **choices)
    assert found.shape == expected.shape
    assert float((found - expected).abs().max()) <= 5e-6


@several
@given(data=st.data(), samples=matrices(), count=sizes, sizes_of_h=st.integers(1, 20))
def test_parzen_keeps_its_promise(isa, data, samples, count, sizes_of_h):
    queries = data.draw(matrices(rows=st.just(count), columns=st.just(samples.shape[1])))
    bandwidths = torch.logspace(math.log10(0.05), math.log10(2), sizes_of_h, dtype=torch.float64)
    found = fd.ops.parzen_log_density(queries, samples, bandwidths, backend="cpp")
    expected = _direct_log_density(queries, samples, bandwidths)
    assert found.dtype == torch.float64
    assert float(((found - expected).abs() - 1e-6 * expected.abs()).max()) <= 1e-3


def _direct_log_density(queries, samples, bandwidths):
    q, s = reference.as_double(queries), reference.as_double(samples)
    distances = torch.cdist(q, s, compute_mode="donot_use_mm_for_euclid_dist").square()
    sums = torch.logsumexp(-distances / (2 * bandwidths[:, None, None] ** 2), 2)
    return sums - math.log(len(s)) - s.shape[1] * torch.log(bandwidths * math.sqrt(2 * math.pi))[:, None]


@several
@given(data=st.data(), points=matrices(rows=st.integers(2, 90)))
def test_neighbors_are_those_of_float64(isa, data, points):
    queries = data.draw(st.none() | matrices(columns=st.just(points.shape[1])))
    k = data.draw(st.integers(1, len(points) - (queries is None)))
    found = fd.ops.nearest_neighbors(points, k, queries, backend="cpp")
    # bytes are compared exactly, as whole numbers: quotients would break their ties
    unit = 1.0
    if points.dtype == torch.uint8 and (queries is None or queries.dtype == torch.uint8):
        p, unit = points.double(), 255.0
        q = p if queries is None else queries.double()
    else:
        p = reference.as_double(points)
        q = p if queries is None else reference.as_double(queries)
    distances = torch.stack([(row - p).square().sum(1) for row in q])
    if queries is None:
        distances.fill_diagonal_(math.inf)
    own = distances.gather(1, found.indices)
    kth = distances.sort(dim=1).values[:, :k]
    # sums of squares in another order differ by roundings of float64: only such near ties may change places
    assert torch.allclose(own, kth, rtol=1e-12, atol=0)
    assert all(len(set(row.tolist())) == k for row in found.indices)
    assert torch.allclose(found.distances.double(), kth.sqrt() / unit, rtol=1e-6, atol=0)
    ties = own[:, 1:] == own[:, :-1]
    assert bool((found.indices.diff(dim=1)[ties] > 0).all())
