"""Whole decode-corrupt-encode chains in C++, in blocks of rows that stay in one core's cache."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from fastdaae.activation import SIGMOID
from fastdaae.draw import PLAIN, SCHEMA, Draw
from fastdaae.kernels.compiled import load
from fastdaae.kernels.cpp import border, corruption, layers
from fastdaae.kernels.memory import autocast_dtype, empty, memory_problem, wants_gradient
from fastdaae.kernels.registration import operator
from fastdaae.noise import require_rows

Layers = Sequence  # of dense stages, each with a `linear` (nn.Linear) and an `activation` (Activation)


def problem(z: Tensor, draw: Draw = PLAIN) -> str | None:
    """Why nothing of a chain from z [N, ...] with a draw can run here, or None."""
    return corruption.problem(z, draw)


def sample_chain_problem(decoder: Layers, encoder: Layers, z: Tensor, draw: Draw = PLAIN) -> str | None:
    """Why whole chains of two networks of dense layers from z, with a draw, cannot run here, or None."""
    if z.dim() != 2 or not (decoder and encoder):
        return "it takes codes in rows, and networks of fully connected layers that nothing observes"
    if autocast_dtype(z) not in (None, torch.bfloat16):
        return f"under autocast it computes in bfloat16, got {autocast_dtype(z)}"
    weights, biases = _parameters(decoder, encoder)
    tensors = [z, *weights, *(bias for bias in biases if bias is not None)]
    if not all(tensor.device.type == "cpu" and tensor.dtype == torch.float32 for tensor in tensors):
        return "it computes in float32 on the CPU"
    # every layer takes what the one before gives, and the networks each other's
    sizes = [z.shape[1], *(weight.shape[0] for weight in weights)]
    fit = all(weight.shape[1] == size for weight, size in zip(weights, sizes, strict=False))
    if not fit or sizes[-1] != sizes[0] or 0 in sizes:
        return "the layers do not fit one another, or have no numbers"
    if draw.kind == "patches" and math.prod(draw.image) != decoder[-1].linear.weight.shape[0]:
        return "patches need the image_shape of what the decoder gives"
    return next(filter(None, (memory_problem("weight", tensor) for tensor in tensors)), None)


def _parameters(decoder: Layers, encoder: Layers) -> tuple[list[Tensor], list[Tensor | None]]:
    linears = [dense.linear for dense in (*decoder, *encoder)]
    return [linear.weight for linear in linears], [linear.bias for linear in linears]


def _launch(z, state, weights, biases, activations, slopes, decoder_layers, half, keep, *fields):
    draw, address = Draw(*fields), border.state_address(state)
    require_rows(draw.row_offset, len(z))  # a traced call could not know its rows
    border.require("z", z, border.FLOAT, 2)
    # held until C++ returns: it sees addresses only
    weights = [weight.contiguous() for weight in weights]
    biases = [None if bias is None else bias.contiguous() for bias in biases]
    inputs = [z.shape[1], *(len(weight) for weight in weights)]
    parts = zip(weights, biases, inputs, activations, slopes, strict=False)
    layers = [border.layer(*part) for part in parts]
    networks = layers[:decoder_layers], layers[decoder_layers:]
    out = empty(len(keep), len(z), len(weights[decoder_layers - 1]), dtype=z.dtype, device=z.device)
    if out.numel():
        chains = (z.data_ptr(), len(z), address, draw, half, list(keep))
        load().sample_chain(*networks, *chains, out.data_ptr(), torch.get_num_threads())
    return out


def _fake(z, state, weights, biases, activations, slopes, decoder_layers, half, keep, *fields):
    return z.new_empty((len(keep), z.shape[0], weights[decoder_layers - 1].shape[0]))


_sample_chain = operator(
    "cpp_sample_chain(Tensor z, Tensor state, Tensor[] weights, Tensor?[] biases, str[] activations, float[] slopes, "
    f"int decoder_layers, bool half, int[] keep, {SCHEMA}) -> Tensor",
    _launch,
    _fake,
)


def sample_chain(
    decoder: Layers, encoder: Layers, z: Tensor, state: Tensor, draw: Draw, keep: tuple[int, ...], *, half: bool
) -> Tensor:
    """The kept x(t) of chains from z [N, Z], [len(keep), N, D]; step t reads the noise of t steps later.

    `half` rounds the factors of products to bf16, and so does autocast, in whose dtype the result then is.
    """
    autocast = autocast_dtype(z)
    weights, biases = _parameters(decoder, encoder)
    activations = [dense.activation for dense in (*decoder, *encoder)]
    words, slopes = [one.name for one in activations], [one.slope for one in activations]
    networks = (weights, biases, words, slopes, len(decoder))
    kept = _sample_chain(z.contiguous(), state, *networks, half or autocast is not None, keep, *draw)
    return kept if autocast is None else kept.to(autocast)


def _launch_end(h, weight, bias, state, keep_clean, *fields):
    draw, address = Draw(*fields), border.state_address(state)
    require_rows(draw.row_offset, len(h))
    border.require("h", h, border.FLOAT, 2)
    layer = border.layer(weight, bias, h.shape[1], *SIGMOID)
    noisy = empty(len(h), len(weight), dtype=h.dtype, device=h.device)
    clean = empty(len(h) if keep_clean else 0, len(weight), dtype=h.dtype, device=h.device)
    if noisy.numel():
        kept = clean.data_ptr() if keep_clean else 0
        where = (kept, noisy.data_ptr(), torch.get_num_threads())
        load().linear_corrupt(h.data_ptr(), len(h), layer, draw, address, False, *where)
    return noisy, clean


def _fake_end(h, weight, bias, state, keep_clean, *fields):
    shape = (h.shape[0], weight.shape[0])
    return h.new_empty(shape), h.new_empty((shape[0] if keep_clean else 0, shape[1]))


_linear_sigmoid_corrupt = operator(
    f"cpp_linear_sigmoid_corrupt(Tensor h, Tensor weight, Tensor? bias, Tensor state, bool keep_clean, {SCHEMA}) "
    "-> (Tensor, Tensor)",
    _launch_end,
    _fake_end,
)


def linear_sigmoid_corrupt(
    h: Tensor, weight: Tensor, bias: Tensor | None, state: Tensor, draw: Draw, keep_clean: bool
) -> tuple[Tensor, Tensor | None]:
    """x~ and x = sigmoid(h W^T + b) (None unless `keep_clean`), [N, D] each, in the dtype of h; differentiable.

    One pass without gradients and in float32: the noise is added while x is in the first-level cache.
    """
    if layers.runs_in_float32(h, weight) and not wants_gradient(h, weight, bias):
        parameters = weight.contiguous(), None if bias is None else bias.float().contiguous()
        x_tilde, x = _linear_sigmoid_corrupt(h.contiguous(), *parameters, state, keep_clean, *draw)
        return x_tilde, x if keep_clean else None
    x = layers.linear(h, weight, bias, SIGMOID)
    x_tilde = corruption.corrupt(x, None, state, draw, x.dtype)[0]
    return x_tilde, x if keep_clean else None
