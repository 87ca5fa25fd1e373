"""Neighbours and intrinsic dimension on a CUDA device, against brute force and the reference."""

import numpy as np
import pytest
import torch

import fastdaae as fd
from fastdaae import reference
from fastdaae.evaluation.estimators.rows import _first_of_equals, _first_of_equals_on_device
from fastdaae.kernels.cuda import neighbors
from fastdaae.ops.log_ratios import log_ratio_moments
from tests.operators.test_neighbors import POINTS, brute_force

pytestmark = [pytest.mark.needs_cuda, pytest.mark.needs_cuda_build]


def search(points, k, queries=None, backend="cuda"):
    queries = None if queries is None else queries.cuda()
    found = fd.ops.nearest_neighbors(points.cuda(), k, queries, backend=backend)
    return reference.Neighbors(found.distances.cpu(), found.indices.cpu())


def assert_exact(points, k, queries=None):
    found, (distances, indices) = search(points, k, queries), brute_force(points, k, queries)
    assert torch.equal(found.indices, indices)
    assert found.distances.dtype == (torch.float64 if points.dtype == torch.float64 else torch.float32)
    assert torch.allclose(found.distances.double(), distances, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("kind", POINTS)
def test_neighbors_are_those_of_brute_force(kind):
    points = POINTS[kind]()
    for k in sorted({1, min(7, len(points) - 1), len(points) - 1}):
        assert_exact(points, k)


@pytest.mark.parametrize("columns", [1, 15, 16, 17, 70])
@pytest.mark.parametrize("rows", [2, 3, 127, 128, 129])
def test_odd_shapes(rows, columns):
    points, queries = torch.rand(rows, columns), torch.rand(1 + rows // 60, columns)
    assert_exact(points, min(5, rows - 1))
    assert_exact(points, min(5, rows), queries)


def test_empty_queries_and_other_dtypes():
    points = torch.randint(0, 256, (90, 8), dtype=torch.uint8)
    assert search(points, 2, points[:0]).indices.shape == (0, 2)
    assert_exact(points, 5, torch.rand(4, 8, dtype=torch.float64))


def test_the_largest_k_and_beyond():
    points, queries = torch.rand(20_000, 3), torch.rand(150, 3)
    assert_exact(points, 2048, queries)
    with pytest.raises(RuntimeError, match="keeps at most 2048 neighbours, and k is 2049"):
        search(points, 2049, queries)
    assert search(points, 2049, queries[:2], backend="auto").indices.shape == (2, 2049)


def test_mass_duplicates():
    assert_exact(torch.cat([torch.full((900, 3), 0.25), torch.rand(300, 3)])[torch.randperm(1200)], 9)


def test_many_images_and_chunks(monkeypatch):
    images = torch.randint(0, 256, (20_000, 784), dtype=torch.uint8)
    whole = search(images, 100)
    rows = torch.randint(0, len(images), (50,))
    distances = torch.cdist(images[rows].double() / 255, images.double() / 255)
    distances[torch.arange(50), rows] = torch.inf
    assert torch.allclose(whole.distances[rows].double(), distances.sort(dim=1).values[:, :100], rtol=1e-6)
    monkeypatch.setattr(neighbors, "SCRATCH_BYTES", 1 << 24)
    assert all(torch.equal(a, b) for a, b in zip(search(images, 100), whole, strict=True))


def test_another_stream():
    points = torch.rand(3000, 40, device="cuda")
    expected = fd.ops.nearest_neighbors(points, 10)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        torch.cuda._sleep(20_000_000)
        found = fd.ops.nearest_neighbors(points.clone(), 10)
    torch.cuda.current_stream().wait_stream(stream)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="fewer than two CUDA devices")
def test_another_device():
    points = torch.rand(300, 4)
    found = fd.ops.nearest_neighbors(points.to("cuda:1"), 10)
    assert torch.cuda.current_device() == 0 and found.indices.device.index == 1
    assert torch.equal(found.indices.cpu(), brute_force(points, 10)[1])


def test_registration_and_named_backends():
    points = torch.rand(40, 3, device="cuda")
    torch.library.opcheck(torch.ops.fastdaae.cuda_nearest_neighbors, (points, 4, None))
    torch.library.opcheck(torch.ops.fastdaae.cuda_nearest_neighbors, (points, 4, points[:7].clone()))
    both = [search(points, 4, backend=backend) for backend in ("cuda", "reference")]
    assert torch.equal(both[0].indices, both[1].indices)
    with pytest.raises(ValueError, match="queries must be on the device of points, cuda:0, got cpu"):
        fd.ops.nearest_neighbors(points, 4, torch.rand(2, 3))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("rows", "k"), [(2, 2), (65, 33), (200, 34), (2500, 100), (300, 2048)])
def test_log_ratio_moments(rows, k, dtype):
    distances = (torch.rand(rows, k, dtype=torch.float64).cumsum(1) + 0.01).to(dtype).cuda()
    ours = log_ratio_moments(distances, backend="cuda")
    for found, expected in zip(ours, log_ratio_moments(distances, backend="reference"), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=0)
    again = log_ratio_moments(distances, backend="cuda")
    assert torch.equal(ours.inverse.mean, again.inverse.mean) and torch.equal(ours.plain.squares, again.plain.squares)


@pytest.mark.parametrize("estimator", ["mle", "mackay", "twonn"])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
def test_the_estimator_on_the_device(estimator, dtype):
    points = (torch.rand(500, 6) * 255).to(dtype)
    points[17] = points[3]
    fitted, expected = (fd.IntrinsicDimension(k=20, estimator=estimator) for _ in range(2))
    with pytest.warns(UserWarning, match="1 of 500 rows repeat"):
        fitted.fit(points.cuda())
        expected.fit(points)
    for name in ("dimension_", "standard_error_", "dimension_pw_", "dimension_per_k_"):
        np.testing.assert_allclose(getattr(fitted, name), getattr(expected, name), rtol=1e-6)
    assert fitted.n_features_in_ == 6 and fitted.k_ == 20


def test_the_first_of_equal_rows():
    rows = torch.randint(0, 3, (400, 4)).float()
    found = _first_of_equals_on_device(rows.cuda()).sort().values.cpu()
    assert torch.equal(found, _first_of_equals(rows).sort().values)
