"""Group "parzen": the log-density of images under a Parzen window, ten bandwidths, 784 dimensions."""

import functools
import math

import gates
import numpy as np
import torch
from common import held_out_images, images, pixels
from interleaved import Group, Ready, Row, peer_module
from torch import Tensor

from fastdaae import ops

QUERIES, SAMPLES = 10_000, 10_000
BANDWIDTHS = torch.logspace(-1, 0, 10, dtype=torch.float64)
BLOCK = 500  # queries whose distances to all samples a blocked peer holds at once
FEW = 50  # queries of the group with scikit-learn and KeOps, which take minutes for all


def _points(queries: int, stored: bool = False) -> tuple[Tensor, Tensor]:
    """Queries and samples as float32 pixels, or as the bytes that they are stored in."""
    sets = held_out_images()[:queries], images()[:SAMPLES]
    return sets if stored else (pixels(sets[0]), pixels(sets[1]))


def _normalizer(h: float, samples: int, columns: int) -> float:
    return math.log(samples) + columns * math.log(h * math.sqrt(2 * math.pi))


def _from_squared_distances(distances: Tensor, columns: int) -> Tensor:
    """[B, Q] nats from squared distances [Q, N], which are overwritten, and the data's number of columns.

    Differences to the nearest sample fit float32, whatever the distances' dtype.
    """
    nearest = distances.amin(1, keepdim=True)
    distances = distances.sub_(nearest).float()
    terms, rows = torch.empty_like(distances), []
    for h in BANDWIDTHS.tolist():
        sums = torch.mul(distances, -0.5 / h**2, out=terms).exp_().sum(1, dtype=nearest.dtype)
        rows.append(sums.log_().sub_(nearest[:, 0], alpha=0.5 / h**2) - _normalizer(h, distances.shape[1], columns))
    return torch.stack(rows)


def _ours(queries: Tensor, samples: Tensor) -> Tensor:
    return ops.parzen_log_density(queries, samples, BANDWIDTHS)


def _torch_blocked(queries: Tensor, samples: Tensor) -> Tensor:
    center = samples.mean(0)
    samples = samples - center
    norms = samples.square().sum(1)
    pieces = []
    for block in (queries - center).split(BLOCK):
        distances = torch.addmm(norms, block, samples.T, alpha=-2).add_(block.square().sum(1, keepdim=True))
        pieces.append(_from_squared_distances(distances.clamp_(min=0), samples.shape[1]))
    return torch.cat(pieces, dim=1)


def _torch_double_products(queries: Tensor, samples: Tensor) -> Tensor:
    """The fastest that is near enough on all data: float64 distances, whose differences float32 exponentials take."""
    samples = samples.double()
    norms, pieces = samples.square().sum(1), []
    for block in queries.double().split(BLOCK):
        distances = torch.addmm(norms, block, samples.T, alpha=-2).add_(block.square().sum(1, keepdim=True))
        pieces.append(_from_squared_distances(distances.clamp_(min=0), samples.shape[1]))
    return torch.cat(pieces, dim=1)


def _faiss_blocked(queries: Tensor, samples: Tensor) -> Tensor:
    faiss = peer_module("faiss")
    pieces = []
    for block in queries.split(BLOCK):
        distances = torch.from_numpy(faiss.pairwise_distances(block.numpy(), samples.numpy()))
        pieces.append(_from_squared_distances(distances, samples.shape[1]))
    return torch.cat(pieces, dim=1)


def _keops(queries: Tensor, samples: Tensor) -> Tensor:
    LazyTensor = peer_module("pykeops.torch").LazyTensor
    distances = ((LazyTensor(queries[:, None, :]) - LazyTensor(samples[None, :, :])) ** 2).sum(-1)
    rows = []
    for h in BANDWIDTHS.tolist():
        sums = (distances * (-0.5 / h**2)).logsumexp(dim=1)[:, 0]
        rows.append(sums - _normalizer(h, len(samples), samples.shape[1]))
    return torch.stack(rows)


def _sklearn(samples: Tensor, **choices):
    """KernelDensity is fitted for one bandwidth at a time; the fit is not timed."""
    make = functools.partial(peer_module("sklearn.neighbors").KernelDensity, **choices)
    fitted = [make(bandwidth=h).fit(samples.numpy()) for h in BANDWIDTHS.tolist()]
    return lambda queries, samples: torch.from_numpy(np.stack([kde.score_samples(queries.numpy()) for kde in fitted]))


def _sklearn_one_leaf(samples: Tensor):
    """One leaf holds all samples: in 784 dimensions a tree prunes nothing, and its bounds lose what they sum."""
    return _sklearn(samples, leaf_size=len(samples))


def _exact(queries: Tensor, samples: Tensor) -> Tensor:
    """float64 direct differences of pixels, of bytes as v / 255."""
    unit = 255 if samples.dtype == torch.uint8 else 1
    queries, samples = queries.double() / unit, samples.double() / unit
    distances = torch.cdist(queries, samples, compute_mode="donot_use_mm_for_euclid_dist").square()
    rows = [
        torch.logsumexp(-0.5 * distances / h**2, 1) - _normalizer(h, len(samples), samples.shape[1])
        for h in BANDWIDTHS.tolist()
    ]
    return torch.stack(rows)


def _ready(estimate, count: int, stored: bool = False) -> Ready:
    """The gate looks at 50 queries."""
    queries, samples = _points(count, stored)
    with torch.inference_mode():
        gate = gates.log_densities(estimate(queries[:50], samples), _exact(queries[:50], samples))
    return Ready(lambda: estimate(queries, samples), (gate,))


def _group(count: int, *peers: Row) -> Group:
    rows = (
        Row("ours", lambda: _ready(_ours, count)),
        Row("ours-of-bytes", lambda: _ready(_ours, count, stored=True), dtype=torch.uint8),
        Row("torch-blocked", lambda: _ready(_torch_blocked, count), "torch"),
        Row("torch-fp64-products", lambda: _ready(_torch_double_products, count), "torch", torch.float64),
    )
    name = f"parzen {count} x {SAMPLES} x 784, {len(BANDWIDTHS)} bandwidths"
    return Group(name, (*rows, *peers), flops=2 * count * SAMPLES * 784)


GROUPS = (
    _group(QUERIES, Row("faiss-products", lambda: _ready(_faiss_blocked, QUERIES), "faiss")),
    _group(
        FEW,
        Row("sklearn-one-leaf", lambda: _ready(_sklearn_one_leaf(_points(FEW)[1]), FEW), "sklearn", torch.float64),
        Row("sklearn-default", lambda: _ready(_sklearn(_points(FEW)[1]), FEW), "sklearn", torch.float64),
        Row("keops", lambda: _ready(_keops, FEW), "pykeops"),
    ),
)


def test_row(show, case):
    show(case)
