"""The Parzen window under Triton's interpreter, through the public operator, against direct float64 differences."""

import math

import pytest
import torch

import fastdaae as fd
from fastdaae.kernels.triton.jit import parzen
from tests.operators.test_parzen import BANDWIDTHS, DATA, direct, require_promise


def ours(queries: torch.Tensor, samples: torch.Tensor, bandwidths=BANDWIDTHS) -> torch.Tensor:
    return fd.ops.parzen_log_density(queries, samples, bandwidths, backend="triton")


@pytest.fixture
def lists(monkeypatch):
    """The numbers of samples that the first pass listed for the second, [splits, Q], call by call."""
    seen, second = [], parzen._direct
    monkeypatch.setattr(parzen, "_direct", lambda p, r, found, *rest: seen.append(found) or second(p, r, found, *rest))
    return seen


@pytest.mark.parametrize("kind", DATA)
def test_promise_against_float64(kind):
    queries, samples = DATA[kind]()
    queries, samples = queries[-12:], samples[-150:]
    require_promise(ours(queries, samples), direct(queries, samples, BANDWIDTHS))


@pytest.mark.parametrize("scale", [1e-20, 1e15])
def test_extreme_units(scale):
    queries, samples = scale * torch.rand(5, 6), scale * torch.rand(70, 6)
    bandwidths = [0.1 * scale, scale]
    require_promise(ours(queries, samples, bandwidths), direct(queries, samples, bandwidths))


@pytest.mark.parametrize("scale", [1e-149, 1e149])
def test_the_ends_of_float64(scale):
    queries, samples = torch.rand(5, 3, dtype=torch.float64), torch.rand(70, 3, dtype=torch.float64)
    computed = ours(scale * queries, scale * samples, [0.1 * scale, scale]) + 3 * math.log(scale)
    require_promise(computed, direct(queries, samples, [0.1, 1.0]))


def test_samples_are_split_and_merged(lists):
    queries, samples = torch.rand(4, 12), torch.rand(250, 12)
    require_promise(ours(queries, samples), direct(queries, samples, BANDWIDTHS))
    assert lists[0].shape == (4, 4)


def test_second_pass_lists_the_few_pairs_that_matter_and_is_needed(lists):
    samples = torch.rand(150, 600) * 3
    queries = samples[:8] + 0.1 * torch.randn(8, 600)
    expected = direct(queries, samples, [0.05])
    require_promise(ours(queries, samples, [0.05]), expected)
    assert int(lists[0].sum(0).min()) >= 1 and int(lists[0].sum(0).max()) < 75
    pairs = parzen._prepare(queries, samples)
    first, *_ = parzen._stream(pairs, torch.full((8,), -math.inf), torch.tensor([200.0]).double())
    first = first - math.log(150) - 600 * math.log(0.05 * math.sqrt(2 * math.pi))
    assert float(((first - expected).abs() - 1e-6 * expected.abs()).max()) > 1e-3


def test_lists_that_overflow_take_the_whole_split(lists, monkeypatch):
    monkeypatch.setattr(parzen, "CAPACITY", 16)
    queries, samples = DATA["duplicates"]()
    queries, samples = queries[:6], torch.cat([samples[:180], samples[:1] + 50])
    require_promise(ours(queries, samples), direct(queries, samples, BANDWIDTHS))
    assert int(lists[0].max()) > 16


def test_large_bandwidths_need_no_second_pass(lists):
    queries, samples = torch.rand(4, 20), torch.rand(100, 20)
    require_promise(ours(queries, samples, [1.0, 2.0]), direct(queries, samples, [1.0, 2.0]))
    assert int(lists[0].max()) == 0


def test_many_bandwidths_and_many_queries_run_in_groups(monkeypatch):
    monkeypatch.setattr(parzen, "QUERIES", 7)
    queries, samples, bandwidths = torch.rand(18, 3), torch.rand(50, 3), torch.logspace(-1, 0, 19).double()
    require_promise(ours(queries, samples, bandwidths), direct(queries, samples, bandwidths))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_and_mixed_dtypes(dtype):
    queries, samples = torch.rand(5, 9).to(dtype), torch.randint(0, 256, (70, 9), dtype=torch.uint8)
    require_promise(ours(queries, samples), direct(queries, samples, BANDWIDTHS))
    require_promise(ours(queries.double(), samples.T.contiguous().T), direct(queries, samples, BANDWIDTHS))


def test_no_queries():
    assert ours(torch.empty(0, 3), torch.rand(5, 3)).shape == (5, 0)


def test_registration():
    arguments = (torch.rand(4, 3), torch.rand(6, 3), torch.tensor([0.1, 1.0]).double())
    torch.library.opcheck(torch.ops.fastdaae.triton_parzen_log_density.default, arguments)
    compiled = torch.compile(ours, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(*arguments), ours(*arguments))


@pytest.mark.parametrize("family", ["sm_80", "sm_90", "sm_100"])
def test_shipped_tiles(monkeypatch, family):
    monkeypatch.setitem(parzen.STREAM, "interpreter", parzen.STREAM[family])
    monkeypatch.setitem(parzen.DIRECT, "interpreter", parzen.DIRECT[family])
    queries, samples = torch.rand(5, 70) * 0.3, torch.rand(140, 70) * 0.3
    require_promise(ours(queries, samples), direct(queries, samples, BANDWIDTHS))
