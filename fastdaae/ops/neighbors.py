"""`nearest_neighbors`: exact Euclidean neighbours, ties broken by the lower index."""

import torch
from torch import Tensor

from fastdaae import backend as backends
from fastdaae import reference
from fastdaae.ops import checks

_library = torch.library.Library("fastdaae", "FRAGMENT")
_library.define("nearest_neighbors(Tensor points, int k, Tensor? queries) -> (Tensor, Tensor)")


def _search(points: Tensor, k: int, queries: Tensor | None) -> tuple[Tensor, Tensor]:
    return tuple(reference.nearest_neighbors(points, k, queries))


def _fake(points: Tensor, k: int, queries: Tensor | None) -> tuple[Tensor, Tensor]:
    rows = points.shape[0] if queries is None else queries.shape[0]
    dtype = torch.float64 if points.dtype == torch.float64 else torch.float32
    return points.new_empty((rows, k), dtype=dtype), points.new_empty((rows, k), dtype=torch.int64)


_library.impl("nearest_neighbors", _search, "CompositeExplicitAutograd")
torch.library.register_fake("fastdaae::nearest_neighbors", _fake, lib=_library)


@torch.no_grad()
def nearest_neighbors(
    points: Tensor, k: int, queries: Tensor | None = None, *, backend: str = "auto"
) -> reference.Neighbors:
    """The k nearest of points [N, D] for every query [Q, D], or for every point without its own row: Neighbors [Q, k].

    Euclidean distances, ascending, float32 (float64 for float64 points); indices int64; ties broken by the lower index;
    candidates are re-ranked by direct differences, so that distances are accurate off-centre too. A point's own row is
    left out by index, so that its duplicates stay. Not differentiable. Raises ValueError for k > N - 1 (k > N with
    queries), and for empty or non-finite sets.
    """
    if not torch.compiler.is_compiling():
        _check(points, k, queries)
    backends.choose("nearest_neighbors", backend, {"reference": None})
    return reference.Neighbors(*torch.ops.fastdaae.nearest_neighbors.default(points, k, queries))


def _check(points: Tensor, k: int, queries: Tensor | None) -> None:
    checks.require_points("points", points)
    limit, named = (len(points) - 1, "n-1") if queries is None else (len(points), "n")
    if not 1 <= k <= limit:
        raise ValueError(f"k must be in 1..{named} = {limit}, got {k}; lower k or give more points")
    if queries is None:
        return
    if queries.shape[0] or queries.dim() != 2:
        checks.require_points("queries", queries)
    if queries.shape[1] != points.shape[1]:
        raise ValueError(f"queries must have {points.shape[1]} columns as points have, got {queries.shape[1]}")
