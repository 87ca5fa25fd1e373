"""`parzen_log_density`: the Parzen-window log-density of many queries under all bandwidths in one pass."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from fastdaae import reference
from fastdaae.arguments import is_number
from fastdaae.kernels.memory import empty_densities
from fastdaae.kernels.registration import operator
from fastdaae.ops import checks, rooms

# registered, since a traced graph cannot hold loops that depend on the data
_reference = operator(
    "parzen_log_density(Tensor queries, Tensor samples, Tensor bandwidths) -> Tensor",
    reference.parzen_log_density,
    empty_densities,
    "CompositeExplicitAutograd",
)


@torch.no_grad()
def parzen_log_density(
    queries: Tensor | np.ndarray,
    samples: Tensor | np.ndarray,
    bandwidths: Tensor | np.ndarray | Sequence[float],
    *,
    backend: str = "auto",
) -> Tensor:
    """log p(q) = logsumexp_i(-|q - s_i|^2 / 2h^2) - log N - D log(h sqrt(2 pi)) for every bandwidth h, as [B, Q].

    queries [Q, D] and samples [N, D] are uint8 (value / 255, exactly: not rounded to float32) or floating and finite,
    in the same units as the bandwidths [B]: tensors, or arrays and memory maps, read-only ones too. On the CPU C++
    reads uint8, float32 and float64 in C order as they are, block by block, and makes no copy, so that they may be
    larger than memory. The result is in nats, float64; a log-density, so it may be positive. Within 1e-3 + 1e-6
    |log p| nats of float64 for D to 12288 and h from 0.05 to 2. A running (nearest, sum) per query and bandwidth; a Q x
    N matrix never exists. Not differentiable. Raises TypeError for what is no array of numbers, ValueError for empty or
    non-finite sets, magnitudes beyond 1e150 / sqrt(D), widths that differ, or bandwidths outside 1e-150..1e150,
    RuntimeError for a named backend that cannot run. Source: Creswell and Bharath 2018, section VI-B.
    """
    _require_order(samples, bandwidths)
    queries, samples = checks.as_tensor("queries", queries), checks.as_tensor("samples", samples)
    if not torch.compiler.is_compiling():
        checks.require_pair("samples", samples, queries)
    bandwidths = torch.as_tensor(bandwidths, dtype=torch.float64, device=samples.device)
    if not torch.compiler.is_compiling():
        _check_bandwidths(bandwidths)
    room = rooms.choose("parzen_log_density", backend, "parzen", queries, samples)
    log_density = _reference if room is None else room.parzen.parzen_log_density
    return log_density(queries, samples, bandwidths)


def _require_order(samples, bandwidths) -> None:
    """Raises TypeError, with the signature, for sets and bandwidths in each other's place."""
    got = None
    if isinstance(bandwidths, Tensor | np.ndarray) and bandwidths.ndim > 1:
        got = f"bandwidths must be a list of numbers, got {checks.shown(bandwidths)}"
    elif is_number(samples) or (isinstance(samples, list | tuple) and samples and is_number(samples[0])):
        got = f"samples must be [N, D], got {samples!r}"
    if got:
        raise TypeError(f"{got}; the order is parzen_log_density(queries, samples, bandwidths)")


def _check_bandwidths(bandwidths: Tensor) -> None:
    if bandwidths.dim() == 0:
        h = bandwidths.item()
        raise ValueError(f"bandwidths must be a list of numbers, got {h:g}; use [{h:g}]")
    if bandwidths.dim() != 1 or len(bandwidths) == 0:
        raise ValueError(f"bandwidths must be a non-empty list of numbers, got the shape {list(bandwidths.shape)}")
    checks.require_bandwidths("bandwidths", bandwidths.tolist())
