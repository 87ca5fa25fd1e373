"""The figures of one model by what it has: each family gathers what its figures show and says what to look for."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch

from fastdaae.evaluation import Measure
from fastdaae.reporting.drawing import (
    classes,
    codes,
    filters,
    latent,
    measured,
    reconstructions,
    robustness,
    samples,
    sigma,
    stacks,
    training,
)
from fastdaae.reporting.drawing.drawn import Drawn
from fastdaae.reporting.drawing.subject import Subject

__all__ = ["Drawn", "Subject", "draw", "inference"]

# in the order of the page; a family yields nothing for a model that has nothing of its kind
FAMILIES: tuple[Callable[[Subject], Iterator[Drawn]], ...] = (
    training.draw,
    reconstructions.draw,
    robustness.draw,
    samples.draw,
    stacks.draw,
    latent.draw,
    codes.draw,
    filters.draw,
    sigma.draw,
    classes.draw,
    measured.draw,
)


def draw(
    model, dataset, part: str, history: Sequence[dict], measures: Sequence[Measure] | None, *, unit: str, seed: int
) -> Iterator[Drawn]:
    """All figures of a report, one after the other; `part` names the split of the Dataset that is shown."""
    subject = Subject(model, dataset, part, history, measures or (), unit, seed)
    with inference(model):
        for family in FAMILIES:
            yield from family(subject)


@contextmanager
def inference(model) -> Iterator[None]:
    """The model without dropout and gradients, and in its own mode again afterwards."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)
