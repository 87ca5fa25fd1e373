"""Reconstruction error, classification of codes, and the evaluation that puts the real data beside the model."""

import math
import warnings

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.svm import SVC

import fastdaae as fd
from fastdaae.evaluation import Estimate, evaluate, pca_svm_accuracy, reconstruction_error, svm_accuracy


def model(pixels: int = 64) -> fd.IDAAE:
    torch.manual_seed(0)
    networks = fd.networks.mlp([pixels, 32, 4]), fd.networks.mlp([4, 32, pixels], output="sigmoid")
    return fd.IDAAE(
        *networks, fd.networks.mlp([4, 32, 1]), prior=fd.priors.Normal(4), corruption=fd.corruptions.Gaussian(0.5)
    )


def test_estimate_is_the_mean_and_its_error():
    values = np.random.default_rng(0).normal(3, 2, 400)
    mean, error = Estimate.of(values)
    assert mean == values.mean() and error == pytest.approx(np.std(values, ddof=1) / 20)
    assert math.isnan(Estimate.of([1.0]).standard_error)


def test_reconstruction_error_is_the_mean_over_images_and_batches(monkeypatch):
    network, images = model(), torch.randint(0, 256, (50, 8, 8), dtype=torch.uint8)
    clean = (network.reconstruct(images) - images / 255).square().flatten(1).mean(1).detach().double().numpy()
    assert reconstruction_error(network, images) == pytest.approx(tuple(Estimate.of(clean)), rel=1e-6)
    noise = fd.Noise(3)
    corrupted = (
        (network.reconstruct(images, noise) - images / 255).square().flatten(1).mean(1).detach().double().numpy()
    )
    whole = reconstruction_error(network, images, noise)
    assert whole == pytest.approx(tuple(Estimate.of(corrupted)), rel=1e-6) and whole.mean != clean.mean()
    monkeypatch.setattr("fastdaae.evaluation.models.reconstruction._BATCH", 7)
    assert reconstruction_error(network, images, noise) == pytest.approx(tuple(whole), rel=1e-6)
    with pytest.raises(ValueError, match="images must not be empty"):
        reconstruction_error(network, images[:0])


def test_accuracy_is_that_of_an_svm():
    digits = fd.data.load("digits")
    (x, y), (test_x, test_y) = ((s.images.flatten(1) / 255, s.labels) for s in (digits.train, digits.test))
    expected = SVC(kernel="rbf").fit(x.numpy(), y.numpy()).score(test_x.numpy(), test_y.numpy())
    assert svm_accuracy(x, y, test_x, test_y) == expected > 0.9
    assert svm_accuracy(torch.randn(200, 4), y[:200], torch.randn(250, 4), test_y) < 0.25
    pca = PCA(10, random_state=0).fit(x.numpy())
    on_components = svm_accuracy(pca.transform(x.numpy()), y, pca.transform(test_x.numpy()), test_y)
    assert pca_svm_accuracy(x, y, test_x, test_y, dimension=10) == on_components > 0.85


SETS = ["x(0)", "x(2)", "real training images"]


@pytest.fixture(scope="module")
def evaluation():
    stages = []
    result = evaluate(model(), fd.data.load("digits"), samples=300, steps=2, k=20, seed=4, report=stages.append)
    assert stages == [
        *(f"reconstruction, {of} input" for of in ("corrupted", "clean")),
        "sampling",
        *(f"log-likelihood{part}, {of}" for of in SETS for part in (" over bandwidths", "")),
        *(f"classification, SVM on {of}" for of in ("codes", "PCA")),
        *(f"intrinsic dimension, {of}" for of in SETS),
    ]
    return result


def test_evaluation_is_made_of_the_single_measures(evaluation):
    network, digits = model(), fd.data.load("digits")
    taken = {(measure.name, measure.of): measure for measure in evaluation}
    expected = reconstruction_error(network, digits.test.images, fd.Noise(4))
    found = taken["reconstruction MSE", "corrupted input"]
    assert (found.value, found.standard_error) == expected
    drawn = network.sample(300, steps=2, keep=(0, 2), seed=4)
    sets = {"x(0)": drawn[0], "x(2)": drawn[1], "real training images": digits.train.images[:300].flatten(1)}
    for name in ("log-likelihood", "intrinsic dimension"):
        assert [measure.of for measure in evaluation if measure.name == name] == list(sets)
    for of, points in sets.items():
        window = fd.ParzenWindow().fit(points, validation=digits.validation.images.flatten(1))
        found = taken["log-likelihood", of]
        assert found.settings["bandwidth"] == window.bandwidth_
        mean = window.mean_log_likelihood(digits.test.images.flatten(1)).mean
        assert found.value == pytest.approx(mean, abs=1e-3)
    fitted = fd.IntrinsicDimension(k=20).fit(sets["real training images"])
    assert taken["intrinsic dimension", "real training images"].value == pytest.approx(fitted.dimension_, rel=1e-6)
    assert evaluation[-1].is_of_real_data and not evaluation[0].is_of_real_data


def test_evaluation_without_labels_or_chain_steps():
    digits = fd.data.load("digits")
    unlabelled = fd.data.Dataset(*(fd.data.Split(part.images, None) for part in digits[:3]), "unlabelled digits")
    measures = evaluate(model(), unlabelled, samples=100, steps=0, k=500)
    assert "test accuracy" not in {measure.name for measure in measures} and measures[-1].settings["k"] == 99
    assert [one.of for one in measures if one.name == "log-likelihood"] == ["x(0)", "real training images"]


def test_evaluation_needs_the_splits():
    digits = fd.data.load("digits")
    with pytest.raises(ValueError, match="dataset must have the splits train and test, got none named 'test'"):
        evaluate(model(), digits._replace(test=None))


def test_a_bandwidth_without_validation_images_is_chosen_by_leaving_one_out():
    digits = fd.data.load("digits")
    [found] = [
        measure
        for measure in evaluate(model(), digits._replace(validation=None), measures=["log-likelihood"], samples=100)
        if measure.is_of_real_data
    ]
    window = fd.ParzenWindow().fit(digits.train.images[:100])
    assert found.settings["chosen"] == "the bandwidth by leaving one sample out"
    assert found.settings["bandwidth"] == window.bandwidth_
    assert found.value == pytest.approx(window.mean_log_likelihood(digits.test.images).mean, abs=1e-3)


def test_several_seeds_are_several_draws_of_the_samples():
    digits, network = fd.data.load("digits"), model()
    choices = {"samples": 120, "steps": 2, "k": 20, "svm_images": 100, "seed": 7}
    stages = []
    seeded = evaluate(network, digits, **choices, seeds=3, report=stages.append)
    singles = [evaluate(network, digits, **choices | {"seed": seed}, bandwidths=None) for seed in (7, 8, 9)]
    assert "sampling, seed 2 of 3" in stages and "log-likelihood, x(2), seed 1 of 3" in stages
    assert "log-likelihood, real training images" in stages
    assert {measure.name for measure in seeded if measure.seed_deviation is not None} == {
        "log-likelihood",
        "intrinsic dimension",
    }
    for measure, *each in zip(seeded, *singles, strict=True):
        if not measure.of.startswith("x("):
            assert measure.seed_deviation is None and "seeds" not in measure.settings
            assert measure.value == pytest.approx(each[0].value)
            continue
        values, errors = ([getattr(single, name) for single in each] for name in ("value", "standard_error"))
        assert len({single.settings.get("bandwidth") for single in each}) == 1 and measure.settings["seeds"] == 3
        assert measure.value == pytest.approx(np.mean(values))
        assert measure.standard_error == pytest.approx(np.mean(errors))
        assert measure.seed_deviation == pytest.approx(np.std(values, ddof=1)) and measure.seed_deviation > 0
        first, second = list(measure.curve)[:2]
        curves = np.array([single.curve[second] for single in each])
        assert measure.curve[first] == each[0].curve[first]
        np.testing.assert_allclose(measure.curve[second], curves.mean(0))
        np.testing.assert_allclose(measure.curve["seed_deviation"], curves.std(0, ddof=1))
    likelihood = next(measure for measure in seeded if measure.name == "log-likelihood")
    assert list(likelihood.curve) == ["bandwidths", "validation", "standard_error", "seed_deviation"]


def test_a_bandwidth_at_an_end_of_its_grid_is_noted_and_warned_of_once():
    digits, grid = fd.data.load("digits"), [0.9, 1.2, 1.5]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        measures = evaluate(model(), digits, samples=60, steps=1, k=5, svm_images=100, seeds=2, bandwidths=grid)
    likelihoods = [measure for measure in measures if measure.name == "log-likelihood"]
    assert [measure.settings["note"] for measure in likelihoods] == ["the bandwidth is the least of its grid"] * 3
    assert all(measure.curve["bandwidths"] == grid and measure.settings["bandwidth"] == 0.9 for measure in likelihoods)
    told = [str(warning.message) for warning in caught if "grid" in str(warning.message)]
    assert [text.split(",")[0] for text in told] == [f"the best bandwidth for {measure.of}" for measure in likelihoods]
    assert all(warning.filename == __file__ for warning in caught if "grid" in str(warning.message))


def test_samples_may_be_drawn_in_half_precision():
    network, drawn = model(), []
    sample, choices = network.sample, {"samples": 60, "steps": 1, "k": 5, "svm_images": 100}
    network.sample = lambda *args, **how: drawn.append(sample(*args, **how)) or drawn[-1]
    measures = evaluate(network, fd.data.load("digits"), **choices, precision="bf16")
    assert torch.equal(drawn[0], sample(60, steps=1, keep=(0, 1), seed=0, precision="bf16"))
    told = {measure.of for measure in measures if measure.settings.get("precision") == "sampled in bf16"}
    assert told == {"x(0)", "x(1)"}


@pytest.mark.parametrize(
    ("message", "choice"),
    [
        ("seeds must be >= 1, got 0", {"seeds": 0}),
        ("precision must be one of 'fp32', 'bf16', got 'fp64'", {"precision": "fp64"}),
        ("bandwidths must be a list of finite numbers > 0", {"bandwidths": [0.1, -1.0]}),
        (r"seed must be in 0..2\^64-1, got -1", {"seed": -1}),
    ],
)
def test_choices_that_cannot_be_are_refused_before_anything_is_drawn(message, choice):
    stages = []
    with pytest.raises(ValueError, match=message):
        evaluate(model(), fd.data.load("digits"), **choice, report=stages.append)
    assert stages == []


def test_the_steps_that_are_listed_are_measured_from_what_the_chain_starts_from():
    network, digits, start = model(), fd.data.load("digits"), fd.priors.Normal(4)
    how = {"samples": 100, "steps": (0, 1, 3), "initial": start, "seed": 2}
    measures = evaluate(network, digits, measures=("log-likelihood",), bandwidths=[0.5], **how)
    assert [measure.of for measure in measures] == ["x(0)", "x(1)", "x(3)", "real training images"]
    drawn = network.sample(100, steps=3, keep=(0, 1, 3), initial=start, seed=2)
    for measure, samples in zip(measures, drawn, strict=False):
        assert measure.value == fd.ParzenWindow(0.5).fit(samples).mean_log_likelihood(digits.test.images).mean
        assert measure.settings["initial"] == "chains from Normal(dim=4)"
    assert "initial" not in measures[-1].settings
