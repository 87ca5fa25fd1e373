"""The CUDA half of the extension: where nvcc is found a build without it is a failure, never a skip."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import fastdaae as fd
from fastdaae import backend
from fastdaae.kernels import compiled
from tests import tools


@pytest.mark.needs_cuda_build
def test_where_nvcc_is_found_the_extension_has_its_cuda_kernels():
    assert backend.cuda_build_problem() is None, backend.cuda_build_problem()
    assert compiled.load().cuda_built()


def test_bindings_of_the_cuda_half_compile_without_nvcc():
    """The bindings read the headers of both engines, so that a name which both define stops only this half."""
    setup = tools.load_setup()
    includes = [f"-I{folder}" for folder in setup.include_folders()]
    command = [tools.gxx(), *setup.COMPILE_FLAGS, *includes, "-DFASTDAAE_CUDA", "-fsyntax-only"]
    done = subprocess.run([*command, tools.ROOT / "csrc/python/cuda.cpp"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not Path("/dev/nvidia0").exists(), reason="no CUDA device")
def test_pytorch_sees_the_gpu_that_this_machine_has():
    assert torch.cuda.is_available(), fd.backends()["triton"].detail


@pytest.fixture
def without_cuda_kernels(monkeypatch):
    """An extension without its CUDA half, and the record that setup.py would have written: missing(state, reason)."""
    module = SimpleNamespace(cuda_built=lambda: False, build_info=compiled.load().build_info)

    def missing(state: str | None, reason: str = "") -> None:
        record = {"cuda": {"state": state, "reason": reason}} if state else {}
        monkeypatch.setattr(backend, "BUILD_RECORD", record)

    monkeypatch.setattr(compiled, "load", lambda: module)
    monkeypatch.setitem(sys.modules, "fastdaae._C", module)
    return missing


def nvcc_is_here(monkeypatch, present: bool) -> None:
    found = Path("/opt/cuda/bin/nvcc") if present else None
    monkeypatch.setattr(tools.toolchain(), "find_nvcc", lambda environment: found)


@pytest.mark.needs_cpp
@pytest.mark.parametrize("state", ["failed", "absent", None])
def test_a_missing_half_is_excused_only_without_nvcc(without_cuda_kernels, monkeypatch, state):
    without_cuda_kernels(state, "the reason")
    monkeypatch.setenv("CXX", "")
    nvcc_is_here(monkeypatch, True)
    assert tools.excuse("cuda") is None
    nvcc_is_here(monkeypatch, False)
    assert tools.excuse("cuda") == "no nvcc"


@pytest.mark.needs_cpp
def test_a_half_that_was_refused_is_excused_in_those_words(without_cuda_kernels, monkeypatch):
    without_cuda_kernels("refused", "built without CUDA because FASTDAAE_CUDA=0")
    nvcc_is_here(monkeypatch, True)
    assert tools.excuse("cuda") == "built without CUDA because FASTDAAE_CUDA=0"


def test_an_extension_that_failed_is_excused_only_without_a_compiler(monkeypatch):
    monkeypatch.setattr(backend, "EXTENSION_PROBLEM", "the compiler failed")
    monkeypatch.setattr(backend, "BUILD_RECORD", {"cpp": {"state": "failed", "reason": "the compiler failed"}})
    monkeypatch.delenv("CXX", raising=False)
    tools.gxx()
    assert tools.excuse("cpp") is None
    monkeypatch.setenv("PATH", "")
    assert tools.excuse("cpp") == "no C++ compiler"
    monkeypatch.setattr(backend, "BUILD_RECORD", {"cpp": {"state": "refused", "reason": "FASTDAAE_NO_EXT=1"}})
    assert tools.excuse("cpp") == "the compiler failed"


@pytest.mark.needs_cpp
def test_backends_say_what_the_build_said(without_cuda_kernels):
    without_cuda_kernels("failed", "the CUDA build failed: a.cpp:1:2: error: no such thing: correct that")
    assert fd.backends()["cuda"] == (False, "the CUDA build failed: a.cpp:1:2: error: no such thing: correct that")
    without_cuda_kernels(None)
    assert "no record says why; pip install --force-reinstall" in fd.backends()["cuda"].detail
