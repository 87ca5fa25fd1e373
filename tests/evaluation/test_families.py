"""Every measure of every kind of model and data: a number, or why there is none, and never an error."""

import math
import re

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae.evaluation import evaluate
from fastdaae.evaluation.measure import from_json, to_json
from fastdaae.evaluation.measures import MEASURES

SMALL = {"samples": 60, "steps": 1, "k": 5, "svm_images": 80}
OTHERS = sorted(set(MEASURES) - {"accuracy"})


def flat(shape: tuple[int, ...], **how) -> fd.models.Autoencoder:
    torch.manual_seed(0)
    pixels = math.prod(shape)
    networks = fd.networks.mlp([pixels, 12, 4]), fd.networks.mlp([4, 12, pixels], output=how.pop("output", "sigmoid"))
    return fd.models.Autoencoder(*networks, image_shape=shape, **how)


def denoising(shape: tuple[int, ...]) -> fd.models.Autoencoder:
    return flat(shape, corruption=fd.corruptions.Gaussian(0.3))


def linear_output(shape: tuple[int, ...]) -> fd.models.Autoencoder:
    return flat(shape, output=None, decoder_output="linear", loss="mse")


def adversarial(shape: tuple[int, ...]) -> fd.AAE:
    model = flat(shape)
    return fd.AAE(
        model.encoder, model.decoder, fd.networks.mlp([4, 8, 1]), prior=fd.priors.Normal(4), image_shape=shape
    )


def diverged(shape: tuple[int, ...]) -> fd.models.Autoencoder:
    model = flat(shape)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(math.nan)
    return model


class Spatial(nn.Module):
    """An autoencoder whose codes are small images, and whose batch normalisation needs evaluation mode."""

    def __init__(self, shape: tuple[int, ...]):
        super().__init__()
        torch.manual_seed(0)
        colours = shape[0] if len(shape) == 3 else 1
        self.shape = (colours, *shape[-2:])
        self.encoder = nn.Sequential(nn.Conv2d(colours, 2, 5, 4, 2), nn.BatchNorm2d(2))
        self.decoder = nn.Sequential(nn.Upsample(scale_factor=4), nn.Conv2d(2, colours, 3, padding=1), nn.Sigmoid())

    def encode(self, x):
        x = x / 255 if x.dtype == torch.uint8 else x
        return self.encoder(x.reshape(-1, *self.shape))

    def reconstruct(self, x, noise=None, *, row_offset=0):
        return self.decoder(self.encode(x))


class Classifying(nn.Module):
    """What a fine-tuned encoder is: it classifies, and has neither codes nor reconstructions nor samples."""

    def __init__(self, shape: tuple[int, ...], classes: int = 10):
        super().__init__()
        self.autoencoder, self.head = flat(shape), fd.networks.mlp([4, classes])

    def classify(self, x):
        return self.head(self.autoencoder.encode(x))


def variational(shape: tuple[int, ...]) -> fd.models.VAE:
    torch.manual_seed(0)
    pixels = math.prod(shape)
    return fd.models.VAE(
        fd.networks.mlp([pixels, 12, 8]), fd.networks.mlp([4, 12, pixels], output="sigmoid"), image_shape=shape
    )


def stacked(shape: tuple[int, ...]) -> fd.models.StackedAutoencoder:
    """The first block alone is on pixels."""
    above = fd.models.Autoencoder(fd.networks.mlp([4, 3]), fd.networks.mlp([3, 4], output="sigmoid"), loss="mse")
    return fd.models.StackedAutoencoder([flat(shape), above])


def fine_tuned(shape: tuple[int, ...]) -> fd.models.Classifier:
    return fd.models.Classifier(stacked(shape), fd.networks.mlp([3, 10]))


def unlabelled() -> fd.data.Dataset:
    digits = fd.data.stand_in("mnist")
    return digits._replace(train=fd.data.Split(digits.train.images), test=fd.data.Split(digits.test.images))


# (model, dataset, {pattern of what has no number: why}): the first that fits is expected, None means a number after all
LABELLED = r"(test accuracy|precision|mean average|cluster|adjusted|normalised).*"
SAMPLED = {r"(log-likelihood|intrinsic dimension) x\(\d\)|energy .*": "no prior|draws no samples|no images to sample"}
NEW_CLASSES = {r"(20-way|accuracy over new).*": "the data set has no evaluation split"}
ATTRIBUTES = {r"attribute accuracy .*": "the train images have no attributes"}
BOUNDS = {r"log-likelihood bound .*": "no method 'posterior'"}
USUAL = {**NEW_CLASSES, **ATTRIBUTES, **BOUNDS, **SAMPLED}
NO_LABELS = {**USUAL, LABELLED: "the (train|test) images have no labels"}
CASES = {
    "digits": (denoising, lambda: fd.data.stand_in("mnist"), USUAL),
    "samples": (adversarial, lambda: fd.data.stand_in("mnist"), {**NEW_CLASSES, **ATTRIBUTES, **BOUNDS}),
    "a posterior": (variational, lambda: fd.data.stand_in("fashion-mnist"), {**NEW_CLASSES, **ATTRIBUTES}),
    "a stack": (stacked, lambda: fd.data.stand_in("mnist"), USUAL),
    "characters": (flat, lambda: fd.data.stand_in("omniglot"), {**ATTRIBUTES, **BOUNDS, **SAMPLED}),
    "faces": (Spatial, lambda: fd.data.stand_in("celeba", images=80), {**NO_LABELS, r"attribute accuracy .*": None}),
    "colours": (Spatial, lambda: fd.data.stand_in("cifar-10"), USUAL),
    "no labels": (flat, unlabelled, NO_LABELS),
    "patches": (linear_output, lambda: fd.data.stand_in("patches"), NO_LABELS),
    "diverged": (
        diverged,
        lambda: fd.data.stand_in("mnist"),
        {
            **USUAL,
            r"reconstruction MSE( over sigma)? (corrupted input|clean input|reconstructions)": "the model has diverged",
            r".* (SVM|linear SVM|k-means) on codes|(precision|mean average precision).* codes": "codes hold NaN",
            r"(filter|oriented|localised).*": "the model has diverged",
        },
    ),
    "a fine-tuned stack": (
        fine_tuned,
        lambda: fd.data.stand_in("mnist"),
        {**USUAL, r"reconstruction MSE (corrupted|clean) input": "no method 'reconstruct'"},
    ),
    "a classifier": (
        Classifying,
        lambda: fd.data.stand_in("mnist"),
        {
            **USUAL,
            r"test accuracy over sigma classifier|.* pixels": None,
            r"reconstruction MSE (corrupted|clean) input": "no method 'reconstruct'",
            LABELLED: "no method 'encode'",
            r"reconstruction MSE PCA.*": "no method 'encode'",
        },
    ),
}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    make, data, reasons = CASES[request.param]
    dataset = data()
    model = make(tuple(dataset.train.images.shape[1:]))
    model.train()
    stages = []
    measures = evaluate(model, dataset, measures=OTHERS, **SMALL, report=stages.append)
    assert model.training and all("\n" not in stage for stage in stages)
    return measures, reasons, (model, dataset)


def test_each_has_a_number_or_the_reason(case):
    measures, reasons, _ = case
    for measure in measures:
        what = f"{measure.name} {measure.of}"
        expected = next((reason for pattern, reason in reasons.items() if re.fullmatch(pattern, what)), None)
        if expected is None:
            assert measure.reason is None and math.isfinite(measure.value), (what, measure.reason)
            assert measure.unit != "share" or 0 <= measure.value <= 1
        else:
            assert measure.value is None and re.search(expected, measure.reason), (what, measure.reason)
            assert "\n" not in measure.reason


def test_the_same_seed_gives_the_same_measures_which_are_the_same_after_json(case):
    measures, _, (model, dataset) = case
    seeded = ["retrieval", "clustering", "robustness", "filters"]
    again = {(one.name, one.of): one for one in evaluate(model, dataset, measures=seeded, **SMALL)}
    assert again.items() <= {(one.name, one.of): one for one in measures}.items()
    assert from_json(to_json(measures)) == measures


@pytest.mark.parametrize(
    ("message", "measures"),
    [
        ("measures must be names out of 'reconstruction', .*; got 'likelihood'", ["reconstruction", "likelihood"]),
        ("measures must be a list of names out of .*; got 'filters'", "filters"),
        (r"measures must be a list of names out of .*; got \[\]", []),
    ],
)
def test_other_names_are_refused_before_anything_is_measured(message, measures):
    stages = []
    with pytest.raises(ValueError, match=message):
        evaluate(flat((28, 28)), fd.data.stand_in("mnist"), measures=measures, report=stages.append)
    assert stages == []


def test_nothing_is_drawn_or_measured_that_is_not_asked_for():
    stages, dataset = [], fd.data.stand_in("mnist")
    found = evaluate(adversarial((28, 28)), dataset, measures=("filters", "reconstruction"), report=stages.append)
    assert stages == ["reconstruction, corrupted input", "reconstruction, clean input", "filters"]
    assert [one.name for one in found[:3]] == ["reconstruction MSE", "reconstruction MSE", "filter concentration"]


def test_a_classifier_has_its_accuracy_and_confusions_by_default():
    dataset, model = fd.data.stand_in("mnist"), Classifying((28, 28))
    [found] = evaluate(model, dataset)
    labels = dataset.test.labels
    given = model.classify(dataset.test.images).argmax(1)
    assert (found.name, found.of, found.unit) == ("test accuracy", "classifier", "share")
    assert found.value == pytest.approx(float((given == labels).double().mean()))
    pairs = zip(found.curve["label"], found.curve["predicted"], found.curve["images"], strict=True)
    assert {(a, b): count for a, b, count in pairs} == {
        (a, b): count for a in range(10) for b in range(10) if (count := int(((labels == a) & (given == b)).sum()))
    }
