"""`nearest_neighbors`: exact Euclidean neighbours, ties broken by the lower index."""

import numpy as np
import torch
from torch import Tensor

from fastdaae import backend as backends
from fastdaae import reference
from fastdaae.kernels import cuda_neighbors, engine_neighbors
from fastdaae.ops import checks

_library = torch.library.Library("fastdaae", "FRAGMENT")
_library.define("nearest_neighbors(Tensor points, int k, Tensor? queries) -> (Tensor, Tensor)")
_library.define("cpp_nearest_neighbors(Tensor points, int k, Tensor? queries) -> (Tensor, Tensor)")


def _search(points: Tensor, k: int, queries: Tensor | None) -> tuple[Tensor, Tensor]:
    return tuple(reference.nearest_neighbors(points, k, queries))


def _search_on_cuda(points: Tensor, k: int, queries: Tensor | None) -> tuple[Tensor, Tensor]:
    if _cuda_problem(points, k) is not None or (queries is not None and not len(queries)):
        return _search(points, k, queries)
    dtype = _result_dtype(points)
    points, queries, unit = _multiplied(*_alike(points, queries))
    found = cuda_neighbors.nearest_neighbors(points, k, queries)
    rows = found.gave_up.nonzero().flatten()
    if len(rows):
        found.distances[rows], found.indices[rows] = _search_rows(points, k, queries, rows)
    return (found.distances / unit).to(dtype), found.indices


def _search_on_engine(points: Tensor, k: int, queries: Tensor | None) -> tuple[Tensor, Tensor]:
    if queries is not None and not len(queries):
        return _search(points, k, queries)
    dtype = _result_dtype(points)
    points, queries = _alike(points, queries)
    distances, indices = engine_neighbors.nearest_neighbors(points, k, queries)
    return distances.to(dtype), indices


def _result_dtype(points: Tensor) -> torch.dtype:
    return torch.float64 if points.dtype == torch.float64 else torch.float32


def _alike(points: Tensor, queries: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Both contiguous and of one dtype that holds the values of both: uint8 among bytes, else float32 or float64."""
    dtypes = {points.dtype} if queries is None else {points.dtype, queries.dtype}
    if dtypes != {torch.uint8}:
        # value / 255 needs float64
        wide = torch.float64 in dtypes or torch.uint8 in dtypes
        as_floats = reference.as_double if wide else reference.as_float
        points, queries = as_floats(points), None if queries is None else as_floats(queries)
    return points.contiguous(), None if queries is None else queries.contiguous()


def _multiplied(points: Tensor, queries: Tensor | None) -> tuple[Tensor, Tensor | None, float]:
    """What the CUDA kernel compares, float32 or float64, and the factor: whole numbers of bytes, doubles lifted."""
    if points.dtype == torch.float32:
        return points, queries, 1.0
    if points.dtype == torch.uint8:
        return points.float(), None if queries is None else queries.float(), 255.0
    unit = reference.lift(points, points if queries is None else queries)
    return points * unit, None if queries is None else queries * unit, unit


def _search_rows(points: Tensor, k: int, queries: Tensor | None, rows: Tensor) -> tuple[Tensor, Tensor]:
    """The reference for some of the queries: among mass duplicates more points tie than the kernel's lists hold."""
    if queries is not None:
        return _search(points, k, queries[rows])
    # one more is asked for, so that k are left without the row itself, wherever it stands among its duplicates
    distances, indices = _search(points, k + 1, points[rows])
    left_out = indices == rows[:, None]
    left_out[:, -1] |= ~left_out.any(1)
    return distances[~left_out].reshape(-1, k), indices[~left_out].reshape(-1, k)


def _fake(points: Tensor, k: int, queries: Tensor | None) -> tuple[Tensor, Tensor]:
    rows = points.shape[0] if queries is None else queries.shape[0]
    return points.new_empty((rows, k), dtype=_result_dtype(points)), points.new_empty((rows, k), dtype=torch.int64)


_library.impl("nearest_neighbors", _search, "CompositeExplicitAutograd")
_library.impl("nearest_neighbors", _search_on_cuda, "CUDA")
_library.impl("cpp_nearest_neighbors", _search_on_engine, "CPU")
torch.library.register_fake("fastdaae::nearest_neighbors", _fake, lib=_library)
torch.library.register_fake("fastdaae::cpp_nearest_neighbors", _fake, lib=_library)


def _cuda_problem(points: Tensor, k: int) -> str | None:
    if k > cuda_neighbors.LARGEST_K:
        return f"it keeps at most {cuda_neighbors.LARGEST_K} neighbours, and k is {k}"
    if points.shape[1] > cuda_neighbors.LARGEST_COLUMNS:
        return f"it takes at most {cuda_neighbors.LARGEST_COLUMNS} columns, and points have {points.shape[1]}"
    return cuda_neighbors.problem(points)


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
    ValueError for k > N - 1 (k > N with queries), for empty or non-finite sets, and for magnitudes beyond 1e150 /
    sqrt(D) or, where distances are float32, 1.7e38 / sqrt(D); RuntimeError for a named backend that cannot run.
    """
    points, queries = checks.as_tensor("points", points), checks.as_tensor("queries", queries)
    if not torch.compiler.is_compiling():
        _check(points, k, queries)
    problems = {
        "cuda": _cuda_problem(points, k),
        "cpp": engine_neighbors.problem(points, k),
        "reference": None,
    }
    chosen = backends.choose("nearest_neighbors", backend, problems)
    if chosen == "cpp":
        return reference.Neighbors(*torch.ops.fastdaae.cpp_nearest_neighbors.default(points, k, queries))
    if chosen == "reference" and points.is_cuda:
        # past the registered operator, which runs the CUDA kernel
        return reference.nearest_neighbors(points, k, queries)
    return reference.Neighbors(*torch.ops.fastdaae.nearest_neighbors.default(points, k, queries))


def _check(points: Tensor, k: int, queries: Tensor | None) -> None:
    checks.require_points("points", points, distances=_result_dtype(points))
    limit, named = (len(points) - 1, "n-1") if queries is None else (len(points), "n")
    if not 1 <= k <= limit:
        raise ValueError(f"k must be in 1..{named} = {limit}, got {k}; lower k or give more points")
    if queries is None:
        return
    if queries.shape[0] or queries.dim() != 2:
        checks.require_points("queries", queries, distances=_result_dtype(points))
    if queries.shape[1] != points.shape[1]:
        raise ValueError(f"queries must have {points.shape[1]} columns as points have, got {queries.shape[1]}")
    if queries.device != points.device:
        raise ValueError(f"queries must be on the device of points, {points.device}, got {queries.device}")
