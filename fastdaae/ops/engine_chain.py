"""Whole chains on the engine behind `chain.py`: the registered operator, which a traced graph calls for any rows."""

from collections.abc import Callable

import torch
from torch import Tensor

from fastdaae.corruptions import Corruption
from fastdaae.kernels import engine_chain
from fastdaae.noise import require_rows
from fastdaae.ops import checks
from fastdaae.ops.corruption import _is_eager, encoded
from fastdaae.ops.network import DenseLayer, dense_layers

_library = torch.library.Library("fastdaae", "FRAGMENT")
_library.define(
    "engine_sample_chain(Tensor z, Tensor state, Tensor[] weights, Tensor?[] biases, int[] activations, "
    "int decoder_layers, int kind, float a, float low, float high, bool half, int[] keep, SymInt row_offset, int site) "
    "-> Tensor"
)


def _launch(z, state, weights, biases, activations, decoder_layers, kind, a, low, high, half, keep, row_offset, site):
    require_rows(row_offset, z.shape[0])  # a traced call could not know its rows
    names = [engine_chain.ACTIVATIONS[number] for number in activations]
    layers = list(zip(weights, biases, names, strict=True))
    networks, corruption = (layers[:decoder_layers], layers[decoder_layers:]), (kind, a, low, high)
    address = {"keep": tuple(keep), "row_offset": row_offset, "site": site}
    return engine_chain.sample_chain(*networks, z, state, corruption=corruption, half=half, **address)


def _fake(z, state, weights, biases, activations, decoder_layers, kind, a, low, high, half, keep, row_offset, site):
    return z.new_empty((len(keep), z.shape[0], weights[decoder_layers - 1].shape[0]))


_library.impl("engine_sample_chain", _launch, "CPU")
torch.library.register_fake("fastdaae::engine_sample_chain", _fake, lib=_library)


def networks_for(decoder: Callable, encoder: Callable, z: Tensor) -> tuple[list[DenseLayer], list[DenseLayer]] | None:
    """The layers of both networks where whole chains can run in the engine: plain ones, codes in rows, float32."""
    if z.dim() != 2:
        return None
    if checks.autocast_dtype(z) not in (None, torch.bfloat16):
        return None
    networks = dense_layers(decoder), dense_layers(encoder)
    if networks[0] is None or networks[1] is None:
        return None
    layers = [*networks[0], *networks[1]]
    tensors = [z, *(tensor for layer in layers for tensor in layer[:2] if tensor is not None)]
    numbers = all(tensor.device.type == "cpu" and tensor.dtype == torch.float32 for tensor in tensors)
    readable = all(checks.memory_problem("weight", tensor) is None for tensor in tensors)
    return networks if numbers and readable and all(layer.weight.numel() for layer in layers) else None


def sample_chain(
    networks: tuple[list[DenseLayer], list[DenseLayer]],
    z: Tensor,
    state: Tensor,
    corruption: Corruption | None,
    *,
    half: bool,
    keep: tuple[int, ...],
    row_offset: int,
    site: int,
) -> Tensor:
    """The kept x(t) of chains from z [N, Z], [len(keep), N, D]; under autocast in bf16, as PyTorch's products are."""
    decoder, encoder = networks
    layers, autocast = [*decoder, *encoder], checks.autocast_dtype(z)
    kept = (_launch if _is_eager(z) else torch.ops.fastdaae.engine_sample_chain.default)(
        z.contiguous(),
        state,
        [layer.weight for layer in layers],
        [layer.bias for layer in layers],
        [engine_chain.ACTIVATIONS.index(layer.activation) for layer in layers],
        len(decoder),
        *encoded(corruption),
        half or autocast is not None,
        list(keep),
        row_offset,
        site,
    )
    return kept if autocast is None else kept.to(autocast)
