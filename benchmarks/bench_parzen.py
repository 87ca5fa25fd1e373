"""Group "parzen": the log-density of images under a Parzen window, ten bandwidths, 784 dimensions."""

import math

import numpy as np
import pytest
import torch
from common import LARGE, held_out_images, images, pixels, require_close
from torch import Tensor

from fastdaae import ops
from fastdaae.reference import as_double

QUERIES, SAMPLES = 10_000, 10_000
PEER_ROUNDS = 3 if LARGE else 1  # a blocked peer takes seconds a call
BANDWIDTHS = torch.logspace(-1, 0, 10, dtype=torch.float64)
BLOCK = 500  # queries whose distances to all samples a blocked peer holds at once
FEW = 50  # queries of the group with scikit-learn and KeOps, which take minutes for all


def _points(queries: int, stored: bool = False) -> tuple[Tensor, Tensor]:
    """Queries and samples as float32 pixels, or as the bytes that they are stored in."""
    sets = held_out_images()[:queries], images()[:SAMPLES]
    return sets if stored else (pixels(sets[0]), pixels(sets[1]))


def _from_squared_distances(distances: Tensor, columns: int) -> Tensor:
    """[B, Q] nats from squared distances [Q, N] and the data's number of columns."""
    rows = []
    for h in BANDWIDTHS.tolist():
        normalizer = math.log(distances.shape[1]) + columns * math.log(h * math.sqrt(2 * math.pi))
        rows.append(torch.logsumexp(distances * (-0.5 / h**2), dim=1) - normalizer)
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


def _faiss_blocked(queries: Tensor, samples: Tensor) -> Tensor:
    faiss = pytest.importorskip("faiss")
    pieces = []
    for block in queries.split(BLOCK):
        distances = torch.from_numpy(faiss.pairwise_distances(block.numpy(), samples.numpy()))
        pieces.append(_from_squared_distances(distances, samples.shape[1]))
    return torch.cat(pieces, dim=1)


def _keops(queries: Tensor, samples: Tensor) -> Tensor:
    LazyTensor = pytest.importorskip("pykeops.torch").LazyTensor
    distances = ((LazyTensor(queries[:, None, :]) - LazyTensor(samples[None, :, :])) ** 2).sum(-1)
    rows = []
    for h in BANDWIDTHS.tolist():
        normalizer = math.log(len(samples)) + samples.shape[1] * math.log(h * math.sqrt(2 * math.pi))
        rows.append((distances * (-0.5 / h**2)).logsumexp(dim=1)[:, 0] - normalizer)
    return torch.stack(rows)


def _sklearn(samples: Tensor):
    """KernelDensity is fitted for one bandwidth at a time; the fit is not timed."""
    KernelDensity = pytest.importorskip("sklearn.neighbors").KernelDensity
    fitted = [KernelDensity(bandwidth=h).fit(samples.numpy()) for h in BANDWIDTHS.tolist()]
    return lambda queries, samples: torch.from_numpy(np.stack([kde.score_samples(queries.numpy()) for kde in fitted]))


def _max_error(estimate, queries: Tensor, samples: Tensor) -> tuple[float, float]:
    """The largest error in nats on 50 queries against float64 direct differences; and its excess over 1e-6 |log p|."""
    exact_distances = torch.cdist(
        as_double(queries[:50]), as_double(samples), compute_mode="donot_use_mm_for_euclid_dist"
    ).square()
    exact = _from_squared_distances(exact_distances, samples.shape[1])
    error = (estimate(queries[:50], samples).double() - exact).abs()
    return float(error.max()), float((error - 1e-6 * exact.abs()).max())


def _version(module: str) -> str:
    return f"{module} {pytest.importorskip(module).__version__}"


def _measure(measure, estimate, count: int, by: str | None, rounds: int, stored: bool = False) -> None:
    queries, samples = _points(count, stored)
    error, excess = _max_error(estimate, queries, samples)
    if by is None:
        require_close("log-densities, but for 1e-6 |log p|", excess, 1e-3, "nats")
    notes = {"flops": 2 * count * SAMPLES * 784, "pairs": count * SAMPLES, "max_error_nats": error}
    group = f"parzen {count} x {SAMPLES} x 784, {len(BANDWIDTHS)} bandwidths"
    measure(group, lambda: estimate(queries, samples), rounds=rounds, by=by, **notes)


def test_ours(measure):
    _measure(measure, _ours, QUERIES, None, 5)


def test_ours_of_bytes(measure):
    _measure(measure, _ours, QUERIES, None, 5, stored=True)


def test_torch_blocked(measure):
    _measure(measure, _torch_blocked, QUERIES, f"torch {torch.__version__}", PEER_ROUNDS)


def test_faiss_products(measure):
    _measure(measure, _faiss_blocked, QUERIES, _version("faiss"), PEER_ROUNDS)


def test_ours_few(measure):
    _measure(measure, _ours, FEW, None, 5)


def test_sklearn_few(measure):
    _measure(measure, _sklearn(_points(FEW)[1]), FEW, _version("sklearn"), 1)


def test_keops_few(measure):
    _measure(measure, _keops, FEW, _version("pykeops"), 1)
