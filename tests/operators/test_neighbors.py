"""Neighbours: float64 brute force, ties, laws, and numbers at their ends."""

import math

import pytest
import torch
from sklearn.datasets import load_digits

import fastdaae as fd
from fastdaae import reference

BACKENDS = ["reference", pytest.param("cpp", marks=pytest.mark.needs_cpp)]


def brute_force(points: torch.Tensor, k: int, queries: torch.Tensor | None = None):
    """Direct differences of the values as given, bytes in whole numbers; own rows out, ties to the lower index."""
    asked = points if queries is None else queries
    bytes_alone = points.dtype == asked.dtype == torch.uint8
    p, q = (x.double() if bytes_alone else reference.as_double(x) for x in (points, asked))
    # a power of two keeps the squares of the smallest numbers from vanishing
    largest = max(float(p.abs().max()), float(q.abs().max()))
    unit = 2.0 ** min(1000, -math.frexp(largest)[1]) if largest < 1e-100 else 1.0
    squared = torch.stack([(row * unit - p * unit).square().sum(1) for row in q])
    if queries is None:
        squared.fill_diagonal_(math.inf)
    order = squared.argsort(dim=1, stable=True)[:, :k]
    return squared.gather(1, order).sqrt() / (255.0 if bytes_alone else unit), order


POINTS = {
    "pixels": lambda: torch.randint(0, 256, (120, 50), dtype=torch.uint8),
    "float32": lambda: torch.rand(150, 20),
    "float64": lambda: torch.rand(90, 7, dtype=torch.float64),
    "off-centre": lambda: torch.rand(100, 12) + 1e4,
    "duplicates": lambda: torch.rand(10, 6).repeat(9, 1),
    "all equal": lambda: torch.full((30, 5), 0.5),
    "grid of ties": lambda: torch.cartesian_prod(torch.arange(6.0), torch.arange(6.0)),
    "strided": lambda: torch.rand(200, 30)[::2, 1::3],
    "two points": lambda: torch.rand(2, 3),
    "few bytes": lambda: torch.randint(0, 6, (80, 3), dtype=torch.uint8),
    "two clusters far apart": lambda: torch.cat(
        [offset + 1e-9 * torch.rand(50, 4, dtype=torch.float64) for offset in (0.0, 1e8)]
    ),
    "float32 far off-centre": lambda: torch.randint(0, 40, (90, 5)).float() / 16 + 1e6,
    "tiny": lambda: 1e-200 * torch.rand(60, 4, dtype=torch.float64),
    "smallest of all": lambda: 5e-324 * torch.randint(0, 9, (60, 3)).double(),
    "smallest in float32": lambda: 1e-45 * torch.randint(0, 9, (60, 3)),
    "large": lambda: 1e149 * torch.randn(60, 4, dtype=torch.float64),
    "large in float32": lambda: 1e37 * torch.randn(60, 4),
}
# ties among quotients are asked for in one column alone: sums of several round as their order has it
MIXED = {
    "bytes among floats": lambda: (torch.randint(0, 9, (90, 1)) / 255.0, torch.randint(0, 9, (30, 1)).byte()),
    "floats among bytes": lambda: (torch.randint(0, 9, (90, 1)).byte(), torch.randint(0, 9, (30, 1)) / 255.0),
    "bytes among doubles": lambda: (
        torch.randint(0, 9, (90, 1)).double() / 255,
        torch.randint(0, 9, (30, 1)).byte(),
    ),
    "floats among doubles": lambda: (torch.rand(90, 4, dtype=torch.float64) * 1e-7 + 1, torch.rand(30, 4) * 1e-6 + 1),
    "doubles among floats": lambda: (torch.rand(90, 4) * 1e-6 + 1, torch.rand(30, 4, dtype=torch.float64) * 1e-7 + 1),
    "halves among bytes": lambda: (torch.randint(0, 256, (90, 4)).byte(), torch.rand(30, 4).half()),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", POINTS)
def test_neighbors_are_those_of_brute_force(kind, backend):
    points = POINTS[kind]()
    for k in sorted({1, min(7, len(points) - 1), len(points) - 1}):
        found = fd.ops.nearest_neighbors(points, k, backend=backend)
        require_neighbors(found, points, brute_force(points, k))


def require_neighbors(found, points, expected):
    distances, indices = expected
    assert torch.equal(found.indices, indices)
    assert found.distances.dtype == (torch.float64 if points.dtype == torch.float64 else torch.float32)
    # the absolute part is a few of float32's smallest steps
    close = {"rtol": 1e-13, "atol": 0.0} if points.dtype == torch.float64 else {"rtol": 1e-6, "atol": 1e-44}
    assert torch.allclose(found.distances.double(), distances, **close)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", MIXED)
def test_queries_of_another_dtype_are_compared_as_they_are(kind, backend):
    points, queries = MIXED[kind]()
    found = fd.ops.nearest_neighbors(points, 12, queries, backend=backend)
    require_neighbors(found, points, brute_force(points, 12, queries))


@pytest.mark.parametrize("backend", BACKENDS)
def test_bytes_that_tie_are_told_apart_by_index_alone(backend):
    points = torch.tensor([[8], [6], [7]], dtype=torch.uint8)
    assert fd.ops.nearest_neighbors(points, 1, backend=backend).indices.flatten().tolist() == [2, 2, 0]
    digits = torch.from_numpy(load_digits().data[:1297]).byte()
    found = fd.ops.nearest_neighbors(digits, 10, backend=backend)
    require_neighbors(found, digits, brute_force(digits, 10))


@pytest.mark.parametrize("backend", BACKENDS)
def test_points_across_the_whole_range_of_float64(backend):
    """A cluster of 1e-200 across beside points of size 1: squares of its differences leave float64."""
    points = torch.cat([1e-200 * torch.rand(20, 3, dtype=torch.float64), torch.rand(20, 3, dtype=torch.float64)])
    found = fd.ops.nearest_neighbors(points, 5, backend=backend)
    near, far = points[:20], points[20:]
    assert torch.equal(found.indices[:20], brute_force(near, 5)[1])
    assert torch.allclose(found.distances[:20], brute_force(near, 5)[0], rtol=1e-13, atol=0)
    distances = torch.cat([torch.cdist(far, near), torch.cdist(far, far).fill_diagonal_(math.inf)], dim=1)
    assert torch.allclose(found.distances[20:], distances.sort(dim=1).values[:, :5], rtol=1e-7, atol=0)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_that_of_its_float32_values(dtype, backend):
    points, queries = (torch.rand(70, 9) * 4).to(dtype), torch.rand(8, 9).to(dtype)
    for asked in (None, queries):
        found = fd.ops.nearest_neighbors(points, 6, asked, backend=backend)
        widened = None if asked is None else asked.float()
        expected = fd.ops.nearest_neighbors(points.float(), 6, widened, backend=backend)
        assert torch.equal(found.indices, expected.indices) and torch.equal(found.distances, expected.distances)


@pytest.mark.parametrize("backend", BACKENDS)
def test_queries_are_searched_among_all_points(backend):
    points, queries = torch.rand(60, 8), torch.rand(9, 8)
    queries[3] = points[40]
    found = fd.ops.nearest_neighbors(points, 60, queries, backend=backend)
    distances, indices = brute_force(points, 60, queries)
    assert torch.equal(found.indices, indices) and found.indices[3, 0] == 40 and found.distances[3, 0] == 0
    assert torch.allclose(found.distances.double(), distances, rtol=1e-6)
    assert fd.ops.nearest_neighbors(points, 5, queries[:0], backend=backend).distances.shape == (0, 5)


def test_blocks_do_not_change_the_result(monkeypatch):
    points = torch.rand(90, 7)
    whole = fd.ops.nearest_neighbors(points, 5, backend="reference")
    monkeypatch.setattr("fastdaae.reference.numbers.BLOCK", 700)
    cut = fd.ops.nearest_neighbors(points, 5, backend="reference")
    assert all(torch.equal(a, b) for a, b in zip(cut, whole, strict=True))


@pytest.mark.parametrize("backend", BACKENDS)
def test_permutation_permutes_the_neighbors(backend):
    points, order = torch.rand(80, 6), torch.randperm(80)
    found, moved = (fd.ops.nearest_neighbors(p, 4, backend=backend) for p in (points, points[order]))
    assert torch.equal(order[moved.indices], found.indices[order])
    assert torch.equal(moved.distances, found.distances[order])


def test_registration():
    torch.library.opcheck(torch.ops.fastdaae.nearest_neighbors, (torch.rand(9, 3), 4, None))
    torch.library.opcheck(torch.ops.fastdaae.nearest_neighbors, (torch.rand(9, 3), 4, torch.rand(2, 3)))
    points = torch.rand(30, 4)
    compiled = torch.compile(lambda p: fd.ops.nearest_neighbors(p, 5), fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(points).indices, fd.ops.nearest_neighbors(points, 5).indices)


@pytest.mark.needs_cpp
def test_registration_of_the_engine():
    operator = torch.ops.fastdaae.cpp_nearest_neighbors
    torch.library.opcheck(operator, (torch.rand(9, 3), 4, None))
    torch.library.opcheck(operator, (torch.rand(9, 3, dtype=torch.float64), 4, torch.rand(2, 3)))
    torch.library.opcheck(operator, (torch.zeros(9, 3, dtype=torch.uint8), 4, torch.zeros(2, 3, dtype=torch.uint8)))


@pytest.mark.parametrize(
    ("message", "call"),
    [
        (r"k must be in 1\.\.n-1 = 99, got 100", lambda p: fd.ops.nearest_neighbors(p, 100)),
        (r"k must be in 1\.\.n-1 = 99, got 0", lambda p: fd.ops.nearest_neighbors(p, 0)),
        (r"k must be in 1\.\.n = 100, got 101", lambda p: fd.ops.nearest_neighbors(p, 101, p)),
        ("points must not be empty", lambda p: fd.ops.nearest_neighbors(p[:0], 1)),
        ("points must be finite", lambda p: fd.ops.nearest_neighbors(p / 0, 1)),
        ("queries must have 3 columns as points have, got 2", lambda p: fd.ops.nearest_neighbors(p, 1, p[:, :2])),
        (
            r"points must not exceed 9\.823e\+37 in magnitude, .* of 3 columns fit torch.float32, got 3e\+38; scale",
            lambda p: fd.ops.nearest_neighbors(p * 0 + 3e38, 1),
        ),
        (
            r"queries must not exceed 5\.774e\+149 in magnitude, .* torch.float64, got 1e\+200",
            lambda p: fd.ops.nearest_neighbors(p.double(), 1, p.double() * 0 - 1e200),
        ),
        (
            r"queries must not exceed 9\.8\d*e\+37 in magnitude, .* torch.float32, got 1e\+100",
            lambda p: fd.ops.nearest_neighbors(p, 1, p.double() * 0 + 1e100),
        ),
    ],
)
def test_bad_input_is_one_clear_line(message, call):
    with pytest.raises(ValueError, match=message):
        call(torch.rand(100, 3))


# the estimator
