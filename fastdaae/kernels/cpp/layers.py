"""Layers in C++: corruption and the first layer in one, plain layers, and layers averaged over copies."""

import torch
from torch import Tensor

from fastdaae import reference
from fastdaae.activation import Activation
from fastdaae.draw import PLAIN, Draw
from fastdaae.kernels import second_derivatives
from fastdaae.kernels.cpp import border, corruption, products
from fastdaae.kernels.cpp import layer_launches as launches
from fastdaae.kernels.memory import autocast_dtype, memory_problem, wants_gradient, zeros

_NO_NOISE = zeros(3, dtype=torch.int64, device="cpu")


def problem(x: Tensor, weight: Tensor, draw: Draw = PLAIN) -> str | None:
    """Why a layer of x [N, ...], corrupted by a draw, and weight cannot run here, or None."""
    found = corruption.problem(x, draw)
    if found is not None:
        return found
    if weight.device != x.device:
        return f"weight must be on the device of x, {x.device}, got {weight.device}"
    if weight.dtype not in border.HALF_OR_FLOAT:
        return f"it computes in float32 or bfloat16, and weight is {border.word(weight.dtype)}"
    if autocast_dtype(x) not in (None, torch.bfloat16):
        return f"under autocast it computes in bfloat16, got {autocast_dtype(x)}"
    return "it needs at least one number a row" if weight.shape[1] == 0 else memory_problem("weight", weight)


class _CorruptedLinear(torch.autograd.Function):
    """activation(x~ W^T + b) [copies, N, H] for x [R, D]; the noise is made again for the gradients, x~ is not kept."""

    @staticmethod
    def forward(ctx, x, index, state, weight, bias, activation, half, draw):
        y = launches.linear(x, index, state, weight, bias, *activation, half, *draw)
        # the state may have advanced by the time of the backward pass: its noise is that of the forward pass
        kept = _NO_NOISE if draw.kind == "none" else state.clone()
        ctx.save_for_backward(x, index, kept, weight, None if activation.name == "none" else y)
        ctx.activation, ctx.half, ctx.draw, ctx.has_bias = activation, half, draw, bias is not None
        return y

    @staticmethod
    def backward(ctx, grad):
        x, index, state, weight, y = ctx.saved_tensors
        if second_derivatives.are_wanted():
            dx, dw, db = _gradients_with_history(grad, y, (x, index, state, ctx.draw), weight, ctx)
        else:
            dx, dw, db = _gradients(grad.contiguous(), y, (x, index, state, ctx.draw), weight, ctx)
        return dx, None, None, dw, db if ctx.has_bias else None, None, None, None


def _gradients_with_history(grad, y, batch, weight, ctx) -> tuple[Tensor | None, ...]:
    x_tilde = corruption.Corrupted.apply(*batch)
    by_copies, dw, db = second_derivatives.gradients_of_layer(grad, y, x_tilde, weight, ctx.activation)
    return corruption.input_gradient(by_copies, *batch) if ctx.needs_input_grad[0] else None, dw, db


def _gradients(grad, y, batch, weight, ctx) -> tuple[Tensor | None, ...]:
    for_x, for_weight = ctx.needs_input_grad[0], ctx.needs_input_grad[3] or ctx.needs_input_grad[4]
    rows, plain = grad.shape[0] * grad.shape[1], _is_plain(batch)
    mkl_for_x = for_x and products.mkl_multiplies("input_gradient", rows, ctx.half)
    product = "weight_gradient" if plain else "corrupted_weight_gradient"
    mkl_for_weight = for_weight and products.mkl_multiplies(product, rows, ctx.half)
    # the gradient before the activation, which both of MKL's products share
    before = second_derivatives.through_activation(grad, y, ctx.activation) if mkl_for_x or mkl_for_weight else None
    dx = dw = db = None
    if for_x:
        dx = _input_gradient(grad, y, before if mkl_for_x else None, batch, weight, ctx)
    if before is not None and for_weight and mkl_for_weight:
        x_tilde = batch[0] if plain else corruption.noisy(*batch).flatten(0, 1)
        before = before.flatten(0, -2)
        dw, db = before.T @ x_tilde, before.sum(0)
    elif for_weight:
        dw, db = launches.weight_gradient(grad, y, *batch[:3], *ctx.activation, ctx.half, *ctx.draw)
    return dx, dw if dw is None else dw.to(weight.dtype), db


def _is_plain(batch) -> bool:
    x, index, _, draw = batch
    return draw.kind == "none" and draw.copies == 1 and index is None and x.dtype == torch.float32


def _input_gradient(grad, y, before, batch, weight, ctx) -> Tensor:
    x, index, _, draw = batch
    # these corruptions pass every copy's gradient on unchanged, so that one product serves the sum of all
    if before is None:
        dx = launches.input_gradient(grad, y, weight, *ctx.activation, ctx.half, draw.copies, draw.passes_all)
    elif draw.passes_all:
        dx = (before[0] if draw.copies == 1 else before.sum(0)) @ weight
    else:
        dx = before @ weight
    return corruption.to_source(dx, x, index) if draw.passes_all else corruption.input_gradient(dx, *batch)


class _LinearMean(torch.autograd.Function):
    """The mean over M of activation(h W^T + b), [N, H], for h [M, N, K] float32."""

    @staticmethod
    def forward(ctx, h, weight, bias, activation, half):
        out, saved = launches.linear_mean(h, weight, bias, *activation, half, True)
        ctx.save_for_backward(h, weight, bias, None if activation.name == "none" else saved)
        ctx.activation, ctx.half = activation, half
        return out

    @staticmethod
    def backward(ctx, grad):
        h, weight, bias, saved = ctx.saved_tensors
        if second_derivatives.are_wanted():
            dh, dw, db = second_derivatives.gradients_of_mean(grad, h, weight, bias, ctx.activation)
            return dh, dw, None if bias is None else db, None, None
        grad, form, dh, dw, db = grad.contiguous(), (*ctx.activation, ctx.half), None, None, None
        if ctx.needs_input_grad[0]:
            dh = launches.input_gradient(grad, saved, weight, *form, h.shape[0], False)
        if ctx.needs_input_grad[1] or ctx.needs_input_grad[2]:
            dw, db = launches.weight_gradient(grad, saved, h.flatten(0, 1), None, _NO_NOISE, *form, *PLAIN)
            dw = dw.to(weight.dtype)
        return dh, dw, None if bias is None else db, None, None


def _is_half(weight: Tensor) -> bool:
    return weight.dtype == torch.bfloat16 or autocast_dtype(weight) == torch.bfloat16


def corrupted_linear(
    x: Tensor,
    index: Tensor | None,
    state: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    activation: Activation,
    draw: Draw,
) -> Tensor:
    """activation(x~ W^T + b) [copies, N, H] for x [R, D], in the dtype of weight, under autocast in bf16.

    bf16 rounds x~ and W and sums in float32. Differentiable in x, weight and bias.
    """
    half = _is_half(weight)
    x = (x if x.dtype == torch.uint8 else x.float()).contiguous()
    weight, bias = weight.contiguous(), None if bias is None else bias.float().contiguous()
    if wants_gradient(x, weight, bias):
        return _CorruptedLinear.apply(x, index, state, weight, bias, activation, half, draw)
    return launches.linear(x, index, state, weight, bias, *activation, half, *draw)


def _runs_here(x: Tensor, weight: Tensor) -> bool:
    """Whether C++ can take a plain layer of x [N, D], and is the faster one."""
    half = _is_half(weight) or x.dtype != torch.float32
    return (
        not products.mkl_multiplies("forward", x.shape[0], half)
        and products.packing_pays(x.shape[0], x, weight)
        and x.is_floating_point()
        and (x.dtype == weight.dtype or autocast_dtype(x) is not None)
        and problem(x, weight) is None
    )


def runs_in_float32(x: Tensor, weight: Tensor) -> bool:
    """Whether `linear` computes a plain layer of x [N, D] in C++ and in float32."""
    return x.dtype == torch.float32 and not _is_half(weight) and _runs_here(x, weight)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation) -> Tensor:
    """activation(x W^T + b) [N, H] for x [N, D], in C++ or by PyTorch, whichever is faster and can."""
    if not _runs_here(x, weight):
        return reference.activate(torch.nn.functional.linear(x, weight, bias), activation)
    return corrupted_linear(x, None, _NO_NOISE, weight, bias, activation, PLAIN)[0]


def linear_mean(h: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation) -> Tensor:
    """The mean over M of activation(h W^T + b) for h [M, N, K], as [N, H], in the dtypes of `corrupted_linear`.

    Without an activation the mean is taken before the product, where it commutes.
    """
    if activation.name == "none":
        return linear(mean_of_copies(h), weight, bias, activation)
    half = _is_half(weight)
    if products.mkl_multiplies("mean", h.shape[0] * h.shape[1], half):
        return reference.activate(torch.nn.functional.linear(h, weight, bias), activation).mean(0)
    h, weight, bias = h.float().contiguous(), weight.contiguous(), None if bias is None else bias.float().contiguous()
    if wants_gradient(h, weight, bias):
        return _LinearMean.apply(h, weight, bias, activation, half)
    return launches.linear_mean(h, weight, bias, *activation, half, False)[0]


def mean_of_copies(h: Tensor) -> Tensor:
    """The mean over M of h [M, N, K]."""
    # the mean of one is the one: no pass over it, and no strides that a traced graph has to decide
    return h[0] if h.shape[0] == 1 else h.mean(0)
