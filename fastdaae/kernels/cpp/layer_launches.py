"""The registered operators of `layers`: tensors down to C++, and new tensors up."""

import torch

from fastdaae import activation as activations
from fastdaae import draw as draws
from fastdaae.draw import Draw
from fastdaae.kernels.compiled import load
from fastdaae.kernels.cpp import border
from fastdaae.kernels.memory import empty, rows_of, zeros
from fastdaae.kernels.registration import operator
from fastdaae.noise import require_rows

_BATCH = "Tensor x, Tensor? index, Tensor state"
_LAYER = "Tensor weight, Tensor? bias"
_FORM = f"{activations.SCHEMA}, bool half"
_GRADIENT = {"dtype": torch.float32, "device": "cpu"}
_RECTIFIERS = ("relu", "leaky_relu")


def _output_dtype(half: bool) -> torch.dtype:
    return torch.bfloat16 if half else torch.float32


def _saved_dtype(activation: str) -> torch.dtype:
    """Of what the gradient of a mean needs of every member: where a rectifier was positive, or the outputs."""
    return torch.uint8 if activation in _RECTIFIERS else torch.float32


def _linear(x, index, state, weight, bias, activation, slope, half, *fields):
    draw, source, rows = Draw(*fields), border.source(x, index, state), rows_of(x, index)
    require_rows(draw.row_offset, rows)  # a traced call could not know its rows
    layer = border.layer(weight, bias, x.shape[1], activation, slope)
    out = empty(draw.copies, rows, weight.shape[0], dtype=_output_dtype(half), device=x.device)
    if out.numel():
        numbers = border.numbers("out", out, border.HALF_OR_FLOAT, 3)
        load().linear(source, rows, draw, layer, half, numbers, torch.get_num_threads())
    return out


def _fake_linear(x, index, state, weight, bias, activation, slope, half, *fields):
    return weight.new_empty((Draw(*fields).copies, rows_of(x, index), weight.shape[0]), dtype=_output_dtype(half))


def _linear_mean(h, weight, bias, activation, slope, half, keeps):
    """[N, H], and [M, N, H] of what the gradients need, bytes or float32, which is empty unless it `keeps`."""
    border.require("h", h, border.FLOAT, 3)
    copies, rows, inputs = h.shape
    layer = border.layer(weight, bias, inputs, activation, slope)
    out = empty(rows, weight.shape[0], dtype=_output_dtype(half), device=h.device)
    members = copies if keeps and activation != "none" else 0
    saved = empty(members, *out.shape, dtype=_saved_dtype(activation), device=h.device)
    if out.numel():
        kept = (saved.data_ptr(), border.word(saved.dtype)) if members else border.NOWHERE
        numbers = border.numbers("out", out, border.HALF_OR_FLOAT, 2)
        load().linear_mean(h.data_ptr(), rows, copies, layer, half, numbers, kept, torch.get_num_threads())
    return [out, saved]


def _fake_linear_mean(h, weight, bias, activation, slope, half, keeps):
    shape = (h.shape[1], weight.shape[0])
    members = h.shape[0] if keeps and activation != "none" else 0
    saved = h.new_empty((members, *shape), dtype=_saved_dtype(activation))
    return [h.new_empty(shape, dtype=_output_dtype(half)), saved]


def _gradient(grad, saved, activation, slope, copies) -> tuple:
    """The gradient before the activation, for grad [copies, N, H], or [N, H] of the mean over the copies."""
    shared = grad.dim() == 2
    rows, outputs = grad.shape[-2:]
    if not shared:
        border.require_shape("grad", grad, (copies, rows, outputs))
    numbers, kept = border.numbers("grad", grad, border.HALF_OR_FLOAT, grad.dim()), border.NOWHERE
    if activation != "none":
        kept = border.numbers("saved", saved, (*border.HALF_OR_FLOAT, torch.uint8), 3)
        border.require_shape("saved", saved, (copies, rows, outputs))
    return numbers, kept, activation, slope, shared, 1 / copies if shared else 1.0, copies, rows, outputs


def _weight_gradient(grad, saved, x, index, state, activation, slope, half, *fields):
    """Of weight [H, D] and bias [H], for grad [copies, N, H], or [N, H] of the mean over x [copies * N, D]."""
    draw, source, rows, columns = Draw(*fields), border.source(x, index, state), rows_of(x, index), x.shape[1]
    outputs, shared = grad.shape[-1], grad.dim() == 2
    if not rows or not outputs:
        return [zeros(outputs, columns, **_GRADIENT), zeros(outputs, **_GRADIENT)]
    copies = rows // max(1, len(grad)) if shared else draw.copies
    border.require_shape("grad", grad, (rows // copies, outputs) if shared else (copies, rows, outputs))
    gradient = _gradient(grad, saved, activation, slope, copies)
    dw, db = empty(outputs, columns, **_GRADIENT), empty(outputs, **_GRADIENT)
    if columns:
        where = (dw.data_ptr(), db.data_ptr(), torch.get_num_threads())
        load().weight_gradient(source, rows, columns, draw, gradient, half, *where)
    return [dw, db]


def _fake_weight_gradient(grad, saved, x, *_):
    sizes = ((grad.shape[-1], x.shape[-1]), (grad.shape[-1],))
    return [grad.new_empty(size, dtype=torch.float32) for size in sizes]


def _input_gradient(grad, saved, weight, activation, slope, half, copies, sums_copies):
    """Of the rows that entered, [copies, N, D], or [N, D] summed over the copies."""
    gradient = _gradient(grad, saved, activation, slope, copies)
    rows, outputs = grad.shape[-2:]
    numbers = border.numbers("weight", weight, border.HALF_OR_FLOAT, 2)
    border.require_shape("weight", weight, (outputs, weight.shape[1]))
    shape = (rows, weight.shape[1]) if sums_copies else (copies, rows, weight.shape[1])
    dx = empty(*shape, **_GRADIENT)
    if dx.numel():
        threads = torch.get_num_threads()
        load().input_gradient(gradient, numbers, weight.shape[1], sums_copies, half, dx.data_ptr(), threads)
    return dx


def _fake_input_gradient(grad, saved, weight, activation, slope, half, copies, sums_copies):
    shape = (grad.shape[-2], weight.shape[1])
    return grad.new_empty(shape if sums_copies else (copies, *shape), dtype=torch.float32)


linear = operator(f"cpp_linear({_BATCH}, {_LAYER}, {_FORM}, {draws.SCHEMA}) -> Tensor", _linear, _fake_linear)
linear_mean = operator(
    f"cpp_linear_mean(Tensor h, {_LAYER}, {_FORM}, bool keeps) -> Tensor[]", _linear_mean, _fake_linear_mean
)
weight_gradient = operator(
    f"cpp_weight_gradient(Tensor grad, Tensor? saved, {_BATCH}, {_FORM}, {draws.SCHEMA}) -> Tensor[]",
    _weight_gradient,
    _fake_weight_gradient,
)
input_gradient = operator(
    f"cpp_input_gradient(Tensor grad, Tensor? saved, Tensor weight, {_FORM}, int copies, bool sums_copies) -> Tensor",
    _input_gradient,
    _fake_input_gradient,
)
