"""Samples of the Markov chain, from the prior or, without one, from the codes of images."""

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from fastdaae.evaluation.attempt import require_finite
from fastdaae.reporting.drawing.drawn import Drawn, pictured
from fastdaae.reporting.drawing.subject import Subject
from fastdaae.reporting.figures.samples import Gallery, film_strip, sample_grids

_GRID, _STEPS = 100, 5
_CHAINS, _LAST = 8, 9


def draw(subject: Subject) -> Iterator[Drawn]:
    """Samples of a model with a prior, and chains of one that has a prior or a corruption to walk by."""
    model = subject.model
    if not hasattr(model, "sample") or not subject.reconstructs:
        return
    if subject.prior is not None:
        yield pictured("samples", lambda: samples(subject))
    if subject.prior is not None or (subject.corrupts and _are_flat(subject)):
        yield pictured("chain", lambda: chain(subject))


def _are_flat(subject: Subject) -> bool:
    """Whether a code is a row of numbers, as chains take them."""
    return subject.model.encode(subject.few[:1]).dim() == 2


def samples(subject: Subject) -> tuple[str, Gallery]:
    """Grids of samples before and after a chain from the same codes."""
    first, last = subject.model.sample(_GRID, steps=_STEPS, keep=(0, _STEPS), seed=subject.seed)
    for drawn in (first, last):
        require_finite("samples", drawn)
    grids = [
        ("x(0): decoded from the prior", subject.pictures(first)),
        (f"x({_STEPS}): after {_STEPS} steps of the chain", subject.pictures(last)),
    ]
    caption = (
        f"The first {_GRID} samples, none chosen, before the chain and after {_STEPS} steps of it from the same codes. "
        "They should be varied and look like the data, and the chain should make them clearer without losing whole "
        "kinds of images (Figures 4 and 12 of the paper)."
    )
    title = "Samples before and after the Markov chain, same initial codes"
    return caption + subject.pixels_told, sample_grids(grids, title)


def chain(subject: Subject) -> tuple[str, Gallery]:
    """Chains as rows, each from its own draw of the prior, or from an image where there is no prior."""
    told, initial = "from its own draw of the prior", None
    if subject.prior is None:
        told, initial = f"from the code of one of the first {subject.kind} images", subject.model.encode(subject.few)
    chains = _chains(subject, initial)
    require_finite("chain states", chains.flatten(0, 1))
    caption = (
        "Each row is a chain. A good one moves between plausible images instead of settling on one or on a mean "
        "(Figures 12 and 13 of the paper show the ends of such chains)."
    )
    pictures = np.stack([subject.pictures(x) for x in chains])
    return caption + subject.pixels_told, film_strip(pictures, f"Markov chains, each {told}")


def _chains(subject: Subject, initial: Tensor | None) -> Tensor:
    count = _CHAINS if initial is None else min(_CHAINS, len(initial))
    start = {} if initial is None else {"initial": initial[:count]}
    return subject.model.sample(count, steps=_LAST, keep=tuple(range(_LAST + 1)), seed=subject.seed, **start)
