"""`corrupt`: gather, scaling, addressed noise and M copies in one pass; differentiable."""

import importlib.util
import os

import torch
from torch import Tensor

from fastdaae.draw import PLAIN, SCHEMA, Draw
from fastdaae.kernels import second_derivatives
from fastdaae.kernels.memory import memory_problem, rows_of, wants_gradient
from fastdaae.kernels.registration import operator

# probed once, at import: a probe inside a call could not be traced by torch.compile
_INSTALLED = importlib.util.find_spec("triton") is not None
_LARGEST_IMAGE = 65535
_INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"


def problem(x: Tensor, draw: Draw = PLAIN, *, name: str = "x") -> str | None:
    """Why the Triton kernels cannot take x and a draw, or None."""
    if not _INSTALLED:
        return "triton is not installed; pip install triton"
    if not (x.is_cuda or (_INTERPRETED and x.device.type == "cpu")):
        return f"it runs on a CUDA device, and {name} is on {x.device}"
    if x.dtype == torch.float64:
        return f"it computes in float32, and {name} is float64"
    if draw.kind == "patches" and max(draw.image[-2:], default=0) > _LARGEST_IMAGE:
        return f"it places patches in images of at most {_LARGEST_IMAGE} pixels a side, got {list(draw.image)}"
    return draw.problem or memory_problem(name, x)


def _launch(x, index, state, *fields_and_dtype) -> Tensor:
    from fastdaae.kernels.triton.jit import corruption

    *fields, dtype = fields_and_dtype
    return corruption.corrupt(x, index, state, Draw(*fields), dtype)


def _launch_backward(grad, x, index, state, *fields) -> Tensor:
    from fastdaae.kernels.triton.jit import corruption

    return corruption.corrupt_backward(grad, x, index, state, Draw(*fields))


def _fake(x, index, state, *fields_and_dtype) -> Tensor:
    *fields, dtype = fields_and_dtype
    return x.new_empty((Draw(*fields).copies, rows_of(x, index), x.shape[1]), dtype=dtype)


def _fake_backward(grad, x, *rest) -> Tensor:
    return grad.new_empty(grad.shape[1:], dtype=torch.float32)


_BATCH = f"Tensor x, Tensor? index, Tensor state, {SCHEMA}"
_EVERYWHERE = "CompositeExplicitAutograd"
_corrupt = operator(f"triton_corrupt({_BATCH}, ScalarType dtype) -> Tensor", _launch, _fake, _EVERYWHERE)
_corrupt_backward = operator(
    f"triton_corrupt_backward(Tensor grad, {_BATCH}) -> Tensor", _launch_backward, _fake_backward, _EVERYWHERE
)


class _Corrupt(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, index, state, draw, dtype):
        # the state may have advanced by the time of the backward pass: its noise is that of the forward pass
        ctx.save_for_backward(x, index, state.clone())
        ctx.draw = draw
        return _corrupt(x, index, state, *draw, dtype)

    @staticmethod
    def backward(ctx, grad):
        x, index, state = ctx.saved_tensors
        return input_gradient(grad.contiguous(), x, index, state, ctx.draw), None, None, None, None


def corrupt(x: Tensor, index: Tensor | None, state: Tensor, draw: Draw, dtype: torch.dtype) -> Tensor:
    """x~ [copies, N, D] of the rows index[i] or i of x [R, D] in `dtype`; differentiable in x, to any order.

    A row whose index lies outside x is NaN. Raises ValueError for rows beyond the counter's 2^32.
    """
    x, rounded = x.contiguous(), torch.float32 if dtype == torch.float64 else dtype
    if wants_gradient(x):
        return _Corrupt.apply(x, index, state, draw, rounded).to(dtype)
    return _corrupt(x, index, state, *draw, rounded).to(dtype)


def input_gradient(grad: Tensor, x: Tensor, index: Tensor | None, state: Tensor, draw: Draw) -> Tensor:
    """The gradient by x [R, D], in its dtype, of corrupted copies with the contiguous gradient [copies, N, D]."""
    if second_derivatives.are_wanted():
        return second_derivatives.gradient_through_corruption(grad, x, index, state, draw, _in_float32)
    per_row = _corrupt_backward(grad, x, index, state, *draw)
    if index is not None:
        per_row = torch.zeros(x.shape, dtype=per_row.dtype, device=x.device).index_add_(0, index, per_row)
    return per_row.to(x.dtype)


def _in_float32(x: Tensor, index: Tensor | None, state: Tensor, draw: Draw) -> Tensor:
    return _corrupt(x, index, state, *draw, torch.float32)
