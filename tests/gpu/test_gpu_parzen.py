"""The Parzen window on a real device: the promise against float64, at sizes that the interpreter cannot reach."""

import pytest
import torch

import fastdaae as fd
from fastdaae.kernels.triton.jit import parzen
from tests.operators.test_parzen import BANDWIDTHS, DATA, direct, require_promise

pytestmark = [pytest.mark.needs_cuda, pytest.mark.needs_triton]


def on_device(queries: torch.Tensor, samples: torch.Tensor, bandwidths=BANDWIDTHS) -> torch.Tensor:
    return fd.ops.parzen_log_density(queries.cuda(), samples.cuda(), bandwidths, backend="triton").cpu()


@pytest.mark.parametrize("kind", DATA)
def test_promise_against_float64(kind):
    queries, samples = DATA[kind]()
    require_promise(on_device(queries, samples), direct(queries, samples, BANDWIDTHS))


@pytest.mark.parametrize(("queries", "samples", "width"), [(1000, 5000, 784), (3, 20_000, 100), (5000, 70, 33)])
def test_promise_at_full_tiles_and_splits(queries, samples, width):
    centers = torch.rand(20, width)
    q, s = (centers[torch.randint(20, (n,))] + 0.05 * torch.randn(n, width) for n in (queries, samples))
    checked = torch.arange(0, queries, max(1, queries // 50))
    require_promise(on_device(q, s)[:, checked], direct(q[checked], s, BANDWIDTHS))


def test_promise_when_lists_overflow(monkeypatch):
    monkeypatch.setattr(parzen, "CAPACITY", 16)
    queries, samples = DATA["duplicates"]()
    require_promise(on_device(queries, samples), direct(queries, samples, BANDWIDTHS))


def test_equal_calls_are_equal_and_auto_is_triton():
    queries, samples = torch.rand(300, 50).cuda(), torch.rand(3000, 50).cuda()
    first = fd.ops.parzen_log_density(queries, samples, BANDWIDTHS)
    assert torch.equal(first, fd.ops.parzen_log_density(queries, samples, BANDWIDTHS, backend="triton"))


def test_registration():
    arguments = (torch.rand(4, 3).cuda(), torch.rand(6, 3).cuda(), torch.tensor([0.1, 1.0]).double().cuda())
    torch.library.opcheck(torch.ops.fastdaae.triton_parzen_log_density.default, arguments)
