"""The Triton decoder end and the replayed chain without a GPU: interpreted, compiled, and with a recorded graph."""

import contextlib

import pytest
import torch

from fastdaae.kernels.triton import chain
from tests.gpu_free import assert_compiles_without_spills, run_interpreted


@pytest.mark.needs_triton
def test_under_the_interpreter():
    run_interpreted("chain_cases")


@pytest.mark.needs_triton
def test_compiles_without_spills():
    assert_compiles_without_spills("linear_sigmoid_corrupt")


class RecordedGraph:
    """A CUDA graph in words: what ran while it was recorded runs again on the same tensors."""

    def replay(self):
        self.result.copy_(self.run(*self.arguments))


@pytest.fixture
def recording(monkeypatch):
    """Makes `torch.cuda.graph` record the calls of the function that the fixture's value wraps."""
    current, recorded = [], []

    @contextlib.contextmanager
    def record(graph, **options):
        current.append(graph)
        yield
        current.pop()

    def wrap(run):
        def call(*arguments):
            result = run(*arguments)
            for graph in current:
                graph.run, graph.arguments, graph.result = run, arguments, result
                recorded.append(graph)
            return result

        return call

    monkeypatch.setattr(torch.cuda, "CUDAGraph", RecordedGraph)
    monkeypatch.setattr(torch.cuda, "graph", record)
    wrap.recorded = recorded
    return wrap


@pytest.mark.parametrize("count", [32, 39])
def test_replays_number_their_rows(recording, count):
    z = torch.randn(count, 3)

    def run(block, first_row):
        rows = first_row + torch.arange(len(block))
        return torch.stack([block * 2, block + rows[:, None]])

    replayed = chain.replayed(recording(run), z, 8)
    assert torch.equal(replayed, run(z, torch.zeros(1, dtype=torch.int64)))
    assert len(recording.recorded) == 1


def test_only_many_rows_on_a_device_are_replayed():
    assert not chain.worthwhile(torch.randn(1000, 1), 8)
