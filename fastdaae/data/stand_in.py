"""Small generated data sets in the form of the named ones: for trying a program out where the files are not."""

import difflib
from typing import NamedTuple

import numpy as np
import torch

from fastdaae.arguments import whole_in
from fastdaae.arrays import to_tensor
from fastdaae.data.class_names import CELEBA_ATTRIBUTES, CIFAR, DIGITS, GARMENTS, POSES, SPRITE_ATTRIBUTES
from fastdaae.data.dataset import Dataset, Split
from fastdaae.data.sets.flower import load_flower

_DRAWERS = 20  # of each of Omniglot's characters
_FEWEST = 40  # images that every part of a form can be made of
_COARSE = 4  # patches to a side that a class's pattern is drawn in


class _Form(NamedTuple):
    """What a named set looks like: its images' shape, and the names of its classes and attributes."""

    shape: tuple[int, ...]
    classes: tuple[str, ...] | None = None
    attributes: tuple[str, ...] | None = None
    validation: bool = True


_GREY = (28, 28)
_FORMS = {
    "digits": _Form((8, 8), DIGITS),
    "mnist": _Form(_GREY, DIGITS),
    "fashion-mnist": _Form(_GREY, GARMENTS),
    "mnist-rot": _Form(_GREY, DIGITS),
    "mnist-bg-rand": _Form(_GREY, DIGITS),
    "mnist-bg-rand-rot": _Form(_GREY, DIGITS),
    "omniglot": _Form(_GREY),
    "sprites": _Form((3, 64, 64), POSES, SPRITE_ATTRIBUTES),
    "cifar-10": _Form((3, 32, 32), CIFAR),
    "celeba": _Form((3, 64, 64), None, CELEBA_ATTRIBUTES),
    "cub-200": _Form((3, 128, 128), tuple(f"bird {number}" for number in range(200)), validation=False),
    "patches": _Form((12, 12)),
    "flower": _Form((64, 64)),
}


def stand_in(name: str, images: int = 256, seed: int = 0) -> Dataset:
    """A generated `Dataset` in the form of the set that `load(name)` gives: parts, shapes, dtypes, labels, attributes.

    Train has `images` images (>= 40), every other part a quarter as many, all of the first classes where there are too
    many for that. Of "omniglot" there are as many characters as 19 drawers fill, one image of each tests, and twenty
    more characters with all 20 drawers are the evaluation; "flower" has fewer images of its own. A class is a pattern
    of coarse patches, an attribute a weaker one, under noise: classifiers can learn them, and no figure made with them
    means anything. Equal arguments give equal sets. Raises ValueError for a name that `load` does not know, TypeError
    for `images` or `seed` that are no whole numbers.
    """
    form = _FORMS.get(name) if isinstance(name, str) else None
    if form is None:
        close = difflib.get_close_matches(str(name).lower(), _FORMS, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"name must be one of {', '.join(map(repr, _FORMS))}, got {name!r}{hint}")
    images = whole_in("images", images, _FEWEST)
    rng = np.random.default_rng([whole_in("seed", seed, 0), *name.encode()])
    if name == "omniglot":
        return _characters(rng, form, images)
    if name == "flower":
        return load_flower(images)
    if name == "patches":
        train, validation, test = (_gratings(rng, form, count) for count in (images, images // 4, images // 4))
        return Dataset(train, validation, test, name)
    # at least four images of each class that a part has, where there are many classes
    used = min(len(form.classes or DIGITS), max(len(DIGITS), images // 16))
    patterns = _patterns(rng, used, form.shape)
    features = _patterns(rng, len(form.attributes or ()), form.shape)
    train, validation, test = (_split(rng, form, patterns, features, n) for n in (images, images // 4, images // 4))
    return Dataset(train, validation if form.validation else None, test, name, form.classes, form.attributes)


def _split(rng, form: _Form, patterns: np.ndarray, features: np.ndarray, count: int) -> Split:
    labels = rng.permutation(np.arange(count) % len(patterns))
    held = rng.random((count, len(features))) < 0.5
    light = patterns[labels] + 0.5 * np.tensordot(held - 0.5, features, 1)
    return Split(
        _noisy(rng, light),
        None if form.classes is None else to_tensor(labels.astype(np.int64)),
        None if form.attributes is None else to_tensor(held),
    )


def _characters(rng, form: _Form, count: int) -> Dataset:
    """Omniglot's parts: characters with 19 drawers, the 20th of each, and other characters with all of theirs."""
    known = max(2, count // (_DRAWERS - 1))
    strokes = _patterns(rng, known + _DRAWERS, form.shape)

    def split(characters: range, drawers: int) -> Split:
        labels = np.repeat(np.asarray(characters), drawers)
        return Split(_noisy(rng, strokes[labels]), to_tensor((labels - characters.start).astype(np.int64)))

    train, test = split(range(known), _DRAWERS - 1), split(range(known), 1)
    classes = tuple(f"alphabet/character{number:02d}" for number in range(1, known + 1))
    return Dataset(train, None, test, "omniglot", classes, evaluation=split(range(known, known + _DRAWERS), _DRAWERS))


def _gratings(rng, form: _Form, count: int) -> Split:
    """Edges in all directions under noise, of mean 0 and variance about 1, as whitened photographs have."""
    angle, phase, rate = rng.uniform(0, 2 * np.pi, (3, count, 1, 1))
    rows, columns = np.indices(form.shape) - form.shape[0] / 2
    waves = np.sqrt(2) * np.cos((0.3 + rate / 6) * (rows * np.cos(angle) + columns * np.sin(angle)) + phase)
    return Split(to_tensor((0.9 * waves + 0.4 * rng.standard_normal(waves.shape)).astype(np.float32)))


def _patterns(rng, count: int, shape: tuple[int, ...]) -> np.ndarray:
    """Patterns of coarse patches in [0, 1], about half of them dark: float64 [count, *shape]."""
    side = -(-shape[-1] // _COARSE)
    coarse = np.clip(rng.standard_normal((count, *shape[:-2], _COARSE, _COARSE)), 0, 1)
    fine = coarse.repeat(side, axis=-1).repeat(side, axis=-2)
    return fine[..., : shape[-2], : shape[-1]]


def _noisy(rng, light: np.ndarray) -> torch.Tensor:
    """Images of these patterns, each as bright as it happens to be, uint8."""
    brightness = rng.uniform(0.6, 1.0, (len(light), *[1] * (light.ndim - 1)))
    noise = 0.05 * rng.standard_normal(light.shape)
    return to_tensor(np.rint(255 * np.clip(light * brightness + noise, 0, 1)).astype(np.uint8))
