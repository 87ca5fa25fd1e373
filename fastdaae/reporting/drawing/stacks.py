"""Top-down samples of a stack of autoencoders."""

from collections.abc import Iterator

import numpy as np

from fastdaae.evaluation.attempt import require_finite
from fastdaae.reporting.drawing.drawn import Drawn, pictured
from fastdaae.reporting.drawing.subject import Subject
from fastdaae.reporting.figures.samples import Gallery, strip

_IMAGES, _SAMPLES = 10, 9


def draw(subject: Subject) -> Iterator[Drawn]:
    """The samples of a model that draws them from the top of its blocks, where its codes are probabilities."""
    model = subject.model
    if not hasattr(model, "sample_top_down"):
        return
    top = model.encode(subject.few)
    if top.min() >= 0 and top.max() <= 1:
        yield pictured("top-down", lambda: top_down(subject))


def top_down(subject: Subject) -> tuple[str, Gallery]:
    """Images, each with samples drawn from its code down through Bernoulli layers."""
    x = subject.few[:_IMAGES]
    samples = subject.model.sample_top_down(x, _SAMPLES, seed=subject.seed)
    require_finite("samples", samples.flatten(0, 1))
    pictures = np.stack([subject.pictures(column) for column in (x, *samples)])
    caption = (
        f"Left of each row one of the first {subject.kind} images, right of it samples of its code: each layer of "
        "codes is drawn as Bernoulli variables of its activations and decoded by one block, down to the pixels "
        "(Vincent et al. 2010, section 7; Figure 5 of the report). Samples should vary and keep what the image is of."
    )
    names = ("x", *(str(number) for number in range(1, _SAMPLES + 1)))
    return caption + subject.pixels_told, strip(pictures, names, "Images and samples from the top of the stack")
