"""Group "neighbors": the exact k nearest of every image among all the others, and of a few queries among many."""

import gates
import torch
from common import LARGE, held_out_images, images, pixels
from gates import Gate
from interleaved import Group, Ready, Row, peer_module
from torch import Tensor

from fastdaae import ops

K, CHECKED = 100, 100
MANY = 60_000
BLOCK = 500  # rows whose distances to all points a blocked peer holds at once


def _ours(points: Tensor, queries: Tensor | None):
    return lambda: tuple(ops.nearest_neighbors(points, K, queries))


def _torch_topk(points: Tensor, queries: Tensor | None):
    norms = points.square().sum(1)
    asked = points if queries is None else queries

    def search() -> tuple[Tensor, Tensor]:
        found = []
        for start in range(0, len(asked), BLOCK):
            block = asked[start : start + BLOCK]
            distances = torch.addmm(norms, block, points.T, alpha=-2)  # but for the query's own norm
            if queries is None:
                distances.diagonal(start).fill_(torch.inf)
            values, indices = distances.topk(K, dim=1, largest=False)
            found.append((values.add_(block.square().sum(1, keepdim=True)).clamp_(min=0).sqrt_(), indices))
        return tuple(map(torch.cat, zip(*found, strict=True)))

    return search


def _faiss_flat(points: Tensor, queries: Tensor | None):
    index = peer_module("faiss").IndexFlatL2(points.shape[1])
    index.add(points.numpy())
    asked = (points if queries is None else queries).numpy()

    def search() -> tuple[Tensor, Tensor]:
        squared, indices = map(torch.from_numpy, index.search(asked, K + (queries is None)))
        return (squared.sqrt(), indices) if queries is not None else _without_own(squared.sqrt(), indices)

    return search


def _without_own(distances: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    """K + 1 neighbours without the row itself (the farthest, where duplicates pushed the row itself out)."""
    own = indices == torch.arange(len(indices))[:, None]
    own[~own.any(1), -1] = True
    return distances[~own].reshape(len(indices), K), indices[~own].reshape(len(indices), K)


def _sklearn_brute(points: Tensor, queries: Tensor | None):
    NearestNeighbors = peer_module("sklearn.neighbors").NearestNeighbors
    fitted = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(points.numpy())
    asked = None if queries is None else queries.numpy()  # without X a point is not its own neighbour
    return lambda: tuple(map(torch.from_numpy, fitted.kneighbors(asked)))


def _compare(found: tuple[Tensor, Tensor], points: Tensor, queries: Tensor | None) -> tuple[Gate, float]:
    """The gate of the distances, and the share of rows with the same index list, on the checked rows.

    Against direct differences in float64, of bytes in whole numbers, which tie exactly; ties go to the lower index.
    """
    count = len(points if queries is None else queries)
    rows = torch.arange(0, count, max(1, count // CHECKED))[:CHECKED]
    unit, whole = 255 if points.dtype == torch.uint8 else 1, points.double()
    asked = whole[rows] if queries is None else queries[rows].double()
    exact = torch.cdist(asked, whole, compute_mode="donot_use_mm_for_euclid_dist") / unit
    if queries is None:
        exact[torch.arange(len(rows)), rows] = torch.inf
    nearest, order = exact.sort(dim=1, stable=True)
    nearest, order = nearest[:, :K], order[:, :K]
    return gates.distances(found[0][rows], nearest), float((found[1][rows] == order).all(1).float().mean())


def _ready(make, count: int, few: int | None, form=pixels) -> Ready:
    """What a peer makes of the points before its search (an index, norms) is not timed; ours has nothing such."""
    points, queries = form(images()[:count]), None if few is None else form(held_out_images()[:few])
    search = make(points, queries)
    with torch.inference_mode():
        gate, identical = _compare(search(), points, queries)
    return Ready(search, (gate,), notes={"identical_rows": identical})


def _group(count: int, few: int | None = None) -> Group:
    makers = {"torch-topk": _torch_topk, "faiss": _faiss_flat, "sklearn-brute": _sklearn_brute}
    ours = (
        Row("ours", lambda: _ready(_ours, count, few)),
        Row("ours-of-bytes", lambda: _ready(_ours, count, few, lambda stored: stored), dtype=torch.uint8),
    )
    asked = "" if few is None else f" of {few} queries"
    # of every pair; a point set's own pairs can be multiplied once
    every = 2 * count * (count if few is None else few) * 784
    flops = count * (count - 1) * 784 if few is None else every
    peers = (
        Row(name, lambda make=make: _ready(make, count, few), name.split("-")[0], flops=every)
        for name, make in makers.items()
    )
    return Group(f"neighbors{asked} among {count} x 784, k = {K}", (*ours, *peers), flops=flops)


GROUPS = (
    _group(10_000),
    *((_group(MANY),) if LARGE else ()),
    *(_group(MANY, few) for few in (1, 64)),
)


def test_row(show, case):
    show(case)
