"""`corrupt` in C++: gather, scaling, addressed noise and M copies in one pass, and its gradient."""

import torch
from torch import Tensor

from fastdaae.draw import PLAIN, SCHEMA, Draw
from fastdaae.kernels import second_derivatives
from fastdaae.kernels.compiled import load
from fastdaae.kernels.cpp import border
from fastdaae.kernels.memory import empty, memory_problem, rows_of, wants_gradient
from fastdaae.kernels.registration import operator
from fastdaae.noise import require_rows

_BATCH = f"Tensor x, Tensor? index, Tensor state, {SCHEMA}"


def problem(x: Tensor, draw: Draw = PLAIN) -> str | None:
    """Why x [N, ...] cannot be corrupted here by a draw, or None."""
    found = border.problem("x", x) or draw.problem
    if found is None and x.dtype == torch.float64:
        return "it computes in float32, and x is float64"
    return found or memory_problem("x", x)


def _launch(x, index, state, *fields):
    draw, source, rows = Draw(*fields), border.source(x, index, state), rows_of(x, index)
    require_rows(draw.row_offset, rows)  # a traced call could not know its rows
    out = empty(draw.copies, rows, x.shape[1], dtype=torch.float32, device=x.device)
    if out.numel():
        load().corrupt(source, rows, x.shape[1], draw, out.data_ptr(), torch.get_num_threads())
    return out


def _launch_backward(grad, x, index, state, *fields):
    draw, source, rows = Draw(*fields), border.source(x, index, state), rows_of(x, index)
    require_rows(draw.row_offset, rows)
    border.require("grad", grad, border.FLOAT, 3)
    border.require_shape("grad", grad, (draw.copies, rows, x.shape[1]))
    dx = empty(rows, x.shape[1], dtype=torch.float32, device=x.device)
    if dx.numel():
        threads = torch.get_num_threads()
        load().corrupt_backward(grad.data_ptr(), source, rows, x.shape[1], draw, dx.data_ptr(), threads)
    return dx


def _fake(x, index, state, *fields):
    return x.new_empty((Draw(*fields).copies, rows_of(x, index), x.shape[1]), dtype=torch.float32)


def _fake_backward(grad, *_):
    return grad.new_empty(grad.shape[1:], dtype=torch.float32)


_corrupt = operator(f"cpp_corrupt({_BATCH}) -> Tensor", _launch, _fake)
_corrupt_backward = operator(f"cpp_corrupt_backward(Tensor grad, {_BATCH}) -> Tensor", _launch_backward, _fake_backward)


def noisy(x: Tensor, index: Tensor | None, state: Tensor, draw: Draw) -> Tensor:
    """x~ float32 [copies, N, D] of contiguous x [R, D] float32 or uint8, without a gradient."""
    return _corrupt(x, index, state, *draw)


def input_gradient(grad: Tensor, x: Tensor, index: Tensor | None, state: Tensor, draw: Draw) -> Tensor:
    """The gradient by x [R, D] of its corrupted copies, whose gradient is [copies, N, D]; with a history if wanted."""
    if second_derivatives.are_wanted():
        return second_derivatives.gradient_through_corruption(grad, x, index, state, draw, noisy)
    return to_source(_corrupt_backward(grad.contiguous(), x, index, state, *draw), x, index)


def to_source(per_row: Tensor, x: Tensor, index: Tensor | None) -> Tensor:
    """Gradients of rows [N, D] added up at the rows of x [R, D] that they come from."""
    return per_row if index is None else torch.zeros_like(x).index_add_(0, index, per_row)


class Corrupted(torch.autograd.Function):
    """x~ [copies, N, D] of x [R, D]."""

    @staticmethod
    def forward(ctx, x, index, state, draw):
        """Arguments as `noisy`."""
        # the state may have advanced by the time of the backward pass: its noise is that of the forward pass
        ctx.save_for_backward(x, index, state.clone())
        ctx.draw = draw
        return noisy(x, index, state, draw)

    @staticmethod
    def backward(ctx, grad):
        """The gradient of x."""
        return input_gradient(grad, *ctx.saved_tensors, ctx.draw), None, None, None


def corrupt(x: Tensor, index: Tensor | None, state: Tensor, draw: Draw, dtype: torch.dtype) -> Tensor:
    """Corrupted copies [copies, N, D] in `dtype` of rows of x [R, D] (uint8 or floating); differentiable in x.

    Raises IndexError for an index outside x, ValueError for rows beyond the counter's.
    """
    x = (x if x.dtype == torch.uint8 else x.float()).contiguous()
    if wants_gradient(x):
        return Corrupted.apply(x, index, state, draw).to(dtype)
    return _corrupt(x, index, state, *draw).to(dtype)
