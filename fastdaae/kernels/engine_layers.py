"""Launchers of the engine's layers: torch tensors in, pointers and sizes down, torch tensors out."""

from typing import NamedTuple

import torch
from torch import Tensor

from fastdaae.kernels import extension
from fastdaae.kernels.memory import empty, zeros

_ACTIVATIONS = ("none", "relu", "sigmoid")
_NOWHERE = (0, "float32")
_GRADIENT = {"dtype": torch.float32, "device": "cpu"}
_NO_NOISE = zeros(3, dtype=torch.int64, device="cpu")


class Form(NamedTuple):
    """A layer's activation (0 none, 1 relu, 2 sigmoid), whether its factors are rounded to bf16, its output's dtype."""

    activation: int
    half: bool
    dtype: torch.dtype


def no_noise() -> Tensor:
    """The state [3] that a layer without noise is addressed with."""
    return _NO_NOISE


def _numbers(tensor: Tensor | None, name: str, dimensions: int, dtypes: tuple[torch.dtype, ...]) -> tuple[int, str]:
    if tensor is None:
        return _NOWHERE
    extension._require(tensor, name, dtypes, dimensions)
    return tensor.data_ptr(), extension.word(tensor.dtype)


def _layer(weight: Tensor, bias: Tensor | None, inputs: int, form: Form) -> tuple:
    numbers = _numbers(weight, "weight", 2, (torch.float32, torch.bfloat16))
    _require_shape("weight", weight, (weight.shape[0], inputs))
    if bias is not None:
        _numbers(bias, "bias", 1, (torch.float32,))
        _require_shape("bias", bias, (weight.shape[0],))
    return numbers, 0 if bias is None else bias.data_ptr(), inputs, weight.shape[0], _ACTIVATIONS[form.activation], 0.0


def _require_shape(name: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(tensor.shape) != shape:
        raise ValueError(f"{name} must have the shape {list(shape)} to fit the others, got {list(tensor.shape)}")


def linear(
    x: Tensor, index: Tensor | None, state: Tensor, weight: Tensor, bias: Tensor | None, form: Form, address: tuple
) -> Tensor:
    """activation(x~ W^T + b) [copies, N, H] in form.dtype, x~ the corrupted copies of x [R, D] (float32 or uint8).

    weight is [H, D] float32 or bf16, bias float32 [H] or None; address = (kind, a, low, high, copies, row_offset,
    site) as `extension.corrupt`, with its errors.
    """
    rows, source = extension._source(x, index, state)
    *corruption, copies, row_offset, site = address
    layer = _layer(weight, bias, x.shape[1], form)
    out = empty(copies, rows, weight.shape[0], dtype=form.dtype, device=x.device)
    if out.numel():
        draw, threads = extension.draw(*corruption, copies, row_offset, site), torch.get_num_threads()
        numbers = (out.data_ptr(), extension.word(form.dtype))
        extension.load().linear(source, rows, draw, layer, form.half, numbers, threads)
    return out


def linear_mean(h: Tensor, weight: Tensor, bias: Tensor | None, form: Form, keeps: bool) -> tuple[Tensor, Tensor]:
    """The mean over M of activation(h W^T + b) for h [M, N, K] float32: [N, H], and what the gradients need.

    The second result is [M, N, H], bytes (1 where a rectifier was positive) or the float32 outputs of a sigmoid; empty
    unless `keeps`.
    """
    extension._require(h, "h", (torch.float32,), 3)
    copies, rows, inputs = h.shape
    layer = _layer(weight, bias, inputs, form)
    outputs = weight.shape[0]
    out = empty(rows, outputs, dtype=form.dtype, device=h.device)
    saved_dtype = torch.uint8 if form.activation == 1 else torch.float32
    saved = empty(copies if keeps and form.activation else 0, rows, outputs, dtype=saved_dtype, device=h.device)
    if out.numel():
        kept = (saved.data_ptr(), extension.word(saved_dtype)) if len(saved) else _NOWHERE
        numbers = (out.data_ptr(), extension.word(form.dtype))
        threads = torch.get_num_threads()
        extension.load().linear_mean(h.data_ptr(), rows, copies, layer, form.half, numbers, kept, threads)
    return out, saved


def _gradient(grad: Tensor, saved: Tensor | None, copies: int, form: Form) -> tuple:
    """The gradient before the activation, for grad [copies, N, H], or [N, H] of the mean over the copies."""
    shared = grad.dim() == 2
    rows, outputs = grad.shape[-2:]
    if not shared:
        _require_shape("grad", grad, (copies, rows, outputs))
    numbers = _numbers(grad, "grad", grad.dim(), (torch.float32, torch.bfloat16))
    kept = _NOWHERE
    if form.activation:
        kept = _numbers(saved, "saved", 3, (torch.float32, torch.bfloat16, torch.uint8))
        _require_shape("saved", saved, (copies, rows, outputs))
    scale = 1 / copies if shared else 1.0
    return numbers, kept, _ACTIVATIONS[form.activation], 0.0, shared, scale, copies, rows, outputs


def weight_gradient(
    grad: Tensor, saved: Tensor | None, x: Tensor, index: Tensor | None, state: Tensor, form: Form, address: tuple
) -> tuple[Tensor, Tensor]:
    """Gradients of weight [H, D] and bias [H], float32, of `linear` with the output `saved` [copies, N, H].

    grad is [copies, N, H] like the output; the other arguments and errors as `linear`.
    """
    rows, source = extension._source(x, index, state)
    *corruption, copies, row_offset, site = address
    _require_shape("grad", grad, (copies, rows, grad.shape[-1]))
    draw = extension.draw(*corruption, copies, row_offset, site)
    return _weight_gradient(source, (rows, x.shape[1]), draw, _gradient(grad, saved, copies, form), form.half)


def mean_weight_gradient(grad: Tensor, saved: Tensor, h: Tensor, form: Form) -> tuple[Tensor, Tensor]:
    """Gradients of weight [H, K] and bias [H], float32, of `linear_mean` for grad [N, H]."""
    extension._require(h, "h", (torch.float32,), 3)
    copies, rows, inputs = h.shape
    _require_shape("grad", grad, (rows, grad.shape[-1]))
    source = (h.data_ptr(), "float32", copies * rows, 0, 0)
    draw = extension.draw(0, 0.0, 0.0, 0.0, 1, 0, 0)
    return _weight_gradient(source, (copies * rows, inputs), draw, _gradient(grad, saved, copies, form), form.half)


def _weight_gradient(source: tuple, extent: tuple, draw: tuple, gradient: tuple, half: bool) -> tuple[Tensor, Tensor]:
    outputs = gradient[8]
    if not extent[0] or not outputs:
        return zeros(outputs, extent[1], **_GRADIENT), zeros(outputs, **_GRADIENT)
    dw, db = empty(outputs, extent[1], **_GRADIENT), empty(outputs, **_GRADIENT)
    threads = torch.get_num_threads()
    if extent[1]:
        extension.load().weight_gradient(source, *extent, draw, gradient, half, dw.data_ptr(), db.data_ptr(), threads)
    return dw, db


def input_gradient(
    grad: Tensor, saved: Tensor | None, weight: Tensor, copies: int, form: Form, sums_copies: bool
) -> Tensor:
    """The gradient of the rows that entered: float32 [copies, N, D], or [N, D] summed over the copies.

    grad is [copies, N, H], or [N, H] of the mean over the copies; saved as the forward pass left it.
    """
    gradient = _gradient(grad, saved, copies, form)
    rows, outputs = gradient[7], gradient[8]
    numbers = _numbers(weight, "weight", 2, (torch.float32, torch.bfloat16))
    _require_shape("weight", weight, (outputs, weight.shape[1]))
    shape = (rows, weight.shape[1]) if sums_copies else (copies, rows, weight.shape[1])
    dx = empty(*shape, **_GRADIENT)
    if dx.numel():
        arguments = (gradient, numbers, weight.shape[1], sums_copies, form.half, dx.data_ptr())
        extension.load().input_gradient(*arguments, torch.get_num_threads())
    return dx
