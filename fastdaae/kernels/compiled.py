"""The compiled module, which holds the C++ kernels and, where nvcc was found, the CUDA ones."""

import importlib
from types import ModuleType

import torch  # noqa: F401  before the compiled module, which then shares torch's OpenMP threads

from fastdaae import backend

_compiled = None if backend.CPP_PROBLEM else importlib.import_module("fastdaae._C")


def load() -> ModuleType:
    """The compiled module; raises RuntimeError, with the reason and what to do, where it is missing."""
    if _compiled is None:
        raise RuntimeError(backend.CPP_PROBLEM)
    return _compiled
