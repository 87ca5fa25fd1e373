"""What compares points: densities, neighbours and the log-ratios of their distances."""

import importlib
import itertools
from collections.abc import Callable, Iterator

import torch

from tests.bits.operators import numbers, ops


def parzen(dtypes: tuple, shift: float, columns: int) -> Callable:
    def call(backend: str) -> dict:
        queries, samples = numbers(45, columns, seed=9, dtype=dtypes[0]), numbers(130, columns, dtype=dtypes[1])
        queries, samples = (t + shift if t.is_floating_point() else t for t in (queries, samples))
        how = [0.05, 0.1, 0.3, 1.0, 2.0]
        return {"log density": ops.parzen_log_density(queries, samples, how, backend=backend)}

    return call


def neighbors(dtype: torch.dtype, shift: float, columns: int, k: int, queries: bool) -> Callable:
    def call(backend: str) -> dict:
        points = numbers(140, columns, dtype=dtype)
        points = torch.cat((points + shift if shift else points, points[:9] + shift if shift else points[:9]))
        asked = numbers(31, columns, seed=9, dtype=dtype) if queries else None
        found = ops.nearest_neighbors(points, k, asked, backend=backend)
        return {"distances": found.distances, "indices": found.indices}

    return call


def moments(backend: str) -> dict:
    """`log_ratio_moments`, wherever a version keeps it; it has no C++ kernel."""
    try:
        call = importlib.import_module("fastdaae.ops.log_ratios").log_ratio_moments
    except ModuleNotFoundError:
        call = ops.log_ratio_moments
    distances = numbers(50, 12, seed=10).sort(1).values
    found = call(distances)
    both = {"inverse": found.inverse, "plain": found.plain}
    named = {f"{name} {field}": value for name, part in both.items() for field, value in part._asdict().items()}
    return {**named, "last": found.last}


def cases() -> Iterator[tuple[str, Callable]]:
    """(name, call) of every case of points."""
    kinds = {"uint8": torch.uint8, "fp32": torch.float32, "fp64": torch.float64, "bf16": torch.bfloat16}
    for (name, dtype), columns in itertools.product(kinds.items(), (3, 40, 800)):
        yield f"parzen {name} {columns}", parzen((dtype, dtype), 0.0, columns)
        for queries in (False, True):
            words = f"neighbors {name} {columns}{' queries' if queries else ''}"
            yield words, neighbors(dtype, 0.0, columns, 7, queries)
    for columns in (3, 40, 800):
        yield f"parzen mixed {columns}", parzen((torch.uint8, torch.float64), 0.0, columns)
        yield f"parzen off-centre {columns}", parzen((torch.float32, torch.float32), 100.0, columns)
        yield f"neighbors off-centre {columns}", neighbors(torch.float32, 100.0, columns, 30, False)
    yield "log_ratio_moments", moments
