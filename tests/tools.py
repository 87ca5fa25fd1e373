"""What this machine has to build with, as setup.py finds it: a test skips only for what is truly absent."""

import functools
import importlib
import importlib.util
import os
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from fastdaae import backend
from fastdaae.kernels.compiled import load

ROOT = Path(__file__).resolve().parent.parent


def required() -> set[str]:
    """What FASTDAAE_REQUIRE says must be here."""
    return set(filter(None, os.environ.get("FASTDAAE_REQUIRE", "").split(",")))


@functools.cache
def load_setup() -> ModuleType:
    """setup.py as a module."""
    spec = importlib.util.spec_from_file_location("fastdaae_setup", ROOT / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def toolchain() -> ModuleType:
    """csrc/toolchain.py, which setup.py imports."""
    load_setup()
    return importlib.import_module("toolchain")


def compiled() -> ModuleType:
    """The compiled module, whose functions tests count, replace and choose instruction sets of."""
    return load()


def chromium() -> str:
    """A Chromium that Playwright can drive; skips the test where there is none or no Playwright, unless required."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    problem = "no Chromium" if found is None else None
    if importlib.util.find_spec("playwright") is None:
        problem = "Playwright is not installed"
    if problem and "chromium" not in required():
        pytest.skip(problem)
    assert problem is None, f"FASTDAAE_REQUIRE names chromium: {problem}"
    return found


# what the compiled module tells of itself, which computes nothing of an operator's
_ABOUT = {"build_info", "choose_isa", "cuda_built", "cuda_problem", "device_count", "log_ratio_rows", "neighbor_layout"}


def computing() -> list[str]:
    """The names of the compiled functions that compute."""
    return [name for name in dir(compiled()) if not name.startswith("_") and name not in _ABOUT]


def nvcc() -> str:
    """nvcc as setup.py finds it, whether on PATH or not; skips the test where there is none and none is required."""
    found = toolchain().find_nvcc(os.environ)
    if found is None and "cuda" not in required():
        pytest.skip("no nvcc")
    assert found, "FASTDAAE_REQUIRE names cuda, and there is no nvcc"
    return str(found)


def gxx() -> str:
    """g++; skips the test where there is none and FASTDAAE_REQUIRE does not name cpp."""
    found = shutil.which("g++")
    if found is None and "cpp" not in required():
        pytest.skip("no g++")
    assert found, "FASTDAAE_REQUIRE names cpp, and there is no g++"
    return found


def excuse(part: str) -> str | None:
    """Why the extension may lack its "cpp" or "cuda" half: it was refused, or its compiler is not here; None otherwise.

    A half that is missing although its compiler is here is a failure, and tests that need it must show it.
    """
    present = backend.CPP_PROBLEM is None and (part == "cpp" or load().cuda_built())
    if present:
        return None
    if backend.BUILD_RECORD.get(part, {}).get("state") == "refused":
        return backend.CPP_PROBLEM or backend.cuda_build_problem()
    return None if _compiler_is_here(part) else f"no {'nvcc' if part == 'cuda' else 'C++ compiler'}"


def _compiler_is_here(part: str) -> bool:
    tools = toolchain()
    if part == "cuda" and tools.find_nvcc(os.environ) is None:
        return False
    try:
        tools.find_compiler(os.environ)
    except tools.ExtensionUnavailable as problem:
        return problem.state != "absent"
    return True
