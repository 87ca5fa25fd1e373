"""Intrinsic dimension where neighbours tie, and the published formula of TwoNN."""

import json
import math
import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris

import fastdaae as fd

ESTIMATORS = ["mle", "mackay", "twonn"]


def squared_neighbors(points: np.ndarray, k: int) -> np.ndarray:
    """Exact squared distances [N, k] of distinct whole-numbered points, ascending."""
    squares = ((points[:, None, :].astype(np.int64) - points[None]) ** 2).sum(2)
    return np.sort(squares, axis=1)[:, 1 : k + 1]


def grid_points(count: int = 300) -> np.ndarray:
    """Distinct points of a whole-numbered grid, many of whose neighbours tie."""
    random = np.random.default_rng(0)
    return np.unique(random.integers(0, 12, (count, 3)), axis=0)


def fit_quietly(points, **parameters) -> fd.IntrinsicDimension:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fd.IntrinsicDimension(**parameters).fit(points)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_points_whose_neighbors_all_tie_follow_the_documented_rule(estimator):
    points, k = grid_points(), 6
    squares = squared_neighbors(points, k)
    logs = np.log(squares) / 2
    fitted = fit_quietly(torch.from_numpy(points).double(), k=k, estimator=estimator)
    tied = (squares[:, 1:] == squares[:, :1]).sum(0)
    assert tied[0] > 50 and tied[0] > tied[1] > tied[2] and fitted.ties_per_k_.tolist() == tied.tolist()
    assert fitted.ties_ == tied[0 if estimator == "twonn" else -1]
    if estimator == "twonn":
        return
    for column in range(k - 1):
        ratios = (logs[:, column + 1 : column + 2] - logs[:, : column + 1]).mean(1)
        kept = ratios[squares[:, column + 1] > squares[:, 0]]
        expected = np.mean(1 / kept) if estimator == "mle" else 1 / ratios.mean()
        assert fitted.dimension_per_k_[column] == pytest.approx(expected, rel=1e-9)
    used = 1 / kept if estimator == "mle" else ratios
    error = used.std(ddof=1) / math.sqrt(len(used)) * (1 if estimator == "mle" else expected**2)
    assert fitted.standard_error_ == pytest.approx(error, rel=1e-9)
    tied_points = squares[:, -1] == squares[:, 0]
    assert np.array_equal(np.isnan(fitted.dimension_pw_), tied_points)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ties_are_seen_through_the_rounding_of_decimals(estimator, dtype):
    whole = grid_points()
    expected = fit_quietly(torch.from_numpy(whole).double(), k=6, estimator=estimator)
    # in tenths neither the points nor their differences are exact numbers
    tenths = (torch.from_numpy(whole).double() / 10 + 0.3).to(dtype)
    fitted = fit_quietly(tenths, k=6, estimator=estimator)
    assert fitted.ties_per_k_.tolist() == expected.ties_per_k_.tolist()
    tolerance = 1e-4 if dtype == torch.float32 else 1e-11
    np.testing.assert_allclose(fitted.dimension_per_k_, expected.dimension_per_k_, rtol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_iris_has_a_dimension(estimator, dtype):
    fitted = fit_quietly(load_iris().data.astype(dtype), k=2, estimator=estimator)
    assert 1 < fitted.dimension_ < 60 and fitted.ties_ > 0


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_digits_have_a_finite_dimension_at_every_k(estimator):
    images = fd.data.load("digits").train.images.flatten(1)
    fitted = fit_quietly(images, k=20, estimator=estimator)
    assert np.isfinite(fitted.dimension_per_k_).all() and np.isfinite(fitted.standard_error_)
    json.dumps([fitted.dimension_, fitted.standard_error_, fitted.dimension_per_k_.tolist()], allow_nan=False)


def test_ties_at_k_are_warned_of_and_others_are_not():
    points = torch.from_numpy(grid_points()).double()
    tied = fit_quietly(points, k=2).ties_
    with pytest.warns(UserWarning, match=f"{tied} of {len(points)} points .* at one distance and are left out"):
        fd.IntrinsicDimension(k=2).fit(points)
    with pytest.warns(UserWarning, match=f"{tied} of {len(points)} points .* count as log-ratios of zero"):
        fd.IntrinsicDimension(k=2, estimator="mackay").fit(points)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fd.IntrinsicDimension(k=40).fit(points).ties_ == 0
        assert not fd.IntrinsicDimension(k=9).fit(torch.rand(500, 4)).ties_per_k_.any()


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("points", [torch.eye(12), torch.eye(12, dtype=torch.float64) * 0.1 + 0.7])
def test_points_that_all_tie_have_no_dimension_and_say_so(estimator, points):
    with pytest.raises(ValueError, match="all 12 points have their . nearest neighbours at one distance"):
        fit_quietly(points, k=5, estimator=estimator)


def test_an_outlier_makes_no_ties_of_the_others():
    points = torch.rand(200, 3)
    expected = fd.IntrinsicDimension(k=10).fit(points)
    far = torch.cat([points, torch.full((1, 3), 1e7)])
    fitted = fit_quietly(far, k=10)
    # of the outlier itself float32 cannot tell which of them is nearer
    assert fitted.ties_per_k_.tolist() == [1] * 9 and np.isnan(fitted.dimension_pw_[-1])
    np.testing.assert_allclose(fitted.dimension_pw_[:-1], expected.dimension_pw_, rtol=1e-5)


@pytest.mark.parametrize("scale", [1e-290, 1e-160, 1e149])
def test_the_unit_does_not_matter_to_the_dimension(scale):
    points = torch.rand(50, 3, dtype=torch.float64)
    expected = fit_quietly(points, k=6)
    np.testing.assert_allclose(fit_quietly(points * scale, k=6).dimension_, expected.dimension_, rtol=1e-9)


def test_points_whose_squared_distances_do_not_fit_float64_are_refused():
    with pytest.raises(ValueError, match="points must not exceed .* in magnitude"):
        fd.IntrinsicDimension(k=6).fit(torch.rand(50, 3, dtype=torch.float64) * 1e150)


def published_two_nn(points: np.ndarray) -> float:
    """Facco et al. 2017: sort mu = r2 / r1, F(mu_i) = i / N, drop the largest tenth, fit -log(1 - F) = d log mu."""
    distances = np.sort(np.linalg.norm(points[:, None] - points[None], axis=2), axis=1)
    mu = np.sort(distances[:, 2] / distances[:, 1])
    kept = int(len(mu) * 0.9)
    x, y = np.log(mu[:kept]), -np.log(1 - np.arange(1, kept + 1) / len(mu))
    return (x @ y) / (x @ x)


@pytest.mark.parametrize("count", [3, 4, 10, 57, 400])
def test_two_nn_is_the_published_fit(count):
    points = np.random.default_rng(count).random((count, 5))
    fitted = fit_quietly(points, k=5, estimator="twonn")
    assert fitted.dimension_ == pytest.approx(published_two_nn(points), rel=1e-9)
    assert fitted.standard_error_ == pytest.approx(fitted.dimension_ / math.sqrt(count))


def test_two_nn_of_each_point_is_in_the_order_of_the_points():
    points = np.random.default_rng(0).random((60, 4))
    distances = np.sort(np.linalg.norm(points[:, None] - points[None], axis=2), axis=1)
    fitted = fd.IntrinsicDimension(k=5, estimator="twonn").fit(points)
    np.testing.assert_allclose(fitted.dimension_pw_, 1 / np.log(distances[:, 2] / distances[:, 1]), rtol=1e-9)
