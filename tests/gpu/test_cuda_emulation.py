"""The CUDA kernels' own bodies, run on the CPU by an emulated thread block, against brute force and numpy."""

import subprocess

import numpy as np
import pytest
import torch

import fastdaae as fd
from fastdaae.kernels import compiled as compiled_module
from fastdaae.kernels.cuda import device, neighbors
from fastdaae.ops.log_ratios import log_ratio_moments
from tests.emulation import library
from tests.operators.test_neighbors import POINTS, brute_force


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    output = tmp_path_factory.mktemp("emulated") / "kernels.so"
    return library.compile_emulated(output, "-O2", "-shared", "-fPIC", entry="kernels.cpp")


@pytest.fixture
def kernels(compiled, monkeypatch):
    """The operators on host tensors, launching the emulated kernels."""
    module = library.EmulatedModule(compiled)
    module.set_order_seed(0)
    monkeypatch.setattr(compiled_module, "load", lambda: module)
    monkeypatch.setattr(device, "place_of", library.on_host)
    monkeypatch.setattr(device, "problem", lambda x: None)
    return module


def search(points, k, queries=None):
    """The neighbours that the room finds, what the kernel gave up included."""
    return neighbors.nearest_neighbors(points, k, queries)


def assert_exact(points, k, queries=None):
    found, (distances, indices) = search(points, k, queries), brute_force(points, k, queries)
    assert torch.equal(found.indices, indices)
    assert found.distances.dtype == (torch.float64 if points.dtype == torch.float64 else torch.float32)
    assert torch.allclose(found.distances.double(), distances, rtol=1e-6, atol=1e-12)


def gave_up(points, k, queries=None):
    return neighbors.search(points, k, queries).gave_up


@pytest.mark.parametrize("kind", POINTS)
def test_neighbors_are_those_of_brute_force(kernels, kind):
    points = POINTS[kind]()
    for k in sorted({1, min(7, len(points) - 1), len(points) - 1}):
        assert_exact(points, k)


@pytest.mark.parametrize("columns", [1, 15, 16, 17, 70])
@pytest.mark.parametrize("rows", [2, 3, 127, 128, 129])
def test_odd_shapes(kernels, rows, columns):
    points, queries = torch.rand(rows, columns), torch.rand(1 + rows // 60, columns)
    assert_exact(points, min(5, rows - 1))
    assert_exact(points, min(5, rows), queries)


def test_one_point(kernels):
    assert_exact(torch.rand(1, 3), 1, torch.rand(2, 3))
    assert search(torch.rand(4, 3), 2, torch.rand(0, 3)).indices.shape == (0, 2)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_the_threads_changes_nothing(kernels, seed):
    points, queries = torch.cat([torch.rand(700, 9), torch.full((60, 9), 0.5)]), torch.rand(5, 9)
    distances = torch.rand(150, 37).sort(dim=1).values
    results = []
    for order in (0, seed):
        kernels.set_order_seed(order)
        moments = log_ratio_moments(distances, backend="cuda")
        results.append([*search(points, 30, queries), *search(points[:140], 4), *moments.inverse, *moments.plain])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_chunks_do_not_change_the_result(kernels, monkeypatch):
    points = torch.rand(300, 5)
    whole = search(points, 6)
    monkeypatch.setattr(neighbors, "SCRATCH_BYTES", 1)
    assert all(torch.equal(a, b) for a, b in zip(search(points, 6), whole, strict=True))


@pytest.mark.parametrize("order", ["farthest first", "nearest first", "random"])
def test_full_lists_are_cut_back_in_any_order_of_the_points(kernels, order):
    queries = torch.rand(3, 4)
    points = torch.rand(2500, 4)
    by_distance = (points - queries[0]).norm(dim=1).argsort()
    points = points[{"farthest first": by_distance.flip(0), "nearest first": by_distance}.get(order, slice(None))]
    assert not gave_up(points, 20, queries).any()
    assert_exact(points, 20, queries)


def test_the_largest_k(kernels):
    kernels.capacity = 4096  # half of its own, so that lists fill
    points, queries = torch.rand(5000, 3), torch.rand(2, 3)
    assert not gave_up(points, 2048, queries).any()
    assert_exact(points, 2048, queries)


def test_mass_duplicates_are_given_up_and_found_by_the_reference(kernels):
    points = torch.cat([torch.full((450, 3), 0.25), torch.rand(150, 3)])[torch.randperm(600)]
    repeated = (points == 0.25).all(1)
    given_up = gave_up(points, 9)
    assert given_up[repeated].all() and not given_up.all()
    assert_exact(points, 9)
    assert gave_up(points, 9, points[repeated][:4]).all()
    assert_exact(points, 9, points[:4])


def test_nan_enters_no_list(kernels, monkeypatch):
    """NaN compares with nothing: not even the limit of a row that was given up may let it in."""
    monkeypatch.setattr(neighbors, "_center_and_scale", lambda *sides: (torch.zeros(3), torch.ones(())))
    points = torch.cat([torch.full((450, 3), 0.25), torch.rand(151, 3) * 0.1 - 0.9])
    points[600] = torch.nan
    kernels.set_order_seed(1)
    distances, indices, given_up = neighbors.search(points, 9, None)
    assert given_up[:450].all() and given_up[600] and not given_up[450:600].any()
    expected_distances, expected = brute_force(points[:600], 9)
    assert torch.equal(indices[450:600], expected[450:600])
    assert torch.allclose(distances[450:600].double(), expected_distances[450:600], rtol=1e-6)


def test_far_outliers_and_clusters(kernels):
    points = torch.rand(400, 6)
    points[7] = 300.0
    assert not gave_up(points, 5).any()
    assert_exact(points, 5)
    assert_exact(torch.rand(200, 4) * 1e-4 + torch.randint(0, 2, (200, 1)) * 100.0, 5)


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e30])
def test_float64_of_any_scale(kernels, scale):
    points = torch.rand(150, 6, dtype=torch.float64) * scale
    assert torch.equal(search(points, 8).indices, brute_force(points, 8)[1])
    assert torch.allclose(search(points, 8).distances, brute_force(points, 8)[0], rtol=1e-12, atol=0)


def test_queries_of_another_dtype(kernels):
    points, queries = torch.randint(0, 256, (90, 8), dtype=torch.uint8), torch.rand(4, 8, dtype=torch.float64)
    assert_exact(points, 5, queries)
    assert_exact(points.double() / 255, 5, queries.half())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("rows", "k"), [(2, 2), (3, 3), (63, 31), (64, 32), (65, 33), (200, 34), (130, 100), (2500, 5)]
)
def test_log_ratio_moments(kernels, rows, k, dtype):
    distances = (torch.rand(rows, k, dtype=torch.float64).cumsum(1) + 0.01).to(dtype)
    found, logs = log_ratio_moments(distances, backend="cuda"), np.log(distances.double().numpy())
    ratios = np.stack([logs[:, c] - logs[:, :c].mean(1) for c in range(1, k)], axis=1)
    for moments, values in ((found.inverse, 1 / ratios), (found.plain, ratios)):
        np.testing.assert_allclose(moments.mean, values.mean(0), rtol=1e-12)
        np.testing.assert_allclose(moments.squares, values.var(0) * rows, rtol=1e-10)
    np.testing.assert_allclose(found.last, ratios[:, -1], rtol=1e-12)
    for ours, theirs in zip(found, log_ratio_moments(distances, backend="reference"), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("rows", "k"), [(3, 3), (130, 33), (200, 70)])
def test_log_ratio_moments_where_distances_tie(kernels, rows, k, dtype):
    distances = (torch.rand(rows, k, dtype=torch.float64).cumsum(1) + 0.3).to(dtype)
    tied = torch.arange(rows) % (k + 1)  # as many of a point's nearest are at one distance, none or one to all
    distances = torch.where(torch.arange(k) < tied[:, None], distances[:, :1], distances)
    distances[:64] = distances[:64, :1]  # a block of the kernel that has nothing to count
    found, expected = (log_ratio_moments(distances, backend=name) for name in ("cuda", "reference"))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=0)
    counted = (distances[:, 1:] > distances[:, :1]).sum(0).double()
    assert torch.equal(found.inverse.count, counted) and torch.equal(
        found.plain.count, torch.full((k - 1,), 1.0 * rows)
    )
    assert torch.isfinite(found.inverse.mean).all() and (found.last[:64] == 0).all()


@pytest.mark.parametrize("estimator", ["mle", "mackay", "twonn"])
def test_the_estimator_reads_the_kernel_s_moments(kernels, monkeypatch, estimator):
    points = torch.rand(150, 4)
    fitted = fd.IntrinsicDimension(k=12, estimator=estimator).fit(points)
    monkeypatch.undo()
    expected = fd.IntrinsicDimension(k=12, estimator=estimator).fit(points)
    for name in ("dimension_", "standard_error_", "dimension_pw_", "dimension_per_k_"):
        np.testing.assert_allclose(getattr(fitted, name), getattr(expected, name), rtol=1e-10)


@pytest.mark.slow
def test_no_kernel_leaves_its_memory(tmp_path):
    """A program under AddressSanitizer: arrays of exact size, results against brute force."""
    flags = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
    program = library.compile_emulated(tmp_path / "sanitized", *flags, entry="sanitized.cpp")
    done = subprocess.run([program], capture_output=True, text=True, env={"ASAN_OPTIONS": "detect_leaks=0"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 searches and 4 moments agree, NaN is let in nowhere" in done.stdout


@pytest.mark.parametrize(("case", "message"), [("0", "never by the others"), ("1", "is not aligned")])
def test_the_emulation_finds_faults(tmp_path, case, message):
    program = library.compile_emulated(tmp_path / "faults", "-O1", entry="faults.cpp", kernels=[])
    done = subprocess.run([program, case], capture_output=True, text=True)
    assert done.returncode != 0 and message in done.stderr
