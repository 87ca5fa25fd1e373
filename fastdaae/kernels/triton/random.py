"""Addressed normal and uniform numbers in Triton."""

from collections.abc import Callable

import torch
from torch import Tensor

from fastdaae.draw import SCHEMA, Draw
from fastdaae.kernels.registration import operator
from fastdaae.kernels.triton import corruption


def problem(state: Tensor) -> str | None:
    """Why numbers for a noise's state cannot be drawn here, or None."""
    return corruption.problem(state, name="the noise")


def _operator(name: str, dtype: torch.dtype) -> Callable:
    def launch(state, rows, columns, *fields) -> Tensor:
        from fastdaae.kernels.triton.jit import random

        return random.draws(state, rows, columns, Draw(*fields), dtype)

    def fake(state, rows, columns, *fields) -> Tensor:
        return state.new_empty((Draw(*fields).copies, rows, columns), dtype=dtype)

    schema = f"triton_{name}(Tensor state, SymInt rows, SymInt columns, {SCHEMA}) -> Tensor"
    return operator(schema, launch, fake, "CompositeExplicitAutograd")


_normal, _uniform = _operator("normal", torch.float32), _operator("uniform", torch.float64)


def normal(rows: int, columns: int, state: Tensor, draw: Draw) -> Tensor:
    """Standard normal numbers, float32 [copies, rows, columns]; of the draw the address counts, not the corruption."""
    return _normal(state, rows, columns, *draw)


def uniform(rows: int, columns: int, state: Tensor, draw: Draw) -> Tensor:
    """Uniform numbers in (0, 1), exact, float64 [copies, rows, columns]; the draw as for `normal`."""
    return _uniform(state, rows, columns, *draw)
