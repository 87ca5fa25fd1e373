"""Models and data that nothing can be measured of: the report says why in its place, and the rest is there."""

import io
import math
import re
import warnings

import numpy as np
import pytest
import torch
from rich.console import Console

import fastdaae as fd
from fastdaae import reporting
from fastdaae.cli.work.tables import evaluation_table
from fastdaae.data import Dataset, Split
from fastdaae.evaluation import evaluate, read_evaluation, write_evaluation
from fastdaae.reporting.drawing import training
from fastdaae.reporting.figures.looks import WIDE
from fastdaae.reporting.figures.projection import codes_in_a_plane


def model(*, code: int = 4) -> fd.IDAAE:
    torch.manual_seed(0)
    networks = fd.networks.mlp([64, 16, code]), fd.networks.mlp([code, 16, 64], output="sigmoid")
    prior, corruption = fd.priors.Normal(code), fd.corruptions.Gaussian(0.5)
    return fd.IDAAE(*networks, fd.networks.mlp([code, 16, 1]), prior=prior, corruption=corruption)


def collapsed() -> fd.IDAAE:
    """Every image has one code, and every code one image."""
    network = model()
    with torch.no_grad():
        for parameter in [*network.encoder.parameters(), *network.decoder.parameters()]:
            parameter.zero_()
    return network


def diverged() -> fd.IDAAE:
    network = model()
    with torch.no_grad():
        next(network.parameters()).fill_(math.nan)
        next(network.decoder.parameters()).fill_(math.nan)
    return network


def digits(**changed) -> Dataset:
    """Eighty training and thirty other images, where `changed` gives a split a function, through it."""
    counts = {"train": 80, "validation": 30, "test": 30}
    whole = fd.data.load("digits")
    parts = {name: Split(*(values[:count] for values in getattr(whole, name)[:2])) for name, count in counts.items()}
    return Dataset(**{**parts, **{name: change(parts[name]) for name, change in changed.items()}}, name="digits")


def unlabelled(split: Split) -> Split:
    return Split(split.images, None)


def of_one_class(split: Split) -> Split:
    return Split(split.images, torch.zeros_like(split.labels))


def first_of(split: Split) -> Split:
    return Split(split.images[:1], split.labels[:1])


def constant(split: Split) -> Split:
    return Split(torch.full_like(split.images, 128), split.labels)


# (model, dataset, {pattern of what: the reason that must be given}); everything else must have its numbers
ONE_LABEL = "all 80 training images have one label, and an SVM needs two classes"
HARD = {
    "a collapsed model": (
        collapsed,
        digits,
        {r"intrinsic dimension x\(\d\)": "at least 3 distinct rows, got 1 among n_samples = 80"},
    ),
    "a diverged model": (
        diverged,
        digits,
        {
            r"reconstruction MSE .*": "the reconstructions hold NaN or infinite values: the model has diverged",
            r"(log-likelihood|intrinsic dimension) x\(\d\)": "80 of 80 samples hold NaN or infinite values",
            r"test accuracy SVM on codes": "80 of 80 codes hold NaN or infinite values",
        },
    ),
    "one class": (model, lambda: digits(train=of_one_class), {"test accuracy .*": ONE_LABEL}),
    "no test labels": (
        model,
        lambda: digits(test=unlabelled),
        {"test accuracy .*": "the test images have no labels, and accuracy needs them"},
    ),
    "constant images": (
        model,
        lambda: digits(train=constant, validation=constant, test=constant),
        {"intrinsic dimension real.*": "at least 3 distinct rows, got 1"},
    ),
    "one image": (
        model,
        lambda: digits(train=first_of, validation=first_of, test=first_of),
        {
            "intrinsic dimension .*": "at least 3 distinct rows",
            "test accuracy .*": "all 1 training images have one label",
        },
    ),
    "fewer images than neighbours": (model, lambda: digits(train=lambda part: Split(*(x[:9] for x in part[:2]))), {}),
}


@pytest.fixture(scope="module", params=HARD)
def hard(request):
    """(model, dataset, measures, reasons)."""
    make, data, reasons = HARD[request.param]
    network, dataset = make(), data()
    return network, dataset, evaluate(network, dataset, samples=80, steps=2, k=20), reasons


def test_each_measure_that_cannot_be_taken_says_why_and_the_others_are_kept(hard):
    _, _, measures, reasons = hard
    assert len(measures) == 10
    for measure in measures:
        what = f"{measure.name} {measure.of}"
        expected = next((reason for pattern, reason in reasons.items() if re.fullmatch(pattern, what)), None)
        if expected is None:
            assert measure.reason is None and math.isfinite(measure.value), what
        else:
            assert measure.value is None and expected in measure.reason, what


def test_an_evaluation_is_written_without_nan_and_read_back(hard, tmp_path):
    write_evaluation(tmp_path, hard[2], model="IDAAE", data="digits", seed=0, checkpoint=None)
    assert read_evaluation(tmp_path) == (hard[2], "IDAAE", "digits", 0, None)


def test_the_printed_table_says_why(hard):
    wide = Console(width=400, file=io.StringIO())
    wide.print(evaluation_table(hard[2], "title"))
    printed = wide.file.getvalue()
    for measure in hard[2]:
        assert (measure.reason or "") in printed
    assert not re.search(r"\b(nan|inf|None)\b", printed)


@pytest.mark.parametrize("hard", ["a collapsed model", "a diverged model", "one image"], indirect=True)
def test_the_page_says_why(hard, tmp_path):
    network, dataset, measures, _ = hard
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        page = reporting.build(network, dataset, [], measures, tmp_path).read_text()
    for measure in measures:
        assert (measure.reason or "") in page
    assert not re.search(r"\b(nan|inf|None)\b", re.sub('base64,[^"]*', "", page))
    diverged_model = "diverged" in (measures[0].reason or "")
    assert ("The figure reconstructions is not drawn" in page) == diverged_model
    assert (tmp_path / "figures" / "reconstructions.png").exists() != diverged_model


def test_codes_of_a_collapsed_model_are_not_projected(tmp_path, monkeypatch):
    monkeypatch.setattr("sklearn.manifold.TSNE", lambda *_, **__: pytest.fail("equal codes reached t-SNE"))
    page = reporting.build(collapsed(), digits(), [], None, tmp_path).read_text()
    assert "not drawn: all 30 codes are equal" in page and not (tmp_path / "figures" / "code-plane.png").exists()


@pytest.mark.parametrize("distinct", [2, 3, 6])
def test_a_plane_of_few_distinct_codes(distinct):
    codes = np.random.default_rng(0).normal(size=(distinct, 5)).astype(np.float32)[np.arange(40) % distinct]
    points, _, how, _ = codes_in_a_plane(codes, seed=0)
    assert points.shape == (40, 2) and np.isfinite(points).all()
    assert len(np.unique(points, axis=0)) == distinct
    assert ("t-SNE" in how) == (distinct == 6)


@pytest.mark.parametrize("scale", [1e-38, 1e-30, 1e30])
def test_codes_of_any_scale_are_projected(scale):
    codes = (np.random.default_rng(0).normal(size=(40, 5)) * scale).astype(np.float32)
    points, _, how, _ = codes_in_a_plane(codes, seed=0)
    assert "t-SNE" in how and np.isfinite(points).all()


def test_losses_of_a_diverged_run_are_drawn(tmp_path):
    history = [
        {"epoch": n, "step": n, "seconds": 1.0, "losses": {"reconstruction": value, "discriminator": value}}
        for n, value in ((1, 0.5), (2, math.nan), (3, None), (4, math.inf))
    ]
    for shown in (history, history[1:]):
        page = reporting.build(diverged(), digits(), shown, None, tmp_path).read_text()
        assert "its reconstruction loss is not finite in training" in page
    _, draw = training.losses(diverged(), history, "nats")
    first, second = draw(WIDE).axes
    assert [text.get_text() for text in first.texts] == ["train: not finite\nafter epoch 1"]
    assert "discriminator: not finite\nafter epoch 1" in [text.get_text() for text in second.texts]


@pytest.mark.parametrize(
    ("message", "choice"),
    [
        ("samples must be >= 1, got 0", {"samples": 0}),
        ("steps must be >= 0, got -1", {"steps": -1}),
        (r"steps must be numbers >= 0 in ascending order, got \(5, 1\)", {"steps": (5, 1)}),
        ("k must be >= 2, got 1", {"k": 1}),
        ("svm_images must be >= 1, got 0", {"svm_images": 0}),
    ],
)
def test_an_evaluation_that_was_asked_for_wrongly_is_refused_at_once(message, choice):
    with pytest.raises(ValueError, match=message):
        evaluate(model(), digits(), **choice)
