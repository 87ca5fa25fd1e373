"""Corruption of rising strength: inputs and reconstructions side by side."""

import dataclasses
from collections.abc import Iterator

from fastdaae import ops
from fastdaae.corruptions import Gaussian
from fastdaae.evaluation.attempt import require_finite
from fastdaae.noise import Site
from fastdaae.reporting.drawing.drawn import Drawn, Redraw, chart, pictured
from fastdaae.reporting.drawing.reconstructions import SYMBOLS
from fastdaae.reporting.drawing.subject import Subject
from fastdaae.reporting.figures.robustness import has_strengths, robustness_curves
from fastdaae.reporting.figures.samples import Block, Gallery, grid_of_rows

_SHOWN = 6
_RISING: dict[str, tuple[float, ...]] = {
    "sigma": (0.0, 0.25, 0.5, 0.75, 1.0),
    "drop": (0.0, 0.25, 0.5, 0.75, 0.9),
    "p": (0.0, 0.1, 0.25, 0.5, 0.75),
    "count": (0, 1, 2, 4, 8),  # of patches
    "size": (1, 2, 4, 8),  # of the tiles that are shuffled
}


def draw(subject: Subject) -> Iterator[Drawn]:
    """Pictures, of a model that reconstructs, and curves, where they were measured."""
    if subject.reconstructs and _rises(_corruption(subject)):
        yield pictured("robustness-pictures", lambda: pictures(subject))
    if any(map(has_strengths, subject.measures)):
        yield chart("robustness", lambda: curves(subject))


def curves(subject: Subject) -> tuple[str, Redraw]:
    """What was measured over the strength of noise on the test images."""
    measures = list(filter(has_strengths, subject.measures))
    sigma = getattr(getattr(subject.model, "corruption", None), "sigma", None)
    caption = (
        "Test images with Gaussian noise of rising σ, which the model may never have met. A robust model's curve stays "
        "flat; bars are standard errors over the images."
    )
    return caption, lambda look: robustness_curves(measures, sigma, look)


def _corruption(subject: Subject):
    return getattr(subject.model, "corruption", None) or Gaussian(0.5)


def _rises(corruption) -> str | None:
    """The name of the number that is the strength of a corruption; None where none is."""
    return next((name for name in _RISING if hasattr(corruption, name)), None)


def pictures(subject: Subject) -> tuple[str, Gallery]:
    """The first images at each strength, and what the model makes of them."""
    corruption, images = _corruption(subject), subject.few[:_SHOWN]
    name = str(_rises(corruption))
    own = set() if getattr(subject.model, "corruption", None) is None else {getattr(corruption, name)}
    inputs, outputs, labels = [], [], []
    for strength in sorted({*_RISING[name], *own}):
        weaker = dataclasses.replace(corruption, **{name: strength})
        x_tilde = ops.corrupt(images, weaker, subject.noise, site=Site.EVALUATION)[0]
        rebuilt = subject.model.reconstruct(x_tilde)
        require_finite("reconstructions", rebuilt)
        inputs.append(subject.pictures(x_tilde))
        outputs.append(subject.pictures(rebuilt))
        labels.append(f"{SYMBOLS[name]} = {strength:g}" + ("\n(training)" if strength in own else ""))
    blocks = [
        Block(grid_of_rows(rows), title=title, rows=tuple(labels))
        for title, rows in (("corrupted input", inputs), ("reconstruction", outputs))
    ]
    caption = (
        f"The first {len(images)} {subject.kind} images under {type(corruption).__name__} corruption of rising "
        "strength, the same noise at each, and what the model makes of them. A robust one changes little up to the "
        "strength of its training and fails gradually beyond it."
    )
    return caption + subject.pixels_told, Gallery("Reconstruction as corruption rises", tuple(blocks))
