"""Group "parzen": the log-density of images under a Parzen window, ten bandwidths, 784 dimensions."""

import functools
import importlib
import math

import numpy as np
import torch
from common import held_out_images, images, pixels, require_close
from interleaved import Group, Ready, Row, Unavailable
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
    """[B, Q] nats from squared distances [Q, N], which are overwritten, and the data's number of columns."""
    nearest = distances.amin(1, keepdim=True)
    distances.sub_(nearest)
    terms, rows = torch.empty_like(distances), []
    for h in BANDWIDTHS.tolist():
        sums = torch.mul(distances, -0.5 / h**2, out=terms).exp_().sum(1)
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


def _module(name: str):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Unavailable(str(error)) from None


def _faiss_blocked(queries: Tensor, samples: Tensor) -> Tensor:
    faiss = _module("faiss")
    pieces = []
    for block in queries.split(BLOCK):
        distances = torch.from_numpy(faiss.pairwise_distances(block.numpy(), samples.numpy()))
        pieces.append(_from_squared_distances(distances, samples.shape[1]))
    return torch.cat(pieces, dim=1)


def _keops(queries: Tensor, samples: Tensor) -> Tensor:
    LazyTensor = _module("pykeops.torch").LazyTensor
    distances = ((LazyTensor(queries[:, None, :]) - LazyTensor(samples[None, :, :])) ** 2).sum(-1)
    rows = []
    for h in BANDWIDTHS.tolist():
        sums = (distances * (-0.5 / h**2)).logsumexp(dim=1)[:, 0]
        rows.append(sums - _normalizer(h, len(samples), samples.shape[1]))
    return torch.stack(rows)


def _sklearn(samples: Tensor):
    """KernelDensity is fitted for one bandwidth at a time; the fit is not timed.

    One leaf holds all samples: in 784 dimensions a tree prunes nothing, takes twice the time, and its bounds lose up to
    3,200 nats.
    """
    make = functools.partial(_module("sklearn.neighbors").KernelDensity, leaf_size=len(samples))
    fitted = [make(bandwidth=h).fit(samples.numpy()) for h in BANDWIDTHS.tolist()]
    return lambda queries, samples: torch.from_numpy(np.stack([kde.score_samples(queries.numpy()) for kde in fitted]))


def _exact(queries: Tensor, samples: Tensor) -> Tensor:
    """float64 direct differences of pixels, of bytes as v / 255."""
    unit = 255 if samples.dtype == torch.uint8 else 1
    queries, samples = queries.double() / unit, samples.double() / unit
    distances = torch.cdist(queries, samples, compute_mode="donot_use_mm_for_euclid_dist").square()
    return _from_squared_distances(distances, samples.shape[1])


def _ready(estimate, count: int, stored: bool = False, promises: bool = False) -> Ready:
    """The gate looks at 50 queries: ours keep 1e-3 + 1e-6 |log p| nats, a peer's float32 products 0.1 nats."""
    queries, samples = _points(count, stored)
    exact = _exact(queries[:50], samples)
    with torch.inference_mode():
        error = (estimate(queries[:50], samples).double() - exact).abs()
    excess = float((error - 1e-6 * exact.abs()).max())
    require_close("log-densities, but for 1e-6 |log p|", excess, 1e-3 if promises else 0.1, "nats")
    return Ready(lambda: estimate(queries, samples), {"max_error_nats": float(error.max())})


def _group(count: int, *peers: Row) -> Group:
    ours = (
        Row("ours", lambda: _ready(_ours, count, promises=True)),
        Row("ours-of-bytes", lambda: _ready(_ours, count, stored=True, promises=True)),
        Row("torch-blocked", lambda: _ready(_torch_blocked, count), "torch"),
    )
    name = f"parzen {count} x {SAMPLES} x 784, {len(BANDWIDTHS)} bandwidths"
    return Group(name, (*ours, *peers), flops=2 * count * SAMPLES * 784)


GROUPS = (
    _group(QUERIES, Row("faiss-products", lambda: _ready(_faiss_blocked, QUERIES), "faiss")),
    _group(
        FEW,
        Row("sklearn", lambda: _ready(_sklearn(_points(FEW)[1]), FEW), "sklearn"),
        Row("keops", lambda: _ready(_keops, FEW), "pykeops"),
    ),
)


def test_row(show, group, row):
    show(group, row)
