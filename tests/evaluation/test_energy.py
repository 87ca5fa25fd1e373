"""The energy distance of codes to draws of the prior: closed forms, its test's level, and what it is of models."""

import math
from statistics import NormalDist

import numpy as np
import pytest
import torch

import fastdaae as fd
from fastdaae.evaluation import energy_distance, evaluate


def test_normal_distributions_are_as_far_apart_as_their_closed_form():
    move, width = 1.5, math.sqrt(2)
    # E|a - b| where a - b is N(move, 2), and where it is N(0, 2)
    apart = width * math.sqrt(2 / math.pi) * math.exp(-((move / width) ** 2) / 2)
    apart += move * (1 - 2 * NormalDist().cdf(-move / width))
    within = width * math.sqrt(2 / math.pi)
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 1500, 1))
    found = energy_distance(a, b + move)
    assert found.value == pytest.approx(1 - within / apart, rel=0.1) and found.p == 1 / 200
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    c, d = rng.standard_normal((2, 50, 3))
    again = energy_distance(7 * d @ turn + 2, 7 * c @ turn + 2).value
    assert energy_distance(c, d).value == pytest.approx(again, rel=1e-9)


def test_sets_of_one_distribution_are_told_apart_as_often_as_the_level_says():
    rng = np.random.default_rng(1)
    found = [energy_distance(*rng.standard_normal((2, 30, 2)), seed=seed) for seed in range(200)]
    rejected = np.mean([one.p <= 0.1 for one in found])
    assert abs(rejected - 0.1) < 3.5 * math.sqrt(0.1 * 0.9 / 200)
    assert np.mean([one.value for one in found]) == pytest.approx(np.mean([one.by_chance for one in found]), rel=0.1)
    assert energy_distance(np.zeros((4, 2)), np.zeros((4, 2))) == (0.0, 0.0, 1.0)
    assert energy_distance(np.zeros((4, 2)), np.ones((4, 2))).value == pytest.approx(1)


def test_codes_of_a_model_are_beside_its_prior():
    torch.manual_seed(0)
    networks = fd.networks.mlp([64, 3]), fd.networks.mlp([3, 64], output="sigmoid"), fd.networks.mlp([3, 1])
    model = fd.DAAE(*networks, prior=fd.priors.Normal(3), corruption=fd.corruptions.Gaussian(0.5))
    model.posterior = lambda images: (torch.zeros(len(images), 3), torch.zeros(len(images), 3))
    clean, corrupted, posterior = evaluate(model, fd.data.load("digits"), measures=["prior fit"])
    assert [one.of for one in (clean, corrupted)] == ["codes", "codes of corrupted images"]
    for found in (clean, corrupted):
        assert found.value > 5 * found.settings["by_chance"] and found.settings["p"] == 1 / 200
    # a posterior that is the prior itself
    assert posterior.of == "draws of the posterior" and posterior.settings["p"] > 0.01
    assert len(posterior.curve["dimension"]) == 3
    np.testing.assert_allclose(posterior.curve["std"], 1, atol=0.2)


@pytest.mark.parametrize("sets", [([[1.0]], [[1.0]]), (np.ones((3, 2)), np.ones((3, 1))), (np.ones((3, 2)), [[1, 2]])])
def test_sets_of_other_shapes_are_refused(sets):
    with pytest.raises(ValueError, match=r"a and b must be \[N, Z\] with one N >= 2, got"):
        energy_distance(*sets)
