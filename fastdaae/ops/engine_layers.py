"""The engine's layers behind `encoding.py` and `network.py`: registered operators and their gradients."""

import torch
from torch import Tensor

from fastdaae import reference
from fastdaae.kernels import engine_layers
from fastdaae.kernels.engine_layers import Form
from fastdaae.noise import require_rows
from fastdaae.ops import checks, library_products, second_derivatives
from fastdaae.ops.corruption import _Corrupt, _corrupt, _corrupt_backward, _is_eager, extension_problem

ACTIVATIONS = ("none", "relu", "sigmoid")  # the operators take positions
PLAIN = (0, 0.0, 0.0, 0.0, 1, 0, 0)  # the address of a layer without noise
_ADDRESS = "int kind, float a, float low, float high, int copies, SymInt row_offset, int site"
_BATCH = "Tensor x, Tensor? index, Tensor state"
_LAYER = "Tensor weight, Tensor? bias"
_FORM = "int activation, bool half, ScalarType dtype"
_library = torch.library.Library("fastdaae", "FRAGMENT")
_library.define(f"engine_linear({_BATCH}, {_LAYER}, {_FORM}, {_ADDRESS}) -> Tensor")
_library.define(f"engine_weight_gradient(Tensor grad, Tensor? saved, {_BATCH}, {_FORM}, {_ADDRESS}) -> Tensor[]")
_library.define(f"engine_linear_mean(Tensor h, {_LAYER}, {_FORM}, bool keeps) -> Tensor[]")
_library.define(f"engine_mean_weight_gradient(Tensor grad, Tensor? saved, Tensor h, {_FORM}) -> Tensor[]")
_library.define(
    f"engine_input_gradient(Tensor grad, Tensor? saved, Tensor weight, int copies, {_FORM}, bool sums_copies) -> Tensor"
)


def _linear(x, index, state, weight, bias, activation, half, dtype, *address):
    require_rows(address[5], checks.rows_of(x, index))  # a traced call could not know its rows
    return engine_layers.linear(x, index, state, weight, bias, Form(activation, half, dtype), address)


def _weight_gradient(grad, saved, x, index, state, activation, half, dtype, *address):
    return list(engine_layers.weight_gradient(grad, saved, x, index, state, Form(activation, half, dtype), address))


def _linear_mean(h, weight, bias, activation, half, dtype, keeps):
    return list(engine_layers.linear_mean(h, weight, bias, Form(activation, half, dtype), keeps))


def _mean_weight_gradient(grad, saved, h, activation, half, dtype):
    return list(engine_layers.mean_weight_gradient(grad, saved, h, Form(activation, half, dtype)))


def _input_gradient(grad, saved, weight, copies, activation, half, dtype, sums_copies):
    return engine_layers.input_gradient(grad, saved, weight, copies, Form(activation, half, dtype), sums_copies)


def _fake_linear(x, index, state, weight, bias, activation, half, dtype, kind, a, low, high, copies, row_offset, site):
    rows = x.shape[0] if index is None else index.shape[0]
    return weight.new_empty((copies, rows, weight.shape[0]), dtype=dtype)


def _fake_weight_gradient(grad, saved, x, *rest):
    sizes = ((grad.shape[-1], x.shape[-1]), (grad.shape[-1],))
    return [grad.new_empty(size, dtype=torch.float32) for size in sizes]


def _fake_linear_mean(h, weight, bias, activation, half, dtype, keeps):
    copies, rows, outputs = h.shape[0], h.shape[1], weight.shape[0]
    saved = (copies if keeps and activation else 0, rows, outputs)
    saved_dtype = torch.uint8 if activation == 1 else torch.float32
    return [h.new_empty((rows, outputs), dtype=dtype), h.new_empty(saved, dtype=saved_dtype)]


def _fake_input_gradient(grad, saved, weight, copies, activation, half, dtype, sums_copies):
    shape = (grad.shape[-2], weight.shape[1])
    return grad.new_empty(shape if sums_copies else (copies, *shape), dtype=torch.float32)


_LAUNCHERS = {
    "engine_linear": (_linear, _fake_linear),
    "engine_weight_gradient": (_weight_gradient, _fake_weight_gradient),
    "engine_linear_mean": (_linear_mean, _fake_linear_mean),
    "engine_mean_weight_gradient": (_mean_weight_gradient, _fake_weight_gradient),
    "engine_input_gradient": (_input_gradient, _fake_input_gradient),
}
for _name, (_launch, _fake) in _LAUNCHERS.items():
    _library.impl(_name, _launch, "CPU")
    torch.library.register_fake(f"fastdaae::{_name}", _fake, lib=_library)


def _call(name: str, first: Tensor, *rest):
    """The launcher itself where nothing traces the call, else the registered operator."""
    if _is_eager(first):
        return _LAUNCHERS[name][0](first, *rest)
    return getattr(torch.ops.fastdaae, name).default(first, *rest)


class _CorruptedLinear(torch.autograd.Function):
    """activation(x~ W^T + b) [copies, N, H] for x [R, D]; the noise is made again for the gradients, x~ is not kept."""

    @staticmethod
    def forward(ctx, x, index, state, weight, bias, form, address):
        y = _call("engine_linear", x, index, state, weight, bias, *form, *address)
        # the state may have advanced by the time of the backward pass: its noise is that of the forward pass
        kept = state.clone() if address[0] else engine_layers.no_noise()
        ctx.save_for_backward(x, index, kept, weight, y if form.activation else None)
        ctx.form, ctx.address, ctx.has_bias = form, address, bias is not None
        return y

    @staticmethod
    def backward(ctx, grad):
        x, index, state, weight, y = ctx.saved_tensors
        batch = (x, index, state)
        if second_derivatives.are_wanted():
            return _gradients_with_history(grad, y, batch, weight, ctx)
        grad, dx, dw, db = grad.contiguous(), None, None, None
        before = _before_activation(grad, y, ctx.form, batch, ctx.address, ctx.needs_input_grad)
        if ctx.needs_input_grad[0]:
            dx = _input_gradient_of(grad, y, before, batch, weight, ctx.form, ctx.address)
        if ctx.needs_input_grad[3] or ctx.needs_input_grad[4]:
            dw, db = _weight_gradient_of(grad, y, before, batch, ctx.form, ctx.address)
            dw = dw.to(weight.dtype)
        return dx, None, None, dw, db if ctx.has_bias else None, None, None


def _gradients_with_history(grad, y, batch, weight, ctx) -> tuple[Tensor | None, ...]:
    x_tilde = _Corrupt.apply(*batch, ctx.address)
    by_copies, dw, db = second_derivatives.gradients_of_layer(grad, y, x_tilde, weight, ctx.form.activation)
    dx = None
    if ctx.needs_input_grad[0]:
        dx = second_derivatives.gradient_through_corruption(by_copies, *batch, ctx.address, _corrupt)
    return dx, None, None, dw, db if ctx.has_bias else None, None, None


def _is_plain(batch, address) -> bool:
    x, index, _ = batch
    return address[0] == 0 and address[4] == 1 and index is None and x.dtype == torch.float32


def _library_weight_gradient(grad: Tensor, batch, address) -> bool:
    product = "weight_gradient" if _is_plain(batch, address) else "corrupted_weight_gradient"
    return library_products.faster(product, grad.shape[0] * grad.shape[1])


def _before_activation(grad, y, form, batch, address, needed) -> Tensor | None:
    """The gradient before the activation where one of MKL's products reads it: both then share it."""
    if form.half or not library_products.MKL_MULTIPLIES:
        return None
    for_x = needed[0] and library_products.faster("input_gradient", grad.shape[0] * grad.shape[1])
    for_weight = (needed[3] or needed[4]) and _library_weight_gradient(grad, batch, address)
    return library_products.through_activation(grad, y, form.activation) if for_x or for_weight else None


def _input_gradient_of(grad, y, before, batch, weight, form, address) -> Tensor:
    (x, index, state), kind, copies = batch, address[0], address[4]
    # these corruptions pass every copy's gradient on unchanged, so that one product serves the sum of all
    passes = kind <= 1
    if before is not None and library_products.faster("input_gradient", grad.shape[0] * grad.shape[1]):
        dx = library_products.input_gradient(before, weight, passes)
    else:
        dx = _call("engine_input_gradient", grad, y, weight, copies, *form, passes)
    if not passes:
        dx = _corrupt_backward(dx, x, index, state, *address)
    return dx if index is None else torch.zeros_like(x).index_add_(0, index, dx)


def _weight_gradient_of(grad, y, before, batch, form, address) -> tuple[Tensor, Tensor]:
    if before is None or not _library_weight_gradient(grad, batch, address):
        return _call("engine_weight_gradient", grad, y, *batch, *form, *address)
    x_tilde = batch[0] if _is_plain(batch, address) else _corrupt(*batch, *address).flatten(0, 1)
    return library_products.weight_gradient(before, x_tilde)


class _LinearMean(torch.autograd.Function):
    """The mean over M of activation(h W^T + b), [N, H], for h [M, N, K] float32."""

    @staticmethod
    def forward(ctx, h, weight, bias, form):
        out, saved = _call("engine_linear_mean", h, weight, bias, *form, True)
        ctx.save_for_backward(h, weight, bias, saved if form.activation else None)
        ctx.form = form
        return out

    @staticmethod
    def backward(ctx, grad):
        h, weight, bias, saved = ctx.saved_tensors
        if second_derivatives.are_wanted():
            number = ctx.form.activation
            dh, dw, db = second_derivatives.gradients_of_mean(grad, h, weight, bias, ACTIVATIONS[number], number)
            return dh, dw, None if bias is None else db, None
        grad, dh, dw, db = grad.contiguous(), None, None, None
        if ctx.needs_input_grad[0]:
            dh = _call("engine_input_gradient", grad, saved, weight, h.shape[0], *ctx.form, False)
        if ctx.needs_input_grad[1] or ctx.needs_input_grad[2]:
            dw, db = _call("engine_mean_weight_gradient", grad, saved, h, *ctx.form)
            dw = dw.to(weight.dtype)
        return dh, dw, None if bias is None else db, None


def problem(x: Tensor, weight: Tensor) -> str | None:
    """Why the engine's layers cannot take x [N, ...] and weight, or None."""
    found = extension_problem(x)
    if found is not None:
        return found
    if weight.device != x.device:
        return f"weight must be on the device of x, {x.device}, got {weight.device}"
    if weight.dtype not in (torch.float32, torch.bfloat16):
        return f"it computes in float32 or bfloat16, and weight is {str(weight.dtype).removeprefix('torch.')}"
    if checks.autocast_dtype(x) not in (None, torch.bfloat16):
        return f"under autocast it computes in bfloat16, got {checks.autocast_dtype(x)}"
    return "it needs at least one number a row" if weight.shape[1] == 0 else checks.memory_problem("weight", weight)


def _form(weight: Tensor, activation: str) -> Form:
    half = weight.dtype == torch.bfloat16 or checks.autocast_dtype(weight) == torch.bfloat16
    return Form(ACTIVATIONS.index(activation), half, torch.bfloat16 if half else torch.float32)


def _asks_for_gradient(*tensors: Tensor | None) -> bool:
    return torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors)


def corrupted_linear(
    x: Tensor,
    index: Tensor | None,
    state: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    activation: str,
    address: tuple,
) -> Tensor:
    """activation(x~ W^T + b) [copies, N, H] for x [R, D], in the dtype of weight, under autocast in bf16.

    bf16 rounds x~ and W and sums in float32. address as `PLAIN`: kind, parameter, low, high, copies, row_offset, site.
    """
    form = _form(weight, activation)
    x = (x if x.dtype == torch.uint8 else x.float()).contiguous()
    weight, bias = weight.contiguous(), None if bias is None else bias.float().contiguous()
    if _asks_for_gradient(x, weight, bias):
        return _CorruptedLinear.apply(x, index, state, weight, bias, form, address)
    return _call("engine_linear", x, index, state, weight, bias, *form, *address)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None, activation: str) -> Tensor:
    """activation(x W^T + b) [N, H] for x [N, D], in the dtypes of `corrupted_linear`."""
    return corrupted_linear(x, None, engine_layers.no_noise(), weight, bias, activation, PLAIN)[0]


def linear_mean(h: Tensor, weight: Tensor, bias: Tensor | None, activation: str) -> Tensor:
    """The mean over M of activation(h W^T + b) for h [M, N, K], as [N, H], in the dtypes of `corrupted_linear`."""
    form = _form(weight, activation)
    if not form.half and library_products.faster("mean", h.shape[0] * h.shape[1]):
        return reference.linear_mean(h, weight, bias, activation=activation)
    h, weight, bias = h.float().contiguous(), weight.contiguous(), None if bias is None else bias.float().contiguous()
    if _asks_for_gradient(h, weight, bias):
        return _LinearMean.apply(h, weight, bias, form)
    return _call("engine_linear_mean", h, weight, bias, *form, False)[0]
