"""The launches of gpu-check's profiler and sanitizers, run by Triton's interpreter: which kernels do they start?"""

import json

import pytest
from gpu_check import launches
from triton.runtime.interpreter import GridExecutor

from tests.gpu_free import ROOT

CUDA = {"neighbors", "log_ratio_moments"}
STARTED = set()


@pytest.fixture(autouse=True)
def started(monkeypatch):
    """Adds the name of every kernel that is launched to STARTED."""
    run = GridExecutor.__call__

    def recorded(executor, *arguments, **options):
        STARTED.add(executor.fn.__name__)
        return run(executor, *arguments, **options)

    monkeypatch.setattr(GridExecutor, "__call__", recorded)


@pytest.mark.parametrize("operation", sorted(set(launches.OPERATIONS) - CUDA))
def test_an_operation_launches(operation):
    before = len(STARTED)
    launches.launch(operation, "small", "cpu")()
    assert len(STARTED) > before


def test_every_triton_kernel_was_launched():
    known = set()
    for path in (ROOT / "results" / "offline").glob("*.json"):
        cases = json.loads(path.read_text()).get("cases", {})
        known |= {kernel["kernel"] for found in cases.values() for kernels in found.values() for kernel in kernels}
    assert known == STARTED
