"""The encoder's operators: corruption plus first layer, mean over copies, and Algorithm 2 over them."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from fastdaae import reference
from fastdaae.corruptions import Corruption
from fastdaae.kernels.memory import autocast_dtype
from fastdaae.noise import Noise, Site
from fastdaae.ops import checks, rooms
from fastdaae.ops.algorithm2 import mean_of_encodings
from fastdaae.ops.network import Plan


def corrupted_linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    corruption: Corruption | None,
    noise: Noise,
    *,
    copies: int = 1,
    activation: str = "relu",
    slope: float = 0.01,
    index: Tensor | None = None,
    row_offset: int = 0,
    site: int = Site.RECONSTRUCTION,
    backend: str = "auto",
) -> Tensor:
    """The first layer on corrupted inputs: activation(x~ W^T + b) for M copies of x [N, ...], as [copies, N, H].

    weight is [H, D] with D the flat size of a row, bias [H] or None; activation "relu", "sigmoid", "tanh", "leaky_relu"
    (with `slope` for negative inputs) or "none". The result has the dtype of weight, under autocast autocast's.
    Differentiable in x, weight and bias. Addresses, index and errors as `corrupt`. x~ is made on chip and never
    written, and takes part in the dtype of the result. "cpp" computes in float32 or bf16 (sums in float32); "triton"
    makes float32 products of three TF32 parts.
    """
    index, draw = checks.as_batch(x, corruption, noise, index, copies, row_offset, site)
    through = checks.as_activation(activation, slope, weight, bias, x[:0].flatten(1).shape[1])
    room = rooms.choose("corrupted_linear", backend, "layers", x, weight, draw)
    if room is None:
        how: dict[str, Any] = {"activation": activation, "slope": slope, "index": index, **draw.address}
        return reference.corrupted_linear(x, weight, bias, corruption, noise, **how)
    return room.layers.corrupted_linear(x.flatten(1), index, noise.state, weight, bias, through, draw)


def linear_mean(
    h: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    *,
    activation: str = "relu",
    slope: float = 0.01,
    backend: str = "auto",
) -> Tensor:
    """A layer averaged over copies: the mean over M of activation(h W^T + b) for h [M, N, K], as [N, H].

    Without an activation the mean is taken before the product, where it commutes. Differentiable in h, weight and bias.
    Raises ValueError for shapes that do not fit, TypeError for differing dtypes.
    Source: Creswell and Bharath 2018, Algorithm 2 (line 8).
    """
    checks.require_batch("h", h, floats_only=True)
    if h.dim() != 3 or h.shape[0] < 1:
        raise ValueError(f"h must have the shape [M, N, K] with M >= 1, got {list(h.shape)}")
    if h.dtype != weight.dtype and autocast_dtype(h) is None:
        raise TypeError(f"weight must have the dtype of h, {h.dtype}, got {weight.dtype}; convert one of them")
    through = checks.as_activation(activation, slope, weight, bias, h.shape[2])
    room = rooms.choose("linear_mean", backend, "layers", h, weight)
    if room is None:
        return reference.linear_mean(h, weight, bias, activation=activation, slope=slope)
    return room.layers.linear_mean(h, weight, bias, through)


def encode_mean(
    encoder: Callable[[Tensor], Tensor] | Plan,
    x: Tensor,
    corruption: Corruption | None,
    noise: Noise,
    *,
    copies: int,
    index: Tensor | None = None,
    row_offset: int = 0,
    site: int = Site.MATCHING,
    backend: str = "auto",
) -> Tensor:
    """Algorithm 2: the mean of M encodings of fresh corruptions of x [N, ...], as [N, Z] in the dtype of the encoder.

    The copies go through the encoder as one batch and the mean is taken before a final `nn.Linear` of an
    `nn.Sequential`, both exact; from batch norm in training mode on they go one by one, each normalised by its own
    batch and moving the running statistics, in the order of the copies. The encoder may be a `Plan`. Differentiable in
    x and in the encoder's parameters. Addresses, index and errors as `corrupt`. Source: Creswell and Bharath 2018,
    Algorithm 2.
    """
    index, draw = checks.as_batch(x, corruption, noise, index, copies, row_offset, site)
    room = rooms.choose("encode_mean", backend, "corruption", x, draw)
    if room is None:
        return reference.encode_mean(Plan.of(encoder).on_reference, x, corruption, noise, index=index, **draw.address)
    return mean_of_encodings(Plan.of(encoder), x, index, noise.state, draw, room)
