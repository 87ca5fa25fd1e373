"""What a machine lacks is skipped visibly, and FASTDAAE_REQUIRE=cpp,cuda,... turns such a skip into a failure."""

import collections
import importlib.util
import os

import pytest
import torch

from fastdaae import backend
from fastdaae.kernels.compiled import load
from fastdaae.kernels.cpp import products
from tests import tools

# the instruction sets of the C++ engine that this processor can run; without an engine the fixture fails
ISAS = ["portable"] if backend.CPP_PROBLEM else load().build_info()["isas"]


def _missing() -> dict[str, str | None]:
    gpu = None if torch.cuda.is_available() else "no CUDA device"
    triton = None if importlib.util.find_spec("triton") else "triton is not installed"
    data = None if os.environ.get("FASTDAAE_DATA") else "FASTDAAE_DATA is not set"
    built = {"cpp": tools.excuse("cpp"), "cuda_build": tools.excuse("cuda")}
    return {**built, "cuda": gpu, "triton": triton, "data": data}


def pytest_collection_modifyitems(items):
    required = tools.required()
    for need, problem in _missing().items():
        if problem is None or need.removesuffix("_build") in required:
            continue
        for item in items:
            if item.get_closest_marker(f"needs_{need}"):
                item.add_marker(pytest.mark.skip(reason=problem))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter):
    """Last of all, how many tests were skipped for each reason."""
    result = yield
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        reasons = collections.Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
        terminalreporter.section("skipped")
        for reason, count in reasons.most_common():
            terminalreporter.write_line(f"{count:5d}  {reason}")
    return result


@pytest.fixture(autouse=True)
def _random_state_is_restored():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


# torch.device as a context remembers torch.empty at its first use, which must not be the one below
with torch.device("meta"):
    torch.empty(0)


@pytest.fixture(autouse=True)
def _uninitialised_memory_is_nan(monkeypatch):
    """torch.empty in library code gives NaN, so that an entry nobody wrote cannot pass by luck."""
    empty = torch.empty

    def poisoned(*args, **kwargs):
        made = empty(*args, **kwargs)
        return made.fill_(float("nan")) if made.is_floating_point() else made

    monkeypatch.setattr(torch, "empty", poisoned)


@pytest.fixture(params=ISAS)
def isa(request, monkeypatch):
    """Runs the test once with every instruction set, and every product in C++."""
    monkeypatch.setattr(products, "MKL_MULTIPLIES", False)
    compiled = load()
    before = compiled.build_info()["isa"]
    compiled.choose_isa(request.param)
    yield request.param
    compiled.choose_isa(before)
