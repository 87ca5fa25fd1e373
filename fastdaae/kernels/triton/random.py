"""Addressed draws: standard normal and uniform numbers."""

import torch
from torch import Tensor

from fastdaae.draw import SCHEMA, Draw
from fastdaae.kernels.registration import operator
from fastdaae.kernels.triton import corruption


def problem(state: Tensor) -> str | None:
    """Why the Triton kernels cannot draw for a noise state, or None."""
    return corruption.problem(state, "noise")


def _launch(state, rows, columns, dtype, *fields) -> Tensor:
    from fastdaae.kernels.triton.jit import random

    return random.draws(state, rows, columns, Draw(*fields), dtype)


def _fake(state, rows, columns, dtype, *fields) -> Tensor:
    return state.new_empty((Draw(*fields).copies, rows, columns), dtype=dtype)


_draws = operator(
    f"triton_draws(Tensor state, SymInt rows, SymInt columns, ScalarType dtype, {SCHEMA}) -> Tensor",
    _launch,
    _fake,
    "CompositeExplicitAutograd",
)


def normal(rows: int, columns: int, state: Tensor, draw: Draw) -> Tensor:
    """Standard normal numbers, float32 [copies, rows, columns]; of the draw the address counts, not the corruption."""
    return _draws(state, rows, columns, torch.float32, *draw)


def uniform(rows: int, columns: int, state: Tensor, draw: Draw) -> Tensor:
    """Uniform numbers (word + 1/2) 2^-32, exact, float64 [copies, rows, columns]; the draw as for `normal`."""
    return _draws(state, rows, columns, torch.float64, *draw)
