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
from fastdaae.reporting import captions, figures_measures, figures_samples, figures_training
from fastdaae.reporting.figures_codes import code_histograms, code_plane
from fastdaae.reporting.pictures import as_pictures
from fastdaae.reporting.projection import codes_in_a_plane

_IMAGES, _GRID, _STEPS = 12, 100, 5
_CHAINS, _LAST = 8, 9
_CODES, _PLANE, _BATCH = 10_000, 2000, 1000  # t-SNE of 2000 codes takes seconds


class Drawn(NamedTuple):
    """A figure with its file name (without ending) and its caption; without a figure, the caption says why."""

    name: str
    figure: Figure | None
    caption: str


def _drawn(name: str, caption: str, figure: Callable[[], Figure]) -> Drawn:
    try:
        return Drawn(name, figure(), caption)
    except IMPOSSIBLE as error:
        return Drawn(name, None, reason_of(error))


def draw(model, split, part: str, history: list[dict], measures, *, unit: str, seed: int) -> Iterator[Drawn]:
    """All figures of a report, one after the other; `part` names the split that is shown."""
    if history:
        yield _drawn("losses", captions.LOSSES, lambda: _losses(model, history, unit))
    with _inference(model):
        noise = Noise(seed, device=next(model.parameters()).device)
        images, shape = split.images[:_IMAGES], tuple(split.images.shape[1:])
        yield _drawn("reconstructions", captions.RECONSTRUCTIONS, lambda: _reconstructions(model, images, part, noise))
        yield _drawn("samples", captions.SAMPLES, lambda: _samples(model, shape, seed))
        yield _drawn("chain", captions.CHAIN, lambda: _chain(model, shape, seed))
        yield from _codes(model, split, part, noise, seed)
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


def _losses(model, history: list[dict], unit: str) -> Figure:
    names = history[-1]["losses"]
    validation = [_number(line.get("validation", {}).get("reconstruction")) for line in history]
    equilibrium = None
    if "discriminator" in names:
        # the released form halves the discriminator's loss
        halved = getattr(model, "form", "paper") == "released"
        equilibrium = (math.log(2), "ln 2 = 0.693") if halved else (2 * math.log(2), "2 ln 2 = 1.386")
    return figures_training.losses(
        [line["epoch"] for line in history],
        {name: [_number(line["losses"].get(name)) for line in history] for name in names},
        None if all(map(math.isnan, validation)) else validation,
        unit=unit,
        equilibrium=equilibrium,
    )


def _number(value: float | None) -> float:
    """A loss of a metrics file, where None stands for one that was not finite."""
    return math.nan if value is None or math.isinf(value) else value


def _reconstructions(model, images: Tensor, part: str, noise: Noise) -> Figure:
    x = images.to(noise.device)
    rebuilt = model.reconstruct(x, noise)
    rows = [("clean", as_pictures(x))]
    if model.corruption is not None:
        # the address that `reconstruct` reads, so that the row shows what the encoder was given
        x_tilde = ops.corrupt(x, model.corruption, noise, site=Site.EVALUATION)[0]
        rows.append((f"corrupted\n{_strength(model.corruption)}", as_pictures(x_tilde)))
    rows.append(("reconstructed", as_pictures(rebuilt)))
    return figures_samples.image_rows(rows, f"The first {len(x)} {_IN_TEXT[part]} images and their reconstructions")


_IN_TEXT = {"test": "test", "validation": "validation", "train": "training"}


def _strength(corruption) -> str:
    symbols = {"sigma": "σ", "drop": "drop", "p": "p"}
    return ", ".join(
        f"{text} = {getattr(corruption, name):g}" for name, text in symbols.items() if hasattr(corruption, name)
    )


def _samples(model, shape: tuple[int, ...], seed: int) -> Figure:
    first, last = model.sample(_GRID, steps=_STEPS, keep=(0, _STEPS), seed=seed)
    grids = [
        ("x(0): decoded from the prior", as_pictures(first, shape)),
        (f"x({_STEPS}): after {_STEPS} steps of the chain", as_pictures(last, shape)),
    ]
    return figures_samples.sample_grids(grids, "Samples before and after the Markov chain, same initial codes")


def _chain(model, shape: tuple[int, ...], seed: int) -> Figure:
    chains = model.sample(_CHAINS, steps=_LAST, keep=tuple(range(_LAST + 1)), seed=seed)
    return figures_samples.film_strip(
        np.stack([as_pictures(x, shape) for x in chains]), "Markov chains, each from its own draw of the prior"
    )


def _codes(model, split, part: str, noise: Noise, seed: int) -> Iterator[Drawn]:
    images = split.images[:_CODES]
    clean = _encode(model, images, None, noise)
    prior = getattr(model, "prior", None)
    codes = {} if prior is None else {"prior": prior.sample(_CODES, noise, site=Site.PRIOR).cpu().numpy()}
    codes["clean"] = clean
    if model.corruption is not None:
        codes["corrupted"] = _encode(model, images, model.corruption, noise)
    title = f"Codes of {len(clean):,} {_IN_TEXT[part]} images" + ("" if prior is None else " beside the prior")
    caption = captions.code_histograms(type(model).__name__, prior is not None)
    yield _drawn("code-histograms", caption, lambda: _histograms(codes, title))
    labels = None if split.labels is None else split.labels[:_PLANE].cpu().numpy()
    caption = captions.code_plane(labels is not None)
    yield _drawn("code-plane", caption, lambda: _labelled_plane(clean[:_PLANE], labels, _IN_TEXT[part], seed))


def _histograms(codes: Mapping[str, np.ndarray], title: str) -> Figure:
    for name, values in codes.items():
        require_finite(f"{name} codes", to_tensor(values))
    return code_histograms(codes, title)


def _labelled_plane(codes: np.ndarray, labels: np.ndarray | None, part: str, seed: int) -> Figure:
    require_finite("codes", to_tensor(codes))
    points, axis_names, how = codes_in_a_plane(codes, seed)
    by = "" if labels is None else ", by label"
    return code_plane(points, labels, title=f"{how} of {len(points):,} {part} images{by}", axis_names=axis_names)


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
            yield _drawn(name, caption, lambda figure=figure, found=found: figure(_with_values(found)))


_CURVES = {
    LIKELIHOOD: ("likelihood", captions.LIKELIHOOD, figures_measures.likelihood_curves),
    DIMENSION: ("dimension", captions.DIMENSION, figures_measures.dimension_curves),
}


def _with_values(measures: list[Measure]) -> list[Measure]:
    taken = [measure for measure in measures if measure.value is not None]
    if not taken:
        raise ValueError(measures[0].reason)
    return taken
