"""Addressed normal and uniform numbers in C++."""

import torch
from torch import Tensor

from fastdaae.draw import SCHEMA, Draw
from fastdaae.kernels.compiled import load
from fastdaae.kernels.cpp import border
from fastdaae.kernels.memory import empty, memory_problem
from fastdaae.kernels.registration import operator
from fastdaae.noise import require_rows


def problem(state: Tensor) -> str | None:
    """Why numbers for a noise's state cannot be drawn here, or None."""
    return border.problem("the noise", state) or memory_problem("the noise", state)


def _operator(name: str, dtype: torch.dtype):
    def launch(state, rows, columns, *fields):
        draw, address = Draw(*fields), border.state_address(state)
        require_rows(draw.row_offset, rows)
        out = empty(draw.copies, rows, columns, dtype=dtype, device=state.device)
        if out.numel():
            getattr(load(), name)(address, rows, columns, draw, out.data_ptr(), torch.get_num_threads())
        return out

    def fake(state, rows, columns, *fields):
        return state.new_empty((Draw(*fields).copies, rows, columns), dtype=dtype)

    schema = f"cpp_{name}(Tensor state, SymInt rows, SymInt columns, {SCHEMA}) -> Tensor"
    return operator(schema, launch, fake)


_normal, _uniform = _operator("normal", torch.float32), _operator("uniform", torch.float64)
_words = _operator("noise_words", torch.uint32)


def normal(rows: int, columns: int, state: Tensor, draw: Draw) -> Tensor:
    """Standard normal numbers, float32 [copies, rows, columns]."""
    return _normal(state, rows, columns, *draw)


def uniform(rows: int, columns: int, state: Tensor, draw: Draw) -> Tensor:
    """Uniform numbers in (0, 1), exact, float64 [copies, rows, columns]."""
    return _uniform(state, rows, columns, *draw)


def words(rows: int, columns: int, state: Tensor, draw: Draw) -> Tensor:
    """The raw words, int64 [copies, rows, columns] in 0..2^32-1."""
    return _words(state, rows, columns, *draw).to(torch.int64)
