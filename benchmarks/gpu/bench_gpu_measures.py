"""GPU groups "parzen" and "neighbors": ours beside blocked PyTorch, and FAISS where it is installed."""

import math

import gates
import pytest
import torch
from common import held_out_images, images
from gpu_common import DEVICE, measure, needs_cuda

import fastdaae as fd

pytestmark = needs_cuda
BANDWIDTHS = torch.logspace(-1, 0, 10, dtype=torch.float64)
SAMPLES, QUERIES, POINTS, K = 10_000, 10_000, 60_000, 100


def _blocked_parzen(queries: torch.Tensor, samples: torch.Tensor) -> torch.Tensor:
    rates = (0.5 / BANDWIDTHS**2).to(DEVICE, torch.float32)
    rows = []
    for block in queries.split(2048):
        distances = torch.cdist(block, samples).square()
        rows.append(torch.stack([torch.logsumexp(-distances * rate, 1) for rate in rates]))
    constant = math.log(len(samples)) + 784 * torch.log(BANDWIDTHS * math.sqrt(2 * math.pi))
    return torch.cat(rows, 1).double().cpu() - constant[:, None]


@pytest.mark.parametrize("who", ["ours", "torch"])
def test_parzen(benchmark, who):
    samples, queries = images()[:SAMPLES].to(DEVICE), held_out_images()[:QUERIES].to(DEVICE)
    as_float = [t.float() / 255 for t in (queries, samples)]
    calls = {
        "ours": lambda: fd.ops.parzen_log_density(queries, samples, BANDWIDTHS, backend="triton"),
        "torch": lambda: _blocked_parzen(*as_float),
    }
    exact = fd.ops.parzen_log_density(queries[:256].cpu(), samples.cpu(), BANDWIDTHS, backend="reference")
    gate = gates.log_densities(calls[who]()[:, :256].cpu(), exact)
    group = f"parzen {QUERIES} x {SAMPLES} x 784, 10 bandwidths"
    measure(benchmark, group, who, calls[who], (gate,), repeats=1, flops=2 * QUERIES * SAMPLES * 784, kind="tf32")


def _blocked_topk(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    found = []
    for start in range(0, len(points), 4096):
        distances = torch.cdist(points[start : start + 4096], points)
        distances.diagonal(start).fill_(math.inf)
        found.append(distances.topk(K, largest=False))
    return torch.cat([f.values for f in found]), torch.cat([f.indices for f in found])


def _faiss(points: torch.Tensor):
    faiss = pytest.importorskip("faiss")
    if not hasattr(faiss, "StandardGpuResources"):
        pytest.skip("this FAISS was built without a GPU")
    import faiss.contrib.torch_utils  # noqa: F401

    resources = faiss.StandardGpuResources()
    return lambda: faiss.knn_gpu(resources, points, points, K + 1)


@pytest.mark.parametrize("who", ["ours", "torch-topk", "faiss"])
def test_neighbors(benchmark, who):
    points = images()[:POINTS].to(DEVICE).float() / 255
    if who == "faiss":
        call = _faiss(points)
    else:
        ours = who == "ours"
        call = (lambda: fd.ops.nearest_neighbors(points, K, backend="cuda")) if ours else lambda: _blocked_topk(points)
    exact = torch.cdist(points[:50].double(), points.double()).fill_diagonal_(math.inf).topk(K, largest=False).values
    distances = call()[0][:50].double()
    if who == "faiss":  # squared, with the point itself in front
        distances = distances[:, 1:].clamp_min(0).sqrt()
    gate = gates.distances(distances, exact)
    group, flops = f"neighbors {POINTS} x 784, k = {K}", 2 * POINTS**2 * 784
    measure(benchmark, group, who, call, (gate,), repeats=1, rounds=3, flops=flops, kind="fp32")
