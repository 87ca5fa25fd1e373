"""The figures of one model: gathers what each shows and says what to look for."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from fastdaae import ops
from fastdaae.arrays import to_tensor
from fastdaae.evaluation import Measure
from fastdaae.evaluation.attempt import IMPOSSIBLE, reason_of, require_finite
from fastdaae.evaluation.measures import DIMENSION, LIKELIHOOD
from fastdaae.noise import Noise, Site
from fastdaae.reporting import captions, figures
from fastdaae.reporting.figures.codes import code_histograms, code_plane
from fastdaae.reporting.figures.looks import WIDE, Look
from fastdaae.reporting.figures.pictures import as_pictures
from fastdaae.reporting.figures.projection import codes_in_a_plane
from fastdaae.reporting.figures.samples import Gallery

_IMAGES, _GRID, _STEPS = 12, 100, 5
_CHAINS, _LAST = 8, 9
_CODES, _PLANE, _BATCH = 10_000, 2000, 1000  # t-SNE of 2000 codes takes seconds


class Drawn(NamedTuple):
    """A figure with its file name (without ending) and its caption; without a figure, the caption says why.

    A chart is drawn again for other looks by `redraw`; the pictures of a gallery are the same in all of them.
    """

    name: str
    figure: Figure | None
    caption: str
    redraw: Callable[[Look], Figure] | None = None
    gallery: Gallery | None = None


def _chart(name: str, prepare: Callable[[], tuple[str, Callable[[Look], Figure]]]) -> Drawn:
    """A chart, of which `prepare` gives the caption and what draws it from numbers that are there by then."""
    try:
        caption, redraw = prepare()
        return Drawn(name, redraw(WIDE), caption, redraw)
    except IMPOSSIBLE as error:
        return Drawn(name, None, reason_of(error))


def _pictured(name: str, caption: str, prepare: Callable[[], Gallery]) -> Drawn:
    try:
        gallery = prepare()
        return Drawn(name, figures.samples.figure_of(gallery), caption, gallery=gallery)
    except IMPOSSIBLE as error:
        return Drawn(name, None, reason_of(error))


def draw(model, dataset, part: str, history: list[dict], measures, *, unit: str, seed: int) -> Iterator[Drawn]:
    """All figures of a report, one after the other; `part` names the split of the Dataset that is shown."""
    split = getattr(dataset, part)
    if history:
        yield _chart("losses", lambda: _losses(model, history, unit))
    with _inference(model):
        noise = Noise(seed, device=next(model.parameters()).device)
        images, shape = split.images[:_IMAGES], tuple(split.images.shape[1:])
        caption = captions.reconstructions(model.corruption is not None)
        yield _pictured("reconstructions", caption, lambda: _reconstructions(model, images, part, noise))
        yield _pictured("samples", captions.samples(_GRID, _STEPS), lambda: _samples(model, shape, seed))
        yield _pictured("chain", captions.CHAIN, lambda: _chain(model, shape, seed))
        yield from _codes(model, split, part, noise, seed, dataset.classes)
    yield from draw_measures(measures or [])


@contextmanager
def _inference(model) -> Iterator[None]:
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


def _losses(model, history: list[dict], unit: str) -> tuple[str, Callable[[Look], Figure]]:
    names = history[-1]["losses"]
    validation = [_number(line.get("validation", {}).get("reconstruction")) for line in history]
    equilibrium = None
    if "discriminator" in names:
        # the released form halves the discriminator's loss
        halved = getattr(model, "form", "paper") == "released"
        equilibrium = (math.log(2), "ln 2 = 0.693") if halved else (2 * math.log(2), "2 ln 2 = 1.386")
    held_out = None if all(map(math.isnan, validation)) else validation
    epochs = [line["epoch"] for line in history]
    training = {name: [_number(line["losses"].get(name)) for line in history] for name in names}
    told = {"unit": unit, "equilibrium": equilibrium}
    caption = captions.losses(history, held_out is not None, equilibrium is not None)
    return caption, lambda look: figures.training.losses(epochs, training, held_out, **told, look=look)


def _number(value: float | None) -> float:
    """A loss of a metrics file, where None stands for one that was not finite."""
    return math.nan if value is None or math.isinf(value) else value


def _reconstructions(model, images: Tensor, part: str, noise: Noise) -> Gallery:
    x = images.to(noise.device)
    rebuilt = model.reconstruct(x, noise)
    require_finite("reconstructions", rebuilt)
    shape = tuple(x.shape[1:])
    rows = [("clean", as_pictures(x, shape))]
    if model.corruption is not None:
        # the address that `reconstruct` reads, so that the row shows what the encoder was given
        x_tilde = ops.corrupt(x, model.corruption, noise, site=Site.EVALUATION)[0]
        rows.append((f"corrupted\n{_strength(model.corruption)}", as_pictures(x_tilde, shape)))
    rows.append(("reconstructed", as_pictures(rebuilt, shape)))
    return figures.samples.image_rows(rows, f"The first {len(x)} {_IN_TEXT[part]} images and their reconstructions")


_IN_TEXT = {"test": "test", "validation": "validation", "train": "training"}


def _strength(corruption) -> str:
    symbols = {"sigma": "σ", "drop": "drop", "p": "p"}
    return ", ".join(
        f"{text} = {getattr(corruption, name):g}" for name, text in symbols.items() if hasattr(corruption, name)
    )


def _samples(model, shape: tuple[int, ...], seed: int) -> Gallery:
    first, last = model.sample(_GRID, steps=_STEPS, keep=(0, _STEPS), seed=seed)
    require_finite("samples", first)
    require_finite("samples", last)
    grids = [
        ("x(0): decoded from the prior", as_pictures(first, shape)),
        (f"x({_STEPS}): after {_STEPS} steps of the chain", as_pictures(last, shape)),
    ]
    return figures.samples.sample_grids(grids, "Samples before and after the Markov chain, same initial codes")


def _chain(model, shape: tuple[int, ...], seed: int) -> Gallery:
    chains = model.sample(_CHAINS, steps=_LAST, keep=tuple(range(_LAST + 1)), seed=seed)
    require_finite("chain states", chains.flatten(0, 1))
    return figures.samples.film_strip(
        np.stack([as_pictures(x, shape) for x in chains]), "Markov chains, each from its own draw of the prior"
    )


def _codes(model, split, part: str, noise: Noise, seed: int, classes) -> Iterator[Drawn]:
    images = split.images[:_CODES]
    clean = _encode(model, images, None, noise)
    prior = getattr(model, "prior", None)
    codes = {} if prior is None else {"prior": prior.sample(_CODES, noise, site=Site.PRIOR).cpu().numpy()}
    codes["clean"] = clean
    if model.corruption is not None:
        codes["corrupted"] = _encode(model, images, model.corruption, noise)
    title = f"Codes of {len(clean):,} {_IN_TEXT[part]} images" + ("" if prior is None else " beside the prior")
    caption = captions.code_histograms(type(model).__name__, prior is not None)
    yield _chart("code-histograms", lambda: (caption, _histograms(codes, title)))
    labels = None if split.labels is None else split.labels[:_PLANE].cpu().numpy()
    yield _chart("code-plane", lambda: _labelled_plane(clean[:_PLANE], labels, _IN_TEXT[part], seed, classes))


def _histograms(codes: Mapping[str, np.ndarray], title: str) -> Callable[[Look], Figure]:
    for name, values in codes.items():
        require_finite(f"{name} codes", to_tensor(values))
    return lambda look: code_histograms(codes, title, look)


def _labelled_plane(codes: np.ndarray, labels: np.ndarray | None, part: str, seed: int, classes):
    require_finite("codes", to_tensor(codes))
    plane = codes_in_a_plane(codes, seed)
    told = {"title": f"{plane.title} of {len(plane.points):,} {part} images", "axis_names": plane.axis_names}
    caption = captions.code_plane(plane, labels is not None)
    return caption, lambda look: code_plane(plane.points, labels, **told, classes=classes, look=look)


def _encode(model, images: Tensor, corruption, noise: Noise) -> np.ndarray:
    pieces = []
    for start in range(0, len(images), _BATCH):
        x = images[start : start + _BATCH].to(noise.device)
        if corruption is not None:
            x = ops.corrupt(x, corruption, noise, row_offset=start, site=Site.EVALUATION)[0]
        pieces.append(model.encode(x).float().cpu().numpy())
    return np.concatenate(pieces)


def draw_measures(measures: Sequence[Measure]) -> Iterator[Drawn]:
    """The figures of an evaluation: of each kind of measure that has curves to show."""
    for kind, (name, caption, figure) in _CURVES.items():
        found = [measure for measure in measures if measure.name == kind]
        if found:
            yield _chart(name, lambda found=found, caption=caption, figure=figure: _curves(found, caption, figure))


_CURVES = {
    LIKELIHOOD: ("likelihood", captions.likelihood, figures.measures.likelihood_curves),
    DIMENSION: ("dimension", captions.dimension, figures.measures.dimension_curves),
}


def _curves(measures: list[Measure], caption, figure) -> tuple[str, Callable[[Look], Figure]]:
    taken = [measure for measure in measures if measure.value is not None]
    if not taken:
        raise ValueError(measures[0].reason)
    return caption(taken), lambda look: figure(taken, look)
