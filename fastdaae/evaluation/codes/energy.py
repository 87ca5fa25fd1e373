"""Whether two sets of codes are of one distribution: their energy distance, and what it is by chance."""

from typing import Any, NamedTuple

import numpy as np
import torch

from fastdaae.arrays import to_tensor
from fastdaae.evaluation.codes.representation import as_floats


class EnergyDistance(NamedTuple):
    """The normalised energy distance of two sets, beside that of the same points parted at random.

    `value` is in [0, 1], 0 where the sets are the same and 1 where each is a point of its own; `by_chance` is its mean
    over random partings, above 0 for sets of any size, and `p` the share of partings, the one that was given among
    them, that are as far apart.
    """

    value: float
    by_chance: float
    p: float


def energy_distance(a: Any, b: Any, *, partings: int = 199, seed: int = 0) -> EnergyDistance:
    """How far codes a [N, Z] and b [N, Z] are from one distribution, and how far they would be by chance.

    (2 E|a - b| - E|a - a'| - E|b - b'|) / (2 E|a - b|), with Euclidean distances and means over all pairs; time and
    memory grow with N^2 (2,000: 128 MB). `partings` are drawn from `seed`. Raises ValueError for sets that do not have
    the same shape, fewer than 2 codes, or numbers that are not finite.
    Source: Szekely and Rizzo 2013, equations 5 and 6, and the permutation test of its section 4.
    """
    first, second = as_floats(a), as_floats(b)
    if first.shape != second.shape or len(first) < 2:
        raise ValueError(f"a and b must be [N, Z] with one N >= 2, got {list(first.shape)} and {list(second.shape)}")
    count = len(first)
    pooled = to_tensor(np.concatenate([first, second]))
    distances = torch.cdist(pooled, pooled, compute_mode="donot_use_mm_for_euclid_dist")
    # s' D s = sum within both sets - 2 sum between them, where s is 1 in one set and -1 in the other
    sides = np.repeat([1.0, -1.0], count)
    rng = np.random.default_rng(seed)
    signs = to_tensor(np.stack([sides, *(rng.permutation(sides) for _ in range(partings))]))
    apart = -((signs @ distances) * signs).sum(1)
    between = (distances.sum() + apart) / 2
    found = torch.where(between > 0, apart / between, 0.0).numpy()
    # equal partings, but for rounding, are as far apart
    as_far = found >= found[0] - 1e-12
    return EnergyDistance(float(found[0]), float(found[1:].mean()), float(as_far.mean()))
