"""The engine's neighbours: every instruction set, block and thread count against float64 brute force."""

import functools
import math
import sys

import numpy as np
import pytest
import torch

import fastdaae as fd
from fastdaae import backend
from fastdaae.kernels.compiled import load
from fastdaae.kernels.cpp import neighbors
from tests import nursery
from tests.operators.test_neighbors import brute_force

pytestmark = pytest.mark.needs_cpp
ISAS = [] if backend.CPP_PROBLEM else load().build_info()["isas"]


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def require_neighbors(found, expected):
    distances, indices = expected
    assert torch.equal(found[1], indices)
    single = found[0].dtype == torch.float32
    # the absolute part is a few of float32's smallest steps
    assert torch.allclose(found[0].double(), distances, rtol=1e-6 if single else 1e-13, atol=1e-44)


def two_far_clusters(n, columns):
    points = torch.rand(n, columns, dtype=torch.float64) * 1e-3
    points[::2] += 1.0
    return points


POINTS = {
    "pixels": lambda n, d: torch.randint(0, 256, (n, d), dtype=torch.uint8),
    "float32": torch.rand,
    "float64": lambda n, d: torch.rand(n, d, dtype=torch.float64),
    "off-centre": lambda n, d: torch.rand(n, d) + 1e4,
    "huge": lambda n, d: torch.rand(n, d) * 1e37,
    "tiny": lambda n, d: torch.rand(n, d) * 1e-37,
    "two far clusters": two_far_clusters,
    "a far outlier": lambda n, d: torch.cat([torch.rand(n - 1, d), torch.full((1, d), 1e6)]),
    "duplicates": lambda n, d: torch.rand(n // 9 + 1, d).repeat(9, 1)[:n],
    "all equal": lambda n, d: torch.full((n, d), 0.3),
    "smallest of all": lambda n, d: 5e-324 * torch.randint(0, 9, (n, d)).double(),
    "largest of all": lambda n, d: 1e149 * torch.rand(n, d, dtype=torch.float64),
    "beside tiny ones": lambda n, d: torch.rand(n, d, dtype=torch.float64) * (1e-100 ** (torch.arange(n) % 2))[:, None],
    "grid of ties": lambda n, d: torch.randint(0, 3, (n, d)).float(),
}


@functools.cache
def searched(kind: str, n: int, columns: int):
    """Points and their neighbours in float64, for all instruction sets."""
    points = POINTS[kind](n, columns)
    return points, brute_force(points, n - 1)


@pytest.mark.parametrize("kind", POINTS)
@pytest.mark.parametrize(("n", "columns"), [(2, 3), (13, 1), (14, 7), (33, 129), (500, 16), (700, 2)])
def test_every_instruction_set_is_brute_force(isa, kind, n, columns):
    points, expected = searched(kind, n, columns)
    for k in sorted({1, min(7, n - 1), n - 1}):
        found = neighbors.nearest_neighbors(points, k, None)
        require_neighbors(found, (expected[0][:, :k], expected[1][:, :k]))


@pytest.mark.parametrize("columns", [1, 2, 127, 128, 129, 784, 3000, 6000])
@pytest.mark.parametrize("n", [15, 31, 32, 97])
def test_depth_blocks_and_tile_ends(isa, n, columns):
    for points in (torch.rand(n, columns), torch.randint(0, 256, (n, columns), dtype=torch.uint8)):
        require_neighbors(neighbors.nearest_neighbors(points, 9, None), brute_force(points, 9))


@pytest.mark.parametrize("columns", [4097, 32768, 32769])
def test_sums_of_the_largest_bytes(isa, columns):
    """Whole numbers reach 2^31 at 33,026 columns, from where on bytes are multiplied as floats."""
    points = torch.randint(0, 256, (20, columns), dtype=torch.uint8)
    points[:3], points[3:5], points[5, ::2] = 255, 0, 255
    for queries in (None, points[:7] ^ 1):
        require_neighbors(neighbors.nearest_neighbors(points, 9, queries), brute_force(points, 9, queries))


@functools.cache
def in_blocks():
    """Points of several blocks, without and with ties, and their neighbours in float64."""
    return [(points, brute_force(points, 7)) for points in (torch.rand(2000, 20), torch.rand(150, 20).repeat(9, 1))]


@pytest.mark.parametrize("block", [0, 1, 100])
def test_blocks_and_threads_do_not_change_the_result(isa, threads, block, monkeypatch):
    monkeypatch.setattr(neighbors, "_BLOCK", block)
    for points, expected in in_blocks():
        require_neighbors(neighbors.nearest_neighbors(points, 7, None), expected)


def test_more_ties_than_a_list_holds(threads):
    """Four values, each 500 times: every query has far more points at distance zero than its list has entries."""
    points = torch.rand(4, 30).repeat(500, 1)
    for k in (1, 7, 600):
        require_neighbors(neighbors.nearest_neighbors(points, k, None), brute_force(points, k))


def test_points_that_arrive_ever_nearer(threads):
    points = torch.linspace(1, 0, 3000, dtype=torch.float64)[:, None] ** 2
    require_neighbors(neighbors.nearest_neighbors(points, 30, None), brute_force(points, 30))


@pytest.mark.parametrize("k", [1, 7, 2048])
def test_large_k(k):
    points = torch.rand(2600, 5, dtype=torch.float64)
    require_neighbors(neighbors.nearest_neighbors(points, k, None), brute_force(points, k))


@pytest.mark.parametrize("count", [1, 2, 13, 15, 70, 400])
def test_queries(isa, threads, count):
    for kind in ("pixels", "float32", "off-centre", "all equal", "grid of ties"):
        points = POINTS[kind](900, 12)
        queries = torch.cat([points[5:6], POINTS[kind](count, 12)])[:count]
        for k in (1, 40, 900):
            found = neighbors.nearest_neighbors(points, k, queries)
            require_neighbors(found, brute_force(points, k, queries))


def test_own_neighbors_are_those_of_queries_without_own_rows(isa):
    points = torch.rand(40, 6).repeat(3, 1)
    own = neighbors.nearest_neighbors(points, 20, None)
    asked = neighbors.nearest_neighbors(points, 120, points)
    other = asked[1] != torch.arange(120)[:, None]
    for mine, theirs in zip(own, asked, strict=True):
        assert torch.equal(mine, theirs[other].reshape(120, 119)[:, :20])


def test_permutation_permutes_the_neighbors(isa):
    points, order = torch.rand(800, 6), torch.randperm(800)
    found = neighbors.nearest_neighbors(points, 9, None)
    moved = neighbors.nearest_neighbors(points[order], 9, None)
    assert torch.equal(order[moved[1]], found[1][order]) and torch.equal(moved[0], found[0][order])


def test_instruction_sets_agree_to_the_bit_on_pixels():
    points = torch.randint(0, 256, (600, 50), dtype=torch.uint8)
    before = load().build_info()["isa"]
    found = []
    for name in ISAS:
        load().choose_isa(name)
        found.append(neighbors.nearest_neighbors(points, 20, None))
    load().choose_isa(before)
    assert all(torch.equal(a, b) for other in found for a, b in zip(other, found[0], strict=True))


def test_choice_of_backend():
    points = torch.rand(2100, 2)
    for k, queries in ((3, None), (3, points[:4].double()), (3, (points[:4] * 255).byte())):
        found = fd.ops.nearest_neighbors(points, k, queries, backend="cpp")
        plain = fd.ops.nearest_neighbors(points, k, queries, backend="reference")
        assert torch.equal(found.indices, plain.indices) and found.distances.dtype == plain.distances.dtype
    assert fd.ops.nearest_neighbors(points, 2060).indices.shape == (2100, 2060)
    with pytest.raises(RuntimeError, match="keeps at most 2048 neighbours, and k is 2060; usable here: 'reference'"):
        fd.ops.nearest_neighbors(points, 2060, backend="cpp")
    with pytest.raises(ValueError, match="points must not exceed"):
        fd.ops.nearest_neighbors(points.double() * 1e200, 3, backend="cpp")
    with pytest.raises(ValueError, match="within 1e308 of their mean"):
        # their mean is -0.57e308
        ends = torch.tensor([[-1.7e308], [1.7e308], [-1.7e308]], dtype=torch.float64)
        neighbors.nearest_neighbors(ends, 1, ends)


@pytest.mark.parametrize(
    ("message", "points", "queries"),
    [
        ("points must be a contiguous 2-D CPU tensor", torch.zeros(4), None),
        ("queries must be a contiguous 2-D CPU tensor", torch.zeros(4, 4), torch.zeros(4)),
        (r"queries must have the shape \[4, 4\] to fit the others, got \[4, 3\]", torch.zeros(4, 4), torch.zeros(4, 3)),
        ("point rows must be in 1", torch.zeros(0, 4), torch.zeros(4, 4)),
        ("columns must be in 1", torch.zeros(4, 0), None),
    ],
)
def test_the_launcher_refuses_what_it_cannot_read(message, points, queries):
    with pytest.raises(ValueError, match=message):
        neighbors.nearest_neighbors(points, 1, queries)


def test_strided_points_are_read_as_they_are():
    points = torch.rand(12, 8).T[::2]
    require_neighbors(neighbors.nearest_neighbors(points, 3, None), brute_force(points, 3))


def test_bad_k_never_reaches_the_kernel():
    for k in (0, 4, 2049):
        with pytest.raises(ValueError, match="k must be in 1"):
            neighbors.nearest_neighbors(torch.rand(4, 2), k, None)


def test_arrays_and_mapped_files(tmp_path):
    for dtype in (np.uint8, np.float32, np.float64):
        array = (np.random.default_rng(0).random((60, 5)) * 255).astype(dtype)
        array.tofile(tmp_path / "points")
        mapped = np.memmap(tmp_path / "points", dtype, "r", shape=(60, 5))
        expected = fd.ops.nearest_neighbors(torch.from_numpy(array), 4)
        for form in (array, mapped, np.asfortranarray(array), array[::-1][::-1]):
            found = fd.ops.nearest_neighbors(form, 4)
            assert torch.equal(found.indices, expected.indices) and torch.equal(found.distances, expected.distances)
    with pytest.raises(TypeError, match="points must be uint8"):
        fd.ops.nearest_neighbors(np.zeros((4, 2), dtype=">f4"), 1)


MAPPED = """
import re, resource, sys, warnings
warnings.filterwarnings("error", category=UserWarning, module="torch$")
import numpy as np, torch
import fastdaae as fd
from fastdaae.kernels.cpp import neighbors
torch.set_num_threads(1)
neighbors._BLOCK = 64
points = np.memmap(sys.argv[1], np.uint8, "r", shape=(2048, 32768))
small = np.memmap(sys.argv[1], np.uint8, "r", shape=(64, 32))
fd.IntrinsicDimension(k=5).fit(small)
held = int(re.search(r"VmData:\\s+(\\d+)", open("/proc/self/status").read())[1]) << 10
limit = held + (48 << 20)
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
found = fd.ops.nearest_neighbors(points, 5)
asked = fd.ops.nearest_neighbors(points, 6, points[7:9])
dimension = fd.IntrinsicDimension(k=5).fit(points)
assert (asked.indices[0, 1:] == found.indices[7]).all()
print("within", dimension.duplicates_)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit on private memory is Linux's")
def test_a_mapped_file_larger_than_the_memory_allowed(tmp_path):
    """64 MiB of points with 48 MiB of memory; as many bytes in RAM would not fit, let alone as float32."""
    points = np.random.default_rng(0).integers(0, 256, (2048, 32768), dtype=np.uint8)
    points[1000] = points[3]
    points.tofile(tmp_path / "points")
    done = nursery.run(MAPPED, tmp_path / "points")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["within", "1"]


def test_dimension_of_a_mapped_file_is_that_of_its_array(tmp_path):
    points = np.random.default_rng(0).random((300, 4)).astype(np.float32)
    points[[7, 200]] = points[[3, 3]]
    points[11], points[12] = 0.0, -0.0
    points.tofile(tmp_path / "points")
    mapped = np.memmap(tmp_path / "points", np.float32, "r", shape=(300, 4))
    with pytest.warns(UserWarning, match="3 of 300 rows repeat"):
        found = fd.IntrinsicDimension(k=9).fit(mapped)
    with pytest.warns(UserWarning, match="3 of 300 rows repeat"):
        expected = fd.IntrinsicDimension(k=9).fit(points)
    assert found.dimension_ == expected.dimension_ and found.n_features_in_ == 4


@pytest.mark.needs_data
@pytest.mark.slow
def test_mnist_is_float64_brute_force():
    images = fd.data.load("mnist").train.images[:10_000].flatten(1).contiguous()
    found = fd.ops.nearest_neighbors(images, 100, backend="cpp")
    rows = images.double()  # whole numbers below 2^53: products and sums are exact
    norms = rows.square().sum(1)
    for start in range(0, len(rows), 1000):
        squared = norms[start : start + 1000, None] + norms - 2 * rows[start : start + 1000] @ rows.T
        squared.diagonal(start).fill_(math.inf)
        # whole numbers below 2^53 again, which the index tells apart where distances tie
        order = (squared * len(rows) + torch.arange(len(rows))).topk(100, dim=1, largest=False).indices
        assert torch.equal(found.indices[start : start + 1000], order)
        assert torch.equal(found.distances[start : start + 1000], (squared.gather(1, order).sqrt() / 255).float())
