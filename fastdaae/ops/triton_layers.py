"""The Triton layers behind `encoding.py`: registered operators and their gradients."""

import torch
from torch import Tensor

from fastdaae.ops import second_derivatives
from fastdaae.ops.corruption import TritonCorrupt, triton_input_gradient
from fastdaae.ops.library_products import through_activation

ACTIVATIONS = ("none", "relu", "sigmoid")  # the operators take positions
_ADDRESS = "int kind, float a, float low, float high, int copies, SymInt row_offset, int site"
_BATCH = "Tensor x, Tensor? index, Tensor state"
_LAYER = "Tensor weight, Tensor? bias, int activation"
_library = torch.library.Library("fastdaae", "FRAGMENT")
_library.define(f"triton_corrupted_linear({_BATCH}, {_LAYER}, {_ADDRESS}) -> Tensor")
_library.define(f"triton_weight_gradient(Tensor grad, Tensor y, {_BATCH}, int activation, {_ADDRESS}) -> Tensor[]")
_library.define(f"triton_linear_mean(Tensor h, {_LAYER}) -> Tensor")
_library.define(f"triton_linear_mean_backward(Tensor grad, Tensor h, {_LAYER}) -> Tensor")


def _corrupted_linear(x, index, state, weight, bias, activation, *address):
    from fastdaae.kernels import triton_corrupted_linear, triton_source

    draw = triton_source.Draw.of(*address)
    return triton_corrupted_linear.corrupted_linear(x, index, state, weight, bias, draw, activation)


def _weight_gradient(grad, y, x, index, state, activation, *address):
    from fastdaae.kernels import triton_corrupted_linear_backward, triton_source

    draw = triton_source.Draw.of(*address)
    return list(triton_corrupted_linear_backward.weight_gradient(grad, y, x, index, state, draw, activation))


def _linear_mean(h, weight, bias, activation):
    from fastdaae.kernels import triton_linear_mean

    return triton_linear_mean.linear_mean(h, weight, bias, activation)


def _linear_mean_backward(grad, h, weight, bias, activation):
    from fastdaae.kernels import triton_linear_mean

    return triton_linear_mean.linear_mean_backward(grad, h, weight, bias, activation)


def _fake_corrupted_linear(x, index, state, weight, bias, activation, kind, a, low, high, copies, row_offset, site):
    rows = x.shape[0] if index is None else index.shape[0]
    return weight.new_empty((copies, rows, weight.shape[0]))


def _fake_weight_gradient(grad, y, x, *rest):
    return [y.new_empty((y.shape[2], x.shape[1])), y.new_empty((y.shape[2],))]


def _fake_linear_mean(h, weight, bias, activation):
    return h.new_empty((h.shape[1], weight.shape[0]))


def _fake_linear_mean_backward(grad, h, weight, bias, activation):
    return h.new_empty((h.shape[0], h.shape[1], weight.shape[0]))


for _name, _launch, _fake in (
    ("triton_corrupted_linear", _corrupted_linear, _fake_corrupted_linear),
    ("triton_weight_gradient", _weight_gradient, _fake_weight_gradient),
    ("triton_linear_mean", _linear_mean, _fake_linear_mean),
    ("triton_linear_mean_backward", _linear_mean_backward, _fake_linear_mean_backward),
):
    _library.impl(_name, _launch, "CompositeExplicitAutograd")
    torch.library.register_fake(f"fastdaae::{_name}", _fake, lib=_library)


class CorruptedLinear(torch.autograd.Function):
    """activation(x~ W^T + b) [copies, N, H] for x [R, D]; the noise is made again for the gradients, x~ is not kept."""

    @staticmethod
    def forward(ctx, x, index, state, weight, bias, activation, address):
        """Arguments as the registered operator takes them, the address as a tuple."""
        y = torch.ops.fastdaae.triton_corrupted_linear.default(x, index, state, weight, bias, activation, *address)
        ctx.save_for_backward(x, index, state.clone() if any(ctx.needs_input_grad) else state, weight, y)
        ctx.activation, ctx.address, ctx.has_bias = activation, address, bias is not None
        return y

    @staticmethod
    def backward(ctx, grad):
        """Gradients of x, weight and bias, each only where it is needed."""
        x, index, state, weight, y = ctx.saved_tensors
        if second_derivatives.are_wanted():
            return _gradients_with_history(grad, y, x, index, state, weight, ctx)
        grad, dx, dw, db = grad.contiguous(), None, None, None
        if ctx.needs_input_grad[0]:
            dx = _input_gradient(grad, y, x, index, state, weight, ctx.activation, ctx.address)
        if ctx.needs_input_grad[3] or ctx.needs_input_grad[4]:
            launch = torch.ops.fastdaae.triton_weight_gradient.default
            dw, db = launch(grad, y, x, index, state, ctx.activation, *ctx.address)
        return dx, None, None, dw, db if ctx.has_bias else None, None, None


def _gradients_with_history(grad, y, x, index, state, weight, ctx) -> tuple[Tensor | None, ...]:
    x_tilde = TritonCorrupt.apply(x, index, state, ctx.address, torch.float32)
    by_copies, dw, db = second_derivatives.gradients_of_layer(grad, y, x_tilde, weight, ctx.activation)
    dx = triton_input_gradient(by_copies, x, index, state, ctx.address) if ctx.needs_input_grad[0] else None
    return dx, None, None, dw, db if ctx.has_bias else None, None, None


def _input_gradient(grad, y, x, index, state, weight, activation, address) -> Tensor:
    g = through_activation(grad, y, activation)
    kind, copies = address[0], address[4]
    if kind <= 1 and copies > 1:
        # every copy passes x unchanged: one product for the sum of all
        g, address = g.sum(0, keepdim=True), (*address[:4], 1, *address[5:])
    return triton_input_gradient((g.flatten(0, 1) @ weight).unflatten(0, g.shape[:2]), x, index, state, address)


class LinearMean(torch.autograd.Function):
    """The mean over M of activation(h W^T + b), [N, Z]; the activations are made again for the gradients."""

    @staticmethod
    def forward(ctx, h, weight, bias, activation):
        """h [M, N, K] and weight [Z, K] contiguous and of one dtype."""
        ctx.save_for_backward(h, weight, bias)
        ctx.activation = activation
        return torch.ops.fastdaae.triton_linear_mean.default(h, weight, bias, activation)

    @staticmethod
    def backward(ctx, grad):
        """Gradients of h, weight and bias, each only where it is needed."""
        h, weight, bias = ctx.saved_tensors
        if second_derivatives.are_wanted():
            number = ctx.activation
            dh, dw, db = second_derivatives.gradients_of_mean(grad, h, weight, bias, ACTIVATIONS[number], number)
            return dh, dw, None if bias is None else db, None
        launch = torch.ops.fastdaae.triton_linear_mean_backward.default
        g = launch(grad.contiguous(), h, weight, bias, ctx.activation)
        dh = g @ weight if ctx.needs_input_grad[0] else None
        dw = g.flatten(0, 1).T @ h.flatten(0, 1) if ctx.needs_input_grad[1] else None
        db = g.sum((0, 1)) if ctx.needs_input_grad[2] else None
        return dh, dw, db, None
