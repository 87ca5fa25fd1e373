"""The headers that host and device share, compiled for the host, against numpy."""

import ctypes
import math
import subprocess

import numpy as np
import pytest

from fastdaae.kernels.cuda import neighbors
from tests import tools
from tests.emulation.library import HERE

F32, F64 = np.float32, np.float64


@pytest.fixture(scope="module")
def logic(tmp_path_factory):
    output = tmp_path_factory.mktemp("host_logic") / "host_logic.so"
    flags = ["-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([tools.gxx(), *flags, HERE / "host_logic.cpp", "-o", output], check=True)
    library = ctypes.CDLL(str(output))
    for name in ("candidate_capacity", "largest_k", "largest_columns"):
        getattr(library, name).restype = ctypes.c_int64
    library.screening_limit.restype = ctypes.c_float
    library.log_sum.restype = ctypes.c_double
    return library


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def limit(logic, kth: float, query_norm: float, columns: int) -> float:
    return logic.screening_limit(ctypes.c_float(kth), ctypes.c_float(query_norm), ctypes.c_int64(columns))


def test_keys_have_the_order_of_the_floats(logic):
    bits = np.random.default_rng(0).integers(0, 2**32, 100_000, dtype=np.uint32).view(F32)
    special = np.array([0.0, -0.0, math.inf, -math.inf, 1e-45, -1e-45, 1.0, -1.0], dtype=F32)
    values = np.concatenate([bits[~np.isnan(bits)], special])
    keys, back = np.empty(len(values), np.uint32), np.empty(len(values), F32)
    logic.sortable(pointer(values), ctypes.c_int64(len(values)), pointer(keys), pointer(back))
    assert (np.diff(values[np.argsort(keys)]) >= 0)[np.isfinite(np.diff(values[np.argsort(keys)]))].all()
    assert (np.argsort(keys, kind="stable")[[0, -1]] == [values.argmin(), values.argmax()]).all()
    assert len(np.unique(keys)) == len(np.unique(values.view(np.uint32)))
    np.testing.assert_array_equal(back.view(np.uint32), values.view(np.uint32))


@pytest.mark.parametrize("length", [1, 2, 4, 64, 1024])
@pytest.mark.parametrize("distinct", [1, 5, 10**9])
def test_sorting_network_breaks_ties_by_the_lower_index(logic, length, distinct):
    random = np.random.default_rng(length)
    distances = random.integers(0, distinct, length).astype(F64)
    distances[length // 2 :][random.random(length - length // 2) < 0.3] = math.inf
    indices = random.permutation(length).astype(np.int32)
    order = np.lexsort((indices, distances))
    expected = distances[order], indices[order]
    logic.bitonic_sort(pointer(distances), pointer(indices), ctypes.c_int64(length))
    np.testing.assert_array_equal(distances, expected[0])
    np.testing.assert_array_equal(indices, expected[1])


def test_capacity_is_the_smallest_power_of_two_with_room(logic):
    for k in (1, 2, 100, 127, 128, 129, 1000, 2048):
        capacity = logic.candidate_capacity(ctypes.c_int64(k), ctypes.c_int64(128))
        assert capacity & (capacity - 1) == 0 and capacity // 2 < 2 * k + 256 <= capacity


def test_launcher_and_kernel_have_the_same_limits(logic):
    assert logic.largest_k() == neighbors.LARGEST_K
    assert logic.largest_columns() == neighbors.LARGEST_COLUMNS


def screened(queries: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(float32 squared distances as the kernel screens them, float32 squared norms of the queries)."""
    center = points.mean(0)
    scale = 1 / max(np.abs(points - center).max(), np.abs(queries - center).max())
    q, p = (((rows - center) * scale).astype(F32) for rows in (queries, points))
    norms = [(side.astype(F64) ** 2).sum(1).astype(F32) for side in (q, p)]
    product = np.zeros((len(q), len(p)), F32)
    for column in range(q.shape[1]):
        product += q[:, column, None] * p[None, :, column]
    return (norms[0][:, None] + norms[1]) - F32(2) * product, norms[0]


SETS = {
    "pixels": lambda r, d: r.integers(0, 256, (300, d)) / 255,
    "far clusters": lambda r, d: r.random((300, d)) * 1e-3 + r.integers(0, 2, (300, 1)) * 100,
    "one outlier": lambda r, d: r.random((300, d)) * np.where(np.arange(300) == 7, 1e5, 1)[:, None],
    "duplicates": lambda r, d: r.random((60, d))[r.integers(0, 60, 300)],
    "all scales": lambda r, d: r.standard_normal((300, d)) * 10.0 ** r.uniform(-25, 3, (300, 1)),
}


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("columns", [1, 12, 784])
def test_no_true_neighbor_shows_beyond_the_limit(logic, kind, columns):
    points = SETS[kind](np.random.default_rng(columns), columns)
    queries = points[:20]
    shown, norms = screened(queries, points)
    true = np.stack([((row - points) ** 2).sum(1) for row in queries])
    for k in (1, 10, 299):
        kth = np.sort(shown, axis=1)[:, k - 1]
        limits = np.array([limit(logic, a, b, columns) for a, b in zip(kth, norms, strict=True)])
        among_nearest = true <= np.sort(true, axis=1)[:, k - 1 : k]
        assert (shown[among_nearest] <= np.broadcast_to(limits[:, None], shown.shape)[among_nearest]).all()
        # 8 g (|q|^2 + d^2) is all that it may give away
        g = (columns + 17) * 2.0**-24
        assert (limits - np.maximum(kth, 0) <= 8 * g * (norms + np.maximum(kth, 0)) + 1e-30).all()


def test_limit_rises_with_the_kth_distance(logic):
    kths = np.sort(np.random.default_rng(0).normal(0, 1, 2000).astype(F32))
    assert (np.diff([limit(logic, kth, 3.0, 784) for kth in kths]) >= 0).all()
    assert limit(logic, 0.0, 0.0, 784) > 0


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000])
def test_log_sum_of_any_exponents(logic, count):
    exponents = np.random.default_rng(count).uniform(-2000, 2000, count)
    exponents[count // 2 :] -= 1e5
    if count > 2:
        exponents[1] = -math.inf
    found = logic.log_sum(pointer(exponents), ctypes.c_int64(count))
    expected = np.logaddexp.reduce(exponents) if count else -math.inf
    assert found == pytest.approx(expected, rel=1e-15) if count else found == -math.inf


def test_log_sum_counts_equal_exponents(logic):
    exponents = np.full(777, -1e4)
    assert logic.log_sum(pointer(exponents), ctypes.c_int64(777)) == pytest.approx(-1e4 + math.log(777), rel=1e-15)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000])
def test_moments_keep_their_digits_far_from_zero(logic, count):
    values, found = np.random.default_rng(count).normal(1e6, 1, count), np.empty(3)
    logic.moments(pointer(values), ctypes.c_int64(count), pointer(found))
    mean = math.fsum(values) / count if count else 0.0
    assert found[0] == count and found[1] == pytest.approx(mean, rel=1e-15)
    assert found[2] == pytest.approx(math.fsum((values - mean) ** 2), rel=1e-9, abs=1e-12)
