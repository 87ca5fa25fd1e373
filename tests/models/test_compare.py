"""Estimates as they are told, errors of each bandwidth, ends of the grid, and two sets of samples compared."""

import math
import re
import warnings

import numpy as np
import pytest
import torch

import fastdaae as fd
from fastdaae.evaluation import Estimate, compare

pytestmark = pytest.mark.filterwarnings("ignore:the best bandwidth")

SAMPLES, OTHERS = (torch.rand(150, 12, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
VALIDATION, QUERIES = (torch.rand(70, 12, generator=torch.Generator().manual_seed(seed)) for seed in (2, 3))


@pytest.mark.parametrize(
    ("mean", "error", "spec", "told"),
    [
        (208.53, 1.87, "", "208.5 ± 1.9"),
        (208.53, 1.87, ".2f", "208.53 ± 1.87"),
        (-1234.5678, 12.34, "", "-1235 ± 12"),
        (12345.678, 123.4, ",.0f", "12,346 ± 123"),
        (0.123456, 0.0996, "", "0.12 ± 0.10"),
        (0.0123456, 0.00034, "", "0.01235 ± 0.00034"),
        (0.2, 9.96, "", "0 ± 10"),
        (208.53, math.nan, "", "208.53"),
        (208.53, math.nan, ".1f", "208.5"),
        (0.0, 0.0, "", "0 ± 0"),
        (3e-17, 2e-18, "", "3e-17 ± 2e-18"),
        (-math.inf, math.nan, "", "-inf"),
    ],
)
def test_an_estimate_is_told_with_the_digits_of_its_error(mean, error, spec, told):
    estimate = Estimate(mean, error)
    assert format(estimate, spec) == told
    if not spec:
        assert str(estimate) == f"{estimate}" == told
    assert isinstance(estimate, tuple) and repr(estimate).startswith("Estimate(mean=")


def test_each_bandwidth_has_its_standard_error():
    few = SAMPLES[:30]
    for validation in (VALIDATION, None):
        window = fd.ParzenWindow().fit(few, validation=validation)
        assert window.validation_standard_errors_.shape == (10,)
        for place in (1, 6):
            bandwidth = window.bandwidths_[place]
            if validation is None:
                windows = [fd.ParzenWindow(bandwidth).fit(np.delete(few.numpy(), row, 0)) for row in range(30)]
                scores = [left_out.score(few[row : row + 1]) for row, left_out in enumerate(windows)]
            else:
                scores = fd.ParzenWindow(bandwidth).fit(few).score_samples(VALIDATION)
            expected = Estimate.of(scores).standard_error
            assert window.validation_standard_errors_[place] == pytest.approx(expected, rel=1e-2)
    one = fd.ParzenWindow().fit(SAMPLES, validation=VALIDATION[:1])
    assert np.isnan(one.validation_standard_errors_).all()


@pytest.mark.parametrize(
    ("bandwidths", "told"),
    [
        ([0.5, 1.0, 2.0], r"the best bandwidth, 0.5, is the least of its grid.*numpy.geomspace\(0.05, 1, 10\)"),
        ([2.0, 1.0, 0.5], r"the best bandwidth, 0.5, is the least of its grid"),
        ([0.02, 0.05, 0.1], r"the best bandwidth, 0.1, is the greatest of its grid.*numpy.geomspace\(0.05, 1, 10\)"),
        ([0.02, 0.3, 2.0], None),
        ([2.0], None),
        (None, None),
    ],
)
def test_a_bandwidth_at_an_end_of_its_grid_is_warned_of(bandwidths, told):
    for validation in (VALIDATION, None):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fd.ParzenWindow(bandwidths=bandwidths).fit(SAMPLES, validation=validation)
            fd.ParzenWindow(2.0, bandwidths).fit(SAMPLES, validation=validation)
        assert len(caught) == (told is not None)
        for warning in caught:
            assert re.match(told, str(warning.message)) and warning.filename == __file__


@pytest.mark.parametrize("how", [{}, {"validation": VALIDATION}, {"bandwidth": 0.3}, {"bandwidths": [0.2, 0.3, 0.4]}])
def test_two_sets_are_compared_query_by_query(how):
    assert compare(SAMPLES, SAMPLES, QUERIES, **how) == Estimate(0.0, 0.0)
    found, reverse = compare(SAMPLES, OTHERS, QUERIES, **how), compare(OTHERS, SAMPLES, QUERIES, **how)
    assert reverse == Estimate(-found.mean, found.standard_error) and found.mean != 0
    fitting = {"bandwidth": how.get("bandwidth", "auto"), "bandwidths": how.get("bandwidths")}
    first, second = (
        fd.ParzenWindow(**fitting).fit(samples, validation=how.get("validation")).score_samples(QUERIES)
        for samples in (SAMPLES, OTHERS)
    )
    assert found == pytest.approx(tuple(Estimate.of(first - second)), abs=1e-12)
    unpaired = math.hypot(Estimate.of(first).standard_error, Estimate.of(second).standard_error)
    assert found.standard_error < unpaired


def test_pairing_finds_what_each_set_s_own_error_hides():
    """Queries that differ much in how hard they are, and two sets of which one is a little nearer to all of them."""
    centre, far = torch.zeros(1, 12), torch.linspace(0, 1, 60)[:, None] * torch.ones(12)
    nearer, farther = centre + 0.02 + 0.01 * SAMPLES, centre + 0.01 * SAMPLES
    found = compare(nearer, farther, far, bandwidth=0.3)
    own = fd.ParzenWindow(0.3).fit(nearer).mean_log_likelihood(far).standard_error
    assert found.mean > 5 * found.standard_error > 0 and found.mean < own


def test_each_set_has_its_own_bandwidth():
    narrow = 0.5 + 0.2 * (SAMPLES - 0.5)
    scores = [fd.ParzenWindow().fit(s, validation=VALIDATION).score_samples(QUERIES) for s in (SAMPLES, narrow)]
    bandwidths = [fd.ParzenWindow().fit(s, validation=VALIDATION).bandwidth_ for s in (SAMPLES, narrow)]
    assert bandwidths[0] != bandwidths[1]
    found = compare(SAMPLES, narrow, QUERIES.reshape(-1, 3, 4), validation=VALIDATION)
    assert found == pytest.approx(tuple(Estimate.of(scores[0] - scores[1])), abs=1e-12)
