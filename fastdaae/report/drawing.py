"""The figures of one model: gathers what each shows and says what to look for."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from fastdaae import ops
from fastdaae.noise import Noise, Site
from fastdaae.report import captions, figures_measures, figures_samples, figures_training
from fastdaae.report.figures_codes import code_histograms, code_plane
from fastdaae.report.pictures import as_pictures

_IMAGES, _GRID, _STEPS = 12, 100, 5
_CHAINS, _LAST = 8, 9
_CODES, _PLANE, _BATCH = 10_000, 2000, 1000  # t-SNE of 2000 codes takes seconds


class Drawn(NamedTuple):
    """A figure with its file name (without ending) and its caption."""

    name: str
    figure: Figure
    caption: str


def draw(model, split, part: str, history: list[dict], evaluation, *, unit: str, seed: int) -> Iterator[Drawn]:
    """All figures of a report, one after the other; `part` names the split that is shown."""
    if history:
        yield Drawn("losses", _losses(model, history, unit), captions.LOSSES)
    with _inference(model):
        noise = Noise(seed, device=next(model.parameters()).device)
        yield Drawn(
            "reconstructions", _reconstructions(model, split.images[:_IMAGES], part, noise), captions.RECONSTRUCTIONS
        )
        shape = tuple(split.images.shape[1:])
        yield Drawn("samples", _samples(model, shape, seed), captions.SAMPLES)
        yield Drawn("chain", _chain(model, shape, seed), captions.CHAIN)
        yield from _codes(model, split, part, noise, seed)
    if evaluation is not None:
        yield from _measures(evaluation)


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
    validation = [line.get("validation", {}).get("reconstruction", math.nan) for line in history]
    equilibrium = None
    if "discriminator" in names:
        # the released form halves the discriminator's loss
        halved = getattr(model, "form", "paper") == "released"
        equilibrium = (math.log(2), "ln 2 = 0.693") if halved else (2 * math.log(2), "2 ln 2 = 1.386")
    return figures_training.losses(
        [line["epoch"] for line in history],
        {name: [line["losses"][name] for line in history] for name in names},
        None if all(map(math.isnan, validation)) else validation,
        unit=unit,
        equilibrium=equilibrium,
    )


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
    codes = {"prior": model.prior.sample(_CODES, noise, site=Site.PRIOR).cpu().numpy(), "clean": clean}
    if model.corruption is not None:
        codes["corrupted"] = _encode(model, images, model.corruption, noise)
    title = f"Codes of {len(clean):,} {_IN_TEXT[part]} images beside the prior"
    yield Drawn("code-histograms", code_histograms(codes, title), captions.code_histograms(type(model).__name__))
    points, axis_names, how = _plane(clean[:_PLANE], seed)
    labels = None if split.labels is None else split.labels[: len(points)].cpu().numpy()
    by = "" if labels is None else ", by label"
    figure = code_plane(
        points, labels, title=f"{how} of {len(points):,} {_IN_TEXT[part]} images{by}", axis_names=axis_names
    )
    yield Drawn("code-plane", figure, captions.code_plane(labels is not None))


def _encode(model, images: Tensor, corruption, noise: Noise) -> np.ndarray:
    pieces = []
    for start in range(0, len(images), _BATCH):
        x = images[start : start + _BATCH].to(noise.device)
        if corruption is not None:
            x = ops.corrupt(x, corruption, noise, row_offset=start, site=Site.EVALUATION)[0]
        pieces.append(model.encode(x).float().cpu().numpy())
    return np.concatenate(pieces)


def _plane(codes: np.ndarray, seed: int) -> tuple[np.ndarray, tuple[str, str] | None, str]:
    """(points [N, 2], names of the axes, what they are) of codes [N, Z]: themselves for Z = 2, t-SNE for more."""
    count, dimension = codes.shape
    if dimension == 2:
        return codes, ("code 1", "code 2"), "Codes"
    if dimension == 1 or count < 5:
        jitter = np.random.default_rng(seed).uniform(-1, 1, count)
        return np.column_stack((codes[:, 0], jitter)), ("code 1", "random, for the eye only"), "Codes"
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    projection = TSNE(2, perplexity=min(30, (count - 1) / 3), init="pca", random_state=seed)
    # its threads wait for each other 1000 times: on a busy machine two were up to 50 times slower than one
    with threadpool_limits(limits=1, user_api="openmp"):
        points = projection.fit_transform(codes)
    return points, None, f"t-SNE of the {dimension}-D codes"


def _measures(evaluation: Mapping) -> Iterator[Drawn]:
    rows = evaluation["likelihood"]["rows"]
    figure = figures_measures.likelihood_curves(rows, "Log-likelihood over bandwidths")
    yield Drawn("likelihood", figure, captions.LIKELIHOOD)
    part = evaluation["dimension"]
    figure = figures_measures.dimension_curves(
        part["rows"], f"Intrinsic dimension over neighbours, n = {part['images']:,}"
    )
    yield Drawn("dimension", figure, captions.DIMENSION)
