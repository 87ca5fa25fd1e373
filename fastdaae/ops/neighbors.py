"""`nearest_neighbors`: exact Euclidean neighbours, ties broken by the lower index."""

import numpy as np
import torch
from torch import Tensor

from fastdaae import reference
from fastdaae.arguments import is_number, whole
from fastdaae.kernels.memory import empty_neighbors
from fastdaae.kernels.registration import operator
from fastdaae.ops import checks, rooms


def _search(points: Tensor, k: int, queries: Tensor | None) -> tuple[Tensor, Tensor]:
    found = reference.nearest_neighbors(points, k, queries)
    return found.distances, found.indices


# registered, since a traced graph cannot hold loops that depend on the data
_reference = operator(
    "nearest_neighbors(Tensor points, int k, Tensor? queries) -> (Tensor, Tensor)",
    _search,
    empty_neighbors,
    "CompositeExplicitAutograd",
)


@torch.no_grad()
def nearest_neighbors(
    points: Tensor | np.ndarray, k: int, queries: Tensor | np.ndarray | None = None, *, backend: str = "auto"
) -> reference.Neighbors:
    """The k nearest of points [N, D] for every query [Q, D], or for every point without its own row: Neighbors [Q, k].

    points and queries are uint8 (value / 255) or floating, tensors or numpy arrays; a contiguous np.memmap of uint8,
    float32 or float64 is read where it is and may be larger than memory. Euclidean distances, ascending, float32
    (float64 for float64 points); indices int64; ties broken by the lower index; candidates are re-ranked by direct
    differences of the values as given, whole numbers among bytes and else float64, so that distances are accurate
    off-centre too. A point's own row is left out by index, so that its duplicates stay. Not differentiable. Raises
    TypeError for arguments in another order or for a k that is no whole number, ValueError for k > N - 1 (k > N with
    queries), for empty or non-finite sets, and for magnitudes beyond 1e150 / sqrt(D) or, where distances are float32,
    1.7e38 / sqrt(D); RuntimeError for a named backend that cannot run.
    """
    k = _whole(points, k)
    points, queries = checks.as_tensor("points", points), checks.as_tensor("queries", queries)
    if not torch.compiler.is_compiling():
        _check(points, k, queries)
    room = rooms.choose("nearest_neighbors", backend, "neighbors", points, k)
    search = _reference if room is None else room.neighbors.nearest_neighbors
    return reference.Neighbors(*search(points, k, queries))


def _whole(points, k) -> int:
    """k as an int; raises TypeError, with the signature, for sets and numbers in each other's place."""
    got = None
    if isinstance(k, Tensor | np.ndarray) and k.ndim:
        got = f"k must be a whole number, got {checks.shown(k)}"
    elif is_number(points):
        got = f"points must be [N, D], got {points!r}"
    if got:
        raise TypeError(
            f"{got}; the order is nearest_neighbors(points, k, queries=None): the k nearest of points for each query, "
            "as in nearest_neighbors(points, 5, queries=queries)"
        )
    return whole("k", k)


def _check(points: Tensor, k: int, queries: Tensor | None) -> None:
    how = {"distances": reference.distance_dtype(points)}
    if queries is None:
        checks.require_points("points", points, **how)
    else:
        checks.require_pair("points", points, queries, **how)
        if queries.device != points.device:
            raise ValueError(f"queries must be on the device of points, {points.device}, got {queries.device}")
    limit, named = (len(points) - 1, "n-1") if queries is None else (len(points), "n")
    if not 1 <= k <= limit:
        raise ValueError(f"k must be in 1..{named} = {limit}, got {k}; lower k or give more points")
