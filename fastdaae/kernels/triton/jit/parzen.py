"""The Parzen-window log-density on a GPU: one pass over sample tiles for all bandwidths, then the pairs that matter.

First pass: squared distances from 3xTF32 products of centred, scaled float32 copies; per query a running (nearest,
sum) for every bandwidth, and a list of the samples near enough to matter. Second pass: the listed pairs again, by
direct float64 differences of the data as given.

When is the first pass enough? Let u = 2^-24, |q| and m the norm of the query and the largest norm of a sample. One
squared distance is then wrong by at most

    E = u (8 (|q| + m)^2 + 2 |q| m (48 + 2.5 K + D / K))

8: the cast to float32 and the squared norms; 48: what 3xTF32 drops of a product, for truncated heads; 2.5 K: a product
of K columns on tensor cores that truncate their sums; D / K: these partial products, added in float32. A log-sum-exp
moves by at most the largest change of an exponent, so log p is wrong by at most E / 2h^2. Where that exceeds 0.8 of
the promise 1e-3 + 1e-6 |log p|, with |log p| >= D log(h sqrt(2 pi)) known beforehand, the second pass decides. It sums
the samples within 2 h^2 (log N + 9) + 2 E of the nearest that the first pass saw; the others are truly farther than
2 h^2 (log N + 9) beyond the nearest, so that all of them together add less than exp(-9) = 1.3e-4 nats. A large h would
list many pairs, but E / 2h^2 falls with h: with 10,000 images of MNIST a query lists 1 sample at h = 0.1, 36 at 0.6 and
115 at 0.77, the last of ten bandwidths up to 1 that needs the second pass. Inputs of any dtype are read as they are by
the second pass, so that float64 keeps the promise too, and bytes beside bytes are compared as whole numbers, exactly.
"""

import math
from typing import NamedTuple

import torch
import triton
from torch import Tensor

from fastdaae.kernels.memory import empty
from fastdaae.kernels.triton.jit.configs import configuration, processors
from fastdaae.kernels.triton.jit.launch import launch
from fastdaae.kernels.triton.jit.parzen_kernels import DIRECT, STREAM, direct_kernel, stream_kernel

GROUP = 16  # bandwidths per pass: their sums stay in registers
CAPACITY = 256  # listed samples per query and split; beyond it the second pass takes every sample of the split
QUERIES = 1 << 16  # queries per pass: bounds the lists to 64 MiB a split
_PADDED = 64  # columns are padded to a multiple of this, which every K below divides
_UNIT = 2.0**-24
_BEYOND = 9.0  # what is left out weighs at most exp(-9)


class _Pairs(NamedTuple):
    """Queries and samples as given, and centred in float64, scaled by a power of two to norms <= 1, cast to float32."""

    queries: Tensor
    samples: Tensor
    scale: Tensor
    q: Tensor
    s: Tensor
    q_norms: Tensor
    s_norms: Tensor


def parzen_log_density(queries: Tensor, samples: Tensor, bandwidths: Tensor) -> Tensor:
    """The log-densities [B, Q] in nats, float64, of queries [Q, D] under samples [N, D] for every bandwidth [B]."""
    samples = samples.contiguous()
    out = empty(len(bandwidths), len(queries), dtype=torch.float64, device=samples.device)
    for start in range(0, len(queries), QUERIES):
        pairs = _prepare(queries[start : start + QUERIES].contiguous(), samples)
        for first in range(0, len(bandwidths), GROUP):
            group = bandwidths[first : first + GROUP]
            out[first : first + GROUP, start : start + QUERIES] = _log_density(pairs, group)
    return out


def _prepare(queries: Tensor, samples: Tensor) -> _Pairs:
    center = samples.sum(0, dtype=torch.float64) / len(samples)
    center = center / 255 if samples.dtype == torch.uint8 else center
    extents = torch.maximum(_extent(queries, center), _extent(samples, center))
    radius = torch.linalg.vector_norm(extents).clamp(min=1e-30)
    scale = torch.exp2(-torch.ceil(torch.log2(radius)))
    q, q_norms = _centered(queries, center, scale)
    s, s_norms = _centered(samples, center, scale)
    return _Pairs(queries, samples, scale, q, s, q_norms, s_norms)


def _as_double(x: Tensor) -> Tensor:
    return x.double() / 255 if x.dtype == torch.uint8 else x.double()


def _extent(x: Tensor, center: Tensor) -> Tensor:
    return torch.maximum(_as_double(x.amax(0)) - center, center - _as_double(x.amin(0)))


def _centered(x: Tensor, center: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """(x - center) scale in float32, padded with zeros to whole tiles, and the squared norms of its rows in float64."""
    padding = -x.shape[1] % _PADDED
    points = empty(len(x), x.shape[1] + padding, dtype=torch.float32, device=x.device)
    norms = empty(len(x), dtype=torch.float64, device=x.device)
    block = max(1, (1 << 24) // x.shape[1])
    for start in range(0, len(x), block):
        rows = slice(start, start + block)
        points[rows] = torch.nn.functional.pad((_as_double(x[rows]) - center) * scale, (0, padding))
        norms[rows] = points[rows].double().square().sum(1)
    return points, norms


def _log_density(pairs: _Pairs, bandwidths: Tensor) -> Tensor:
    count, width = pairs.samples.shape
    rates = 0.5 / bandwidths**2
    error = _squared_distance_error(pairs, width)
    log_volume = width * torch.log(bandwidths * math.sqrt(2 * math.pi))
    allowed = 0.8 * (1e-3 + 1e-6 * log_volume.clamp(min=0))
    needed = error * rates[:, None] > allowed[:, None]
    reach = (math.log(count) + _BEYOND) / rates[:, None]
    slack = torch.where(needed, reach * pairs.scale**2, -math.inf).amax(0) + 2 * error * pairs.scale**2
    streamed, found, listed, per_split = _stream(pairs, (1.000001 * slack).float(), rates)
    direct = _direct(pairs, rates, found, listed, per_split)
    return torch.where(needed, direct, streamed) - math.log(count) - log_volume[:, None]


def _squared_distance_error(pairs: _Pairs, width: int) -> Tensor:
    """E of the module's text, [Q], in the squared units of the data."""
    q, largest = pairs.q_norms.sqrt(), pairs.s_norms.amax().sqrt()
    tile = configuration(STREAM, pairs.s.device)["BK"]
    products = 2 * q * largest * (48 + 2.5 * tile + width / tile)
    # beneath this, float32 leaves its normal range
    smallest = width * 2.0**-120
    return (_UNIT * (8 * (q + largest) ** 2 + products) + smallest) / pairs.scale**2


def _split(pairs: _Pairs, config: dict[str, int]) -> tuple[int, int]:
    """(number of splits, samples per split): enough programs for two waves where the queries alone are too few."""
    blocks = triton.cdiv(len(pairs.q), config["BM"])
    tiles = triton.cdiv(len(pairs.s), config["BN"])
    wanted = min(max(1, 2 * processors(pairs.s.device) // blocks), tiles)
    per_split = triton.cdiv(tiles, wanted) * config["BN"]
    return triton.cdiv(len(pairs.s), per_split), per_split


def _stream(pairs: _Pairs, slack: Tensor, rates: Tensor) -> tuple[Tensor, Tensor, Tensor, int]:
    config = configuration(STREAM, pairs.s.device)
    splits, per_split = _split(pairs, config)
    (rows, padded), count, groups = pairs.q.shape, len(pairs.s), len(rates)
    near = pairs.q.new_empty((splits, rows))
    sums = pairs.q_norms.new_empty((splits, groups, rows))
    found = empty(splits, rows, dtype=torch.int32, device=near.device)
    listed = empty(splits, rows, CAPACITY, dtype=torch.int32, device=near.device)
    # a rate beyond float32 belongs to a bandwidth that the second pass decides
    scaled = (rates / pairs.scale**2).clamp(max=1e30)
    binary = (scaled * math.log2(math.e)).float()
    launch(
        stream_kernel, triton.cdiv(rows, config["BM"]) * splits, config, near.device,
        pairs.q, pairs.s, pairs.q_norms.float(), pairs.s_norms.float(), slack, binary, near, sums, found, listed,
        rows, count, padded, groups, per_split, CAPACITY=CAPACITY, BP=GROUP,
    )  # fmt: skip
    return _merge(near.double(), sums, rates / pairs.scale**2), found, listed, per_split


def _direct(pairs: _Pairs, rates: Tensor, found: Tensor, listed: Tensor, per_split: int) -> Tensor:
    config = configuration(DIRECT, pairs.s.device)
    (splits, rows), (count, width), groups = found.shape, pairs.samples.shape, len(rates)
    whole = pairs.queries.dtype == pairs.samples.dtype == torch.uint8
    rates = rates / 255**2 if whole else rates
    near = rates.new_full((splits, rows), math.inf)
    sums = rates.new_zeros((splits, groups, rows))
    launch(
        direct_kernel, splits * rows, config, near.device,
        pairs.queries, pairs.samples, rates * math.log2(math.e), near, sums, found, listed,
        rows, count, width, groups, per_split, CAPACITY=CAPACITY, BP=GROUP, WHOLE=whole,
    )  # fmt: skip
    return _merge(near, sums, rates)


def _merge(near: Tensor, sums: Tensor, rates: Tensor) -> Tensor:
    """log of the sum over splits, [B, Q], of near [S, Q] and sums [S, B, Q] relative to it."""
    return torch.logsumexp(torch.log(sums) - near[:, None] * rates[:, None], 0)
