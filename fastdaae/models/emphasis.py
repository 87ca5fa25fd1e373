"""The emphasised loss: what a corruption took away weighs more, or less, than what it left."""

import math

import torch
from torch import Tensor

from fastdaae.arguments import is_number
from fastdaae.corruptions import Gaussian
from fastdaae.noise import Noise
from fastdaae.schema import shortened


def as_emphasis(emphasis, corrupts: bool) -> tuple[float, float] | None:
    """(alpha, beta) as floats, None for none; raises ValueError for other weights and where nothing is corrupted."""
    if emphasis is None:
        return None
    given = list(emphasis) if isinstance(emphasis, list | tuple) else []
    weights = [float(weight) for weight in given if is_number(weight) and math.isfinite(weight) and weight >= 0]
    if len(given) != 2 or len(weights) != 2 or not any(weights):
        raise ValueError(
            "emphasis must be (alpha, beta), the weights >= 0 of corrupted and of clean entries, not both 0, or None, "
            f"got {shortened(emphasis)}"
        )
    if not corrupts:
        raise ValueError(
            "emphasis must be left out without a corruption, which tells corrupted entries from clean ones"
        )
    return weights[0], weights[1]


def corrupted_entries(model, x: Tensor, noise: Noise, *, site: int, row_offset: int = 0) -> Tensor:
    """Which entries of a batch x [N, ...] the model's corruption takes at an address, bool in the shape of x.

    An entry is clean where x~ follows x whatever x is: two probes that differ everywhere are corrupted at the address,
    and come out there as they went in. So an entry that is drawn counts, also where its value is the one that it had.
    Noise of a Gaussian takes every entry.
    """
    if isinstance(model.corruption, Gaussian):
        return torch.full(x.shape, model.corruption.sigma > 0, dtype=torch.bool, device=x.device)
    columns = x[0].numel()
    # another value in each column, so that entries that change places are seen too
    places = torch.arange(1, columns + 1, dtype=torch.float32, device=x.device) / columns
    probe = places.reshape(x.shape[1:]).expand(x.shape).contiguous()
    clean = [model.corrupted(p, noise, site=site, row_offset=row_offset) == p for p in (probe, -probe)]
    return ~(clean[0] & clean[1])
