"""Group "neighbors": the exact k nearest of every image among all the others."""

import pytest
import torch
from common import LARGE, images, pixels, require_close
from torch import Tensor

from fastdaae import ops

COUNTS = (10_000, 60_000) if LARGE else (10_000,)
K, CHECKED = 100, 100
BLOCK = 1_000  # rows whose distances to all points a blocked peer holds at once


def _ours(points: Tensor) -> tuple[Tensor, Tensor]:
    return tuple(ops.nearest_neighbors(points, K))


def _without_own(distances: Tensor, indices: Tensor, first_row: int = 0) -> tuple[Tensor, Tensor]:
    """K + 1 neighbours without the row itself (the farthest, where duplicates pushed the row itself out)."""
    own = indices == torch.arange(first_row, first_row + len(indices))[:, None]
    own[~own.any(1), -1] = True
    return distances[~own].reshape(len(indices), K), indices[~own].reshape(len(indices), K)


def _torch_topk(points: Tensor) -> tuple[Tensor, Tensor]:
    found = []
    for start in range(0, len(points), BLOCK):
        distances = torch.cdist(points[start : start + BLOCK], points)
        distances.diagonal(start).fill_(torch.inf)
        found.append(distances.topk(K, dim=1, largest=False))
    return torch.cat([f.values for f in found]), torch.cat([f.indices for f in found])


def _faiss_flat(points: Tensor) -> tuple[Tensor, Tensor]:
    faiss = pytest.importorskip("faiss")
    index = faiss.IndexFlatL2(points.shape[1])
    index.add(points.numpy())
    squared, indices = index.search(points.numpy(), K + 1)
    return _without_own(torch.from_numpy(squared).sqrt(), torch.from_numpy(indices))


def _sklearn_brute(points: Tensor) -> tuple[Tensor, Tensor]:
    NearestNeighbors = pytest.importorskip("sklearn.neighbors").NearestNeighbors
    fitted = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(points.numpy())
    distances, indices = fitted.kneighbors()  # without X: a point is not its own neighbour
    return torch.from_numpy(distances), torch.from_numpy(indices)


def _compare(distances: Tensor, indices: Tensor, points: Tensor) -> tuple[float, float]:
    """The largest relative error of a distance, and the share of rows with the same index list, on the checked rows.

    Against direct differences in float64, of bytes in whole numbers, which tie exactly; ties go to the lower index.
    """
    rows = torch.arange(0, len(points), len(points) // CHECKED)[:CHECKED]
    unit, whole = 255 if points.dtype == torch.uint8 else 1, points.double()
    exact = torch.cdist(whole[rows], whole, compute_mode="donot_use_mm_for_euclid_dist") / unit
    exact[torch.arange(CHECKED), rows] = torch.inf
    nearest, order = exact.sort(dim=1, stable=True)
    nearest, order = nearest[:, :K], order[:, :K]
    error = (distances[rows].double() - nearest).abs() / nearest.clamp_min(1e-12)
    return float(error.max()), float((indices[rows] == order).all(1).float().mean())


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(
    "search, module, form",
    [
        (_ours, None, pixels),
        (_ours, None, lambda stored: stored),
        (_torch_topk, "torch", pixels),
        (_faiss_flat, "faiss", pixels),
        (_sklearn_brute, "sklearn", pixels),
    ],
    ids=["ours", "ours-of-bytes", "torch-topk", "faiss", "sklearn-brute"],
)
def test_neighbors(measure, search, module, form, count):
    by = module and f"{module} {pytest.importorskip(module).__version__}"
    points = form(images()[:count])
    error, identical = _compare(*search(points), points)
    if by is None:
        require_close("distances", error, 1e-5, "(relative)")
    notes = {"flops": 2 * count**2 * 784, "relative_distance_error": error, "identical_rows": identical}
    measure(f"neighbors {count} x 784, k = {K}", lambda: search(points), rounds=2, by=by, **notes)
