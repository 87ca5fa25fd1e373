"""Which figures a report has of which model, and that equal seeds give equal ones."""

import warnings

import numpy as np
import pytest

from fastdaae.evaluation import Measure
from fastdaae.reporting import drawing
from fastdaae.reporting.drawing import training
from fastdaae.reporting.figures.looks import WIDE
from tests.reports.family import digits, model, whitened

SEEN = ["reconstructions", "robustness-pictures"]
CODES = ["code-histograms", "code-plane", "filters"]
# {model: the figures of its report, without losses and measures}
PANELS = {
    "AAE": [*SEEN, "samples", "chain", "latent-grid", "interpolation", *CODES],
    "IDAAE": [*SEEN, "samples", "chain", "latent-grid", "interpolation", *CODES],
    "autoencoder": [*SEEN, "interpolation", *CODES],
    "manifold": [*SEEN, "chain", "latent-grid", "interpolation", *CODES],
    "VAE": [*SEEN, "samples", "chain", "latent-grid", "interpolation", *CODES],
    "DVAE": [*SEEN, "samples", "chain", "latent-grid", "interpolation", *CODES],
    "noise transformer": [*SEEN, "chain", "interpolation", *CODES, "sigma", "sigma-extremes"],
    "stack": [*SEEN, "chain", "top-down", "interpolation", *CODES],
    "classifier": ["code-plane", "filters", "confusion", "most-wrong"],
    "convolutional": [*SEEN, "interpolation", *CODES],
    "linear": [*SEEN, "chain", "interpolation", *CODES],
}


def drawn(name: str, data=None, measures=()) -> list[drawing.Drawn]:
    data = data or (whitened() if name == "linear" else digits())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return list(drawing.draw(model(name), data, "test", [], measures, unit="nats", seed=1))


@pytest.fixture(scope="module")
def shown():
    return {name: drawn(name) for name in PANELS}


@pytest.mark.parametrize("name", PANELS)
def test_a_model_has_the_figures_of_what_it_has(name, shown):
    assert [one.name for one in shown[name]] == PANELS[name]
    for one in shown[name]:
        assert one.figure is not None and (one.redraw is None) != (one.gallery is None), one.caption
        assert len(one.caption) > 60 and one.caption.endswith("."), one.caption


@pytest.mark.parametrize("name", ["DVAE", "noise transformer", "stack"])
def test_equal_seeds_give_equal_pictures(name, shown):
    for one, again in zip(shown[name], drawn(name), strict=True):
        assert one.caption == again.caption
        blocks = zip(*(of.gallery.blocks if of.gallery else () for of in (one, again)), strict=True)
        assert all(np.array_equal(first.pictures, second.pictures) for first, second in blocks), one.name


@pytest.mark.parametrize("name", ["classifier", "stack"])
def test_without_labels_nothing_is_said_of_classes(name):
    assert [one.name for one in drawn(name, digits(labels=False))] == [
        panel for panel in PANELS[name] if panel not in ("confusion", "most-wrong")
    ]


def test_pixels_about_zero_are_drawn_about_grey_and_the_scale_is_told(shown):
    galleries = [one for one in shown["linear"] if one.gallery and one.name != "filters"]
    assert len(galleries) == 4
    for one in galleries:
        assert "Pixels are drawn from −2.2" in one.caption and "grey is 0" in one.caption, one.name


def test_curves_over_strengths_are_drawn_with_their_errors():
    sigma = [0.0, 0.5, 1.0]
    measures = [
        Measure(
            "reconstruction MSE over sigma",
            "reconstructions",
            0.2,
            curve={"sigma": sigma, "mse": [0.1, 0.2, 0.3]},
        ),
        Measure(
            "test accuracy over sigma",
            "linear SVM on codes",
            0.5,
            unit="share",
            curve={"sigma": sigma, "accuracy": [0.9, 0.5, 0.1], "standard_error": [0.01] * 3},
        ),
    ]
    (one,) = (one for one in drawn("IDAAE", measures=measures) if one.name == "robustness")
    errors, accuracies = one.figure.axes
    assert errors.get_title("left") == "Reconstruction MSE" and accuracies.get_ylabel() == "per cent"
    assert accuracies.containers[0].lines[0].get_ydata().tolist() == pytest.approx([90, 50, 10])
    assert any(np.allclose(line.get_xdata(), 0.3) for line in accuracies.lines)  # of training


def test_blocks_that_were_trained_in_turn_are_kept_apart():
    history = [
        {"epoch": epoch, "step": epoch, "seconds": 1.0, "block": block, "losses": {"reconstruction": loss}}
        for epoch, block, loss in ((1, 1, 0.5), (2, 1, 0.4), (3, 2, 0.9), (4, 2, 0.8), (5, 3, 0.1))
    ]
    caption, redraw = training.losses(model("stack"), history, "pixel²")
    (axes,) = redraw(WIDE).axes
    (curve, *lines) = axes.lines[:3]
    assert np.isnan(curve.get_ydata()).tolist() == [False, False, True, False, False, True, False]
    assert [line.get_xdata()[0] for line in lines] == [2.5, 4.5] and "(epoch 3 and 5)" in caption


def test_what_only_validation_measures_has_a_panel_of_its_own():
    losses = {"classification": 2.0}
    line = {"epoch": 1, "step": 1, "seconds": 1.0, "losses": losses, "validation": {**losses, "accuracy": 0.5}}
    panels = training.panels_of(model("classifier"), [line], "nats per pixel")
    assert [(panel.title, panel.unit, [name for name, _ in panel.curves]) for panel in panels] == [
        ("Classification loss", "nats", ["train", "validation"]),
        ("Accuracy", "share of images", ["validation"]),
    ]
