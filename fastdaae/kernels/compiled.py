"""The compiled module, which holds the C++ kernels and, where nvcc was found, the CUDA ones."""

import importlib
from types import ModuleType
from typing import NamedTuple

import torch  # noqa: F401  before the compiled module, which then shares torch's OpenMP threads

from fastdaae import backend

_compiled = None if backend.CPP_PROBLEM else importlib.import_module("fastdaae._cpp")


class Progress(NamedTuple):
    """How far the C++ operator is that began last among those at work: `done` of `total` units, such as "queries"."""

    unit: str
    done: int
    total: int
    seconds: float  # since it began


def load() -> ModuleType:
    """The compiled module; raises RuntimeError, with the reason and what to do, where it is missing."""
    if _compiled is None:
        raise RuntimeError(backend.CPP_PROBLEM)
    return _compiled


def progress() -> Progress | None:
    """How far a Parzen window, a neighbour search or a run of whole chains in C++ is; None where none is at work."""
    found = None if _compiled is None else _compiled.progress()
    return None if found is None else Progress(*found)
