"""Intrinsic dimensions of sets whose dimension is known, and the laws that every estimator of it keeps."""

import math

import numpy as np
import pytest
import torch
from sklearn.utils.estimator_checks import check_estimator

import fastdaae as fd


@pytest.mark.filterwarnings("ignore:k = 100 is more than", "ignore:.* rows repeat")
def test_scikit_learn_checks_the_estimator():
    results = check_estimator(fd.IntrinsicDimension(), on_skip=None)
    assert len(results) >= 41 and all(r["status"] in ("passed", "skipped") for r in results)
    assert sum(r["status"] == "passed" for r in results) >= 40


def ball(dimension: int, count: int, ambient: int) -> torch.Tensor:
    """Uniform points of a d-ball in the first d of `ambient` coordinates, rotated."""
    direction = torch.nn.functional.normalize(torch.randn(count, dimension, dtype=torch.float64), dim=1)
    points = direction * torch.rand(count, 1, dtype=torch.float64) ** (1 / dimension)
    rotation = torch.linalg.qr(torch.randn(ambient, ambient, dtype=torch.float64)).Q
    return points @ rotation[:dimension]


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_dimension_of_a_ball(dimension):
    """Inside, log-ratios are exponential of rate d: E[1 / mean of k - 1 of them] = d (k - 1) / (k - 2)."""
    points = ball(dimension, 6_000, 8)
    inside = points.norm(dim=1) < 0.6
    k = 20
    fitted = fd.IntrinsicDimension(k=k).fit(points)
    per_point = fitted.dimension_pw_[inside.numpy()]
    expected = dimension * (k - 1) / (k - 2)
    # a point's estimate has deviation about d / sqrt(k - 3); neighbours share points: about count / k of them are free
    error = expected / math.sqrt(k - 3) * math.sqrt(k / len(per_point))
    assert abs(per_point.mean() - expected) < 4 * error


@pytest.mark.parametrize(("estimator", "tolerance"), [("mle", 0.3), ("mackay", 0.2), ("twonn", 0.25)])
def test_estimators_agree_on_a_plane(estimator, tolerance):
    points = torch.zeros(4000, 6, dtype=torch.float64)
    points[:, :3] = torch.rand(4000, 3, dtype=torch.float64)
    fitted = fd.IntrinsicDimension(k=30, estimator=estimator).fit(points)
    assert abs(fitted.dimension_ - 3) < tolerance
    assert 0 < fitted.standard_error_ < 0.1


def test_equations_15_and_16_for_every_k():
    points = torch.rand(60, 5, dtype=torch.float64)
    fitted = fd.IntrinsicDimension(k=12).fit(points)
    # each row's own distance, zero, comes first
    distances = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist").sort(1).values[:, 1:].numpy()
    for k in range(2, 13):
        inverse = [np.mean([math.log(row[k - 1] / row[j]) for j in range(k - 1)]) for row in distances]
        assert fitted.dimension_per_k_[k - 2] == pytest.approx(np.mean(1 / np.array(inverse)), rel=1e-9)
    assert fitted.dimension_ == fitted.dimension_per_k_[-1] == pytest.approx(fitted.dimension_pw_.mean())
    assert fitted.standard_error_ == pytest.approx(fitted.dimension_pw_.std(ddof=1) / math.sqrt(60))
    mackay = fd.IntrinsicDimension(k=12, estimator="mackay").fit(points)
    assert mackay.dimension_ == pytest.approx(1 / np.mean(inverse), rel=1e-9)


def test_scale_and_rotation_do_not_matter():
    points = torch.rand(80, 4, dtype=torch.float64)
    base = fd.IntrinsicDimension(k=10).fit(points).dimension_
    rotation = torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64)).Q
    assert fd.IntrinsicDimension(k=10).fit(1000 * points @ rotation + 7).dimension_ == pytest.approx(base, rel=1e-8)


@pytest.mark.parametrize("scale", [2.0**-900, 2.0**480])
def test_units_at_the_ends_of_float64_do_not_matter(scale):
    points = torch.rand(80, 4, dtype=torch.float64)
    base = fd.IntrinsicDimension(k=10).fit(points).dimension_
    assert fd.IntrinsicDimension(k=10).fit(scale * points).dimension_ == pytest.approx(base, rel=1e-10)
    with pytest.raises(ValueError, match="points must not exceed"):
        fd.IntrinsicDimension(k=10).fit(2.0**500 * points)


def test_duplicates_are_counted_reported_and_left_out():
    points = torch.rand(50, 4)
    doubled = torch.cat([points, points[:8], -points[:1] * 0, points[:1] * 0])
    with pytest.warns(UserWarning, match="9 of 60 rows repeat"):
        fitted = fd.IntrinsicDimension(k=10).fit(doubled)
    expected = fd.IntrinsicDimension(k=10).fit(torch.cat([points, torch.zeros(1, 4)]))
    assert fitted.duplicates_ == 9 and fitted.dimension_ == pytest.approx(expected.dimension_, rel=1e-6)
    with pytest.raises(ValueError, match="at least 3 distinct rows, got 1"):
        fd.IntrinsicDimension(k=2).fit(torch.ones(9, 3))


def test_k_is_bounded_with_a_warning():
    with pytest.warns(UserWarning, match="k = 100 is more than n - 1; k_ = 19 is used"):
        fitted = fd.IntrinsicDimension().fit(torch.rand(20, 3))
    assert fitted.k_ == 19 and len(fitted.dimension_per_k_) == len(fitted.ks_) == 18


@pytest.mark.parametrize(
    ("message", "estimator"),
    [
        ("estimator must be one of 'mle', 'mackay', 'twonn', got 'pca'", fd.IntrinsicDimension(estimator="pca")),
        ("k must be a whole number >= 2, got 1", fd.IntrinsicDimension(k=1)),
        ("k must be a whole number >= 2, got 2.5", fd.IntrinsicDimension(k=2.5)),
    ],
)
def test_estimator_refuses_bad_parameters(message, estimator):
    with pytest.raises(ValueError, match=message):
        estimator.fit(torch.rand(9, 3))


@pytest.mark.needs_data
@pytest.mark.slow
def test_dimension_of_mnist():
    """The first 10,000 training images: 12.65 at k = 100, 13.03 at 50."""
    images = fd.data.load("mnist").train.images[:10_000].flatten(1)
    fitted = fd.IntrinsicDimension(k=100).fit(images)
    assert fitted.dimension_ == pytest.approx(12.65, abs=0.01)
    assert fitted.dimension_per_k_[48] == pytest.approx(13.03, abs=0.01)
