"""Launcher of the C++ chain kernel: whole decode-corrupt-encode chains in one core's cache."""

import torch
from torch import Tensor

from fastdaae.kernels.extension import _require, _require_state, draw, load
from fastdaae.kernels.memory import empty

ACTIVATIONS = ("none", "relu", "sigmoid")


def sample_chain(
    decoder: list[tuple[Tensor, Tensor | None, str]],
    encoder: list[tuple[Tensor, Tensor | None, str]],
    z: Tensor,
    state: Tensor,
    *,
    corruption: tuple[int, float, float, float],
    half: bool,
    keep: tuple[int, ...],
    row_offset: int,
    site: int,
) -> Tensor:
    """The kept x(t) of chains from z [N, Z], float32 [len(keep), N, D], for layers (weight, bias, activation).

    Step t reads the noise of step state[2] + t, row i that of row_offset + i; `half` rounds the factors of products to
    bf16. Raises ValueError for tensors of another form or layers that do not fit each other.
    """
    _require(z, "z", (torch.float32,), 2)
    _require_state(state)
    networks = [[_contiguous(*layer) for layer in layers] for layers in (decoder, encoder)]
    if z.shape[1] != networks[0][0][0].shape[1]:
        raise ValueError(f"z must have {networks[0][0][0].shape[1]} columns to fit decoder, got {z.shape[1]}")
    pointers = [[_layer(*layer) for layer in layers] for layers in networks]
    out = empty(len(keep), len(z), networks[0][-1][0].shape[0], dtype=z.dtype, device=z.device)
    if out.numel():
        threads = torch.get_num_threads()
        chains = (z.data_ptr(), len(z), state.data_ptr(), draw(*corruption, 1, row_offset, site), half)
        load().sample_chain(*pointers, *chains, list(keep), out.data_ptr(), threads)
    return out


def _contiguous(weight: Tensor, bias: Tensor | None, activation: str) -> tuple[Tensor, Tensor | None, str]:
    return weight.contiguous(), None if bias is None else bias.contiguous(), activation


def _layer(weight: Tensor, bias: Tensor | None, activation: str) -> tuple:
    _require(weight, "weight", (torch.float32,), 2)
    if bias is not None:
        _require(bias, "bias", (torch.float32,), 1)
    outputs, inputs = weight.shape
    return (weight.data_ptr(), "float32"), 0 if bias is None else bias.data_ptr(), inputs, outputs, activation, 0.0
