"""The first layer on corrupted inputs and the layer averaged over copies; differentiable."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from fastdaae.activation import NONE, Activation
from fastdaae.activation import SCHEMA as ACTIVATION
from fastdaae.draw import PLAIN, Draw
from fastdaae.draw import SCHEMA as DRAW
from fastdaae.kernels import second_derivatives
from fastdaae.kernels.memory import autocast_dtype, memory_problem, rows_of
from fastdaae.kernels.registration import operator
from fastdaae.kernels.triton import corruption

_FIELDS = len(Activation._fields)


def problem(x: Tensor, weight: Tensor, draw: Draw = PLAIN) -> str | None:
    """Why the Triton kernels cannot take a layer of x, corrupted by a draw, or None."""
    found = corruption.problem(x, draw)
    if found is None and weight.device != x.device:
        return f"weight must be on the device of x, {x.device}, got {weight.device}"
    if found is None and weight.dtype == torch.float64:
        return "it computes in float32, and weight is float64"
    return found or memory_problem("weight", weight)


def as_kernel_reads(first: Tensor, *others: Tensor | None) -> tuple[Any, ...]:
    """The tensors contiguous, and under autocast in the dtype that PyTorch's own product would take them in."""
    dtype = autocast_dtype(first)
    return tuple(None if t is None else t.to(dtype or t.dtype).contiguous() for t in (first, *others))


def _corrupted_linear(x, index, state, weight, bias, *fields) -> Tensor:
    from fastdaae.kernels.triton.jit import corrupted_linear

    records = Activation(*fields[:_FIELDS]), Draw(*fields[_FIELDS:])
    return corrupted_linear.corrupted_linear(x, index, state, weight, bias, *records)


def _weight_gradient(grad, y, x, index, state, *fields) -> tuple[Tensor, Tensor]:
    from fastdaae.kernels.triton.jit import corrupted_linear_backward

    records = Activation(*fields[:_FIELDS]), Draw(*fields[_FIELDS:])
    return corrupted_linear_backward.weight_gradient(grad, y, x, index, state, *records)


def _linear_mean(h, weight, bias, *fields) -> Tensor:
    from fastdaae.kernels.triton.jit import linear_mean

    return linear_mean.linear_mean(h, weight, bias, Activation(*fields))


def _linear_mean_backward(grad, h, weight, bias, *fields) -> Tensor:
    from fastdaae.kernels.triton.jit import linear_mean

    return linear_mean.linear_mean_backward(grad, h, weight, bias, Activation(*fields))


def _fake_corrupted_linear(x, index, state, weight, bias, *fields) -> Tensor:
    return weight.new_empty((Draw(*fields[_FIELDS:]).copies, rows_of(x, index), weight.shape[0]))


def _fake_weight_gradient(grad, y, x, *rest) -> tuple[Tensor, Tensor]:
    return y.new_empty((y.shape[2], x.shape[1])), y.new_empty((y.shape[2],))


def _fake_linear_mean(h, weight, *rest) -> Tensor:
    return h.new_empty((h.shape[1], weight.shape[0]))


def _fake_linear_mean_backward(grad, h, weight, *rest) -> Tensor:
    return h.new_empty((h.shape[0], h.shape[1], weight.shape[0]))


_BATCH, _LAYER = "Tensor x, Tensor? index, Tensor state", "Tensor weight, Tensor? bias"
_operator = partial(operator, dispatch="CompositeExplicitAutograd")
_launch_corrupted_linear = _operator(
    f"triton_corrupted_linear({_BATCH}, {_LAYER}, {ACTIVATION}, {DRAW}) -> Tensor",
    _corrupted_linear,
    _fake_corrupted_linear,
)
_launch_weight_gradient = _operator(
    f"triton_weight_gradient(Tensor grad, Tensor y, {_BATCH}, {ACTIVATION}, {DRAW}) -> Tensor[]",
    _weight_gradient,
    _fake_weight_gradient,
)
_launch_linear_mean = _operator(
    f"triton_linear_mean(Tensor h, {_LAYER}, {ACTIVATION}) -> Tensor", _linear_mean, _fake_linear_mean
)
_launch_linear_mean_backward = _operator(
    f"triton_linear_mean_backward(Tensor grad, Tensor h, {_LAYER}, {ACTIVATION}) -> Tensor",
    _linear_mean_backward,
    _fake_linear_mean_backward,
)


class _CorruptedLinear(torch.autograd.Function):
    """The noise is made again for the gradients, x~ is not kept."""

    @staticmethod
    def forward(ctx, x, index, state, weight, bias, activation, draw):
        y = _launch_corrupted_linear(x, index, state, weight, bias, *activation, *draw)
        # the copy of the state is a launch of its own, which a call without gradients need not wait for
        ctx.save_for_backward(x, index, state.clone() if any(ctx.needs_input_grad) else state, weight, y)
        ctx.activation, ctx.draw, ctx.has_bias = activation, draw, bias is not None
        return y

    @staticmethod
    def backward(ctx, grad):
        x, index, state, weight, y = ctx.saved_tensors
        if second_derivatives.are_wanted():
            return _gradients_with_history(grad, y, x, index, state, weight, ctx)
        grad, dx, dw, db = grad.contiguous(), None, None, None
        if ctx.needs_input_grad[0]:
            dx = _input_gradient(grad, y, x, index, state, weight, ctx.activation, ctx.draw)
        if ctx.needs_input_grad[3] or ctx.needs_input_grad[4]:
            dw, db = _launch_weight_gradient(grad, y, x, index, state, *ctx.activation, *ctx.draw)
        return dx, None, None, dw, db if ctx.has_bias else None, None, None


def corrupted_linear(
    x: Tensor,
    index: Tensor | None,
    state: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    activation: Activation,
    draw: Draw,
) -> Tensor:
    """activation(x~ W^T + b) [copies, N, H] for rows of x [R, D] as in `corruption.corrupt`, and weight [H, D].

    The result has the dtype of weight, under autocast autocast's; float32 products are made of three TF32 parts.
    Differentiable in x, weight and bias, to any order.
    """
    weight, bias = as_kernel_reads(weight, bias)
    return _CorruptedLinear.apply(x.contiguous(), index, state, weight, bias, activation, draw)


def _gradients_with_history(grad, y, x, index, state, weight, ctx) -> tuple[Tensor | None, ...]:
    x_tilde = corruption.corrupt(x, index, state, ctx.draw, torch.float32)
    by_copies, dw, db = second_derivatives.gradients_of_layer(grad, y, x_tilde, weight, ctx.activation)
    dx = corruption.input_gradient(by_copies, x, index, state, ctx.draw) if ctx.needs_input_grad[0] else None
    return dx, None, None, dw, db if ctx.has_bias else None, None, None


def _input_gradient(grad, y, x, index, state, weight, activation: Activation, draw: Draw) -> Tensor:
    g = second_derivatives.through_activation(grad, y, activation)
    if draw.passes_all and draw.copies > 1:
        # every copy passes x unchanged: one product for the sum of all
        g, draw = g.sum(0, keepdim=True), draw.of_copies(1)
    return corruption.input_gradient((g.flatten(0, 1) @ weight).unflatten(0, g.shape[:2]), x, index, state, draw)


class _LinearMean(torch.autograd.Function):
    """The activations are made again for the gradients."""

    @staticmethod
    def forward(ctx, h, weight, bias, activation):
        ctx.save_for_backward(h, weight, bias)
        ctx.activation = activation
        return _launch_linear_mean(h, weight, bias, *activation)

    @staticmethod
    def backward(ctx, grad):
        h, weight, bias = ctx.saved_tensors
        if second_derivatives.are_wanted():
            dh, dw, db = second_derivatives.gradients_of_mean(grad, h, weight, bias, ctx.activation)
            return dh, dw, None if bias is None else db, None
        g = _launch_linear_mean_backward(grad.contiguous(), h, weight, bias, *ctx.activation)
        dh = g @ weight if ctx.needs_input_grad[0] else None
        dw = g.flatten(0, 1).T @ h.flatten(0, 1) if ctx.needs_input_grad[1] else None
        db = g.sum((0, 1)) if ctx.needs_input_grad[2] else None
        return dh, dw, db, None


def linear_mean(h: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation) -> Tensor:
    """The mean over M of activation(h W^T + b) [N, Z], h [M, N, K] and weight [Z, K], in the dtype of h or autocast's.

    Without an activation it is the product of the mean. Differentiable in h, weight and bias, to any order.
    """
    if activation == NONE:
        # the mean of one is the one: no pass over it, and no strides that a traced graph has to decide
        return torch.nn.functional.linear(h[0] if h.shape[0] == 1 else h.mean(0), weight, bias)
    h, weight, bias = as_kernel_reads(h, weight, bias)
    return _LinearMean.apply(h, weight, bias, activation)
