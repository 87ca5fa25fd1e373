"""Pictures of a result's models side by side: reconstructions, samples, grids over codes, filters."""

import textwrap
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from fastdaae.evaluation.attempt import IMPOSSIBLE, require_finite
from fastdaae.noise import Site
from fastdaae.reporting.drawing import Subject, inference
from fastdaae.reporting.drawing.drawn import Drawn, pictured
from fastdaae.reporting.drawing.filters import filters_of, pictures_of
from fastdaae.reporting.drawing.latent import grid as latent_grid
from fastdaae.reporting.drawing.stacks import top_down
from fastdaae.reporting.figures.pictures import grid
from fastdaae.reporting.figures.samples import Block, Gallery, image_rows
from fastdaae.reporting.reproduced.result import file_name

_IMAGES, _GRID, _COLUMNS, _STEPS = 10, 50, 10, 5
_ROW = 15  # letters in a line beside a row

Titled = Sequence[tuple[str, Subject]]


def pictures(subjects: Titled) -> Iterator[Drawn]:
    """Each kind of picture, of the models that have it; nothing of a kind that none has."""
    data = dict.fromkeys(subject.dataset.name for _, subject in subjects if subject.dataset.name)
    for name in data:
        of_data = [(title, one) for title, one in subjects if one.dataset.name == name and one.reconstructs]
        if of_data:
            yield pictured(file_name(f"reconstructions {name}"), lambda some=of_data: _reconstructions(some))
    for name, title, caption, block in _KINDS:
        blocks = list(_blocks(subjects, block))
        if blocks:
            told = (f"{caption} All are of the first seed.", Gallery(title, tuple(blocks)))
            yield pictured(name, lambda told=told: told)


def _blocks(subjects: Titled, block: Callable[[Subject], Block | None]) -> Iterator[Block]:
    """What the models have of one kind, under their titles; a model that diverged has nothing to show."""
    for title, subject in subjects:
        try:
            with inference(subject.model):
                made = block(subject)
        except IMPOSSIBLE:
            continue
        if made is not None:
            yield made._replace(title=title)


def _reconstructions(subjects: Titled) -> tuple[str, Gallery]:
    first = subjects[0][1]
    x = first.split.images[:_IMAGES]
    rows = [("images", first.pictures(x))]
    for title, subject in subjects:
        with inference(subject.model):
            rebuilt = subject.model.reconstruct(x.to(subject.noise.device), subject.noise)
        rows.append((textwrap.fill(title, _ROW), subject.pictures(rebuilt)))
    caption = (
        f"The first {len(x)} test images of {first.dataset.name}, and what each model makes of them, corrupted as in "
        "its training."
    )
    return caption + first.pixels_told, image_rows(rows, f"Reconstructions of {first.dataset.name}")


def _first(subject: Subject) -> Block | None:
    return _samples(subject, 0)


def _last(subject: Subject) -> Block | None:
    return _samples(subject, _STEPS)


def _samples(subject: Subject, steps: int) -> Block | None:
    if subject.prior is None or not subject.reconstructs:
        return None
    drawn = subject.model.sample(_GRID, steps=steps, seed=subject.seed)
    require_finite("samples", drawn)
    return Block(grid(subject.pictures(drawn), _COLUMNS))


def _latent(subject: Subject) -> Block | None:
    """Over the codes of a variational model or of one with a plane of codes."""
    model = subject.model
    if not subject.reconstructs or (subject.prior is None and not subject.dataset.name):
        return None
    if subject.prior is None:
        size = model.encode(subject.few[:1]).numel()
    else:
        size = subject.prior.sample(1, subject.noise, site=Site.PRIOR).shape[1]
    if size > 2 and not hasattr(model, "posterior"):
        return None
    return None if size > 2 and subject.prior is None else latent_grid(subject)[1].blocks[0]


def _filters(subject: Subject) -> Block | None:
    """Of a model without a prior, whose samples cannot stand for it."""
    found = [] if subject.prior is not None else filters_of(subject.body, tuple(subject.shape))
    if not found:
        return None
    require_finite("filters", found[0].weights)
    return Block(grid(pictures_of(found[0].weights[:_GRID]), _COLUMNS))


def _top_down(subject: Subject) -> Block | None:
    if not hasattr(subject.model, "sample_top_down") or not subject.dataset.name:
        return None
    top = subject.model.encode(subject.few)
    inside = bool(np.all((top.cpu().numpy() >= 0) & (top.cpu().numpy() <= 1)))
    return top_down(subject)[1].blocks[0]._replace(columns=()) if inside else None


# (file name, title, caption, what makes a model's block, or None)
_KINDS: tuple[tuple[str, str, str, Callable[[Subject], Block | None]], ...] = (
    (
        "samples",
        "Samples x(0), decoded from the prior",
        f"The first {_GRID} samples of each model, none chosen, from the same draws where priors are equal.",
        _first,
    ),
    (
        "samples-after-a-chain",
        f"Samples x({_STEPS}), after {_STEPS} steps of the chain",
        "The same samples further along their chains, which should be clearer and as varied.",
        _last,
    ),
    (
        "latent-grids",
        "Images over two codes",
        "Code 1 rises to the right and code 2 upwards over their quantiles, other codes are fixed at one draw.",
        _latent,
    ),
    (
        "filters",
        "First-layer filters",
        f"The weights of the first {_GRID} units, grey is 0, each by its own largest weight. Denoising should make "
        "strokes and edges of what looks like noise without it.",
        _filters,
    ),
    (
        "top-down",
        "Samples from the top of the stacks",
        "Left of each row a test image, right of it Bernoulli samples of its code.",
        _top_down,
    ),
)
