"""The deviation of the noise that a model gives each image."""

from collections.abc import Iterator

import numpy as np

from fastdaae.arrays import to_tensor
from fastdaae.reporting.drawing.drawn import Drawn, Redraw, chart, pictured
from fastdaae.reporting.drawing.subject import Subject
from fastdaae.reporting.figures.distributions import histogram
from fastdaae.reporting.figures.samples import Gallery, sample_grids

_SHOWN, _COLUMNS = 50, 10


def draw(subject: Subject) -> Iterator[Drawn]:
    """The histogram of sigma over the images, and those with the least and the most of it."""
    if hasattr(subject.model, "sigma"):
        yield chart("sigma", lambda: sigmas(subject))
        yield pictured("sigma-extremes", lambda: extremes(subject))


def _values(subject: Subject) -> np.ndarray:
    return subject.encoded("values of sigma", lambda x, row: subject.model.sigma(x).reshape(len(x), 1))[:, 0]


def sigmas(subject: Subject) -> tuple[str, Redraw]:
    """Sigma over the images, with the floor that the model keeps above."""
    values, floor = _values(subject), getattr(subject.model, "floor", None)
    levels = {"mean": float(values.mean())} | ({} if floor is None else {"floor": float(floor)})
    title = f"Noise of {len(values):,} {subject.kind} images"
    caption = (
        "The standard deviation that the model gives the noise of each image. All at the floor, it has found that less "
        "noise is easier to undo; all at 1, that the weight of its noise outweighs the reconstruction. A fair "
        "baseline is a fixed σ of the mean."
    )
    return caption, lambda look: histogram(values, levels, title=title, x_label="σ", look=look)


def extremes(subject: Subject) -> tuple[str, Gallery]:
    """The images of least and of greatest sigma."""
    values = to_tensor(_values(subject))
    order = values.argsort(stable=True)
    count = min(_SHOWN, max(1, len(order) // 2))  # no image is at both ends
    ends = {"least": order[:count], "greatest": order.flip(0)[:count]}
    grids = [
        (f"{which} σ: {values[chosen].min():.3f} to {values[chosen].max():.3f}", subject.split.images[chosen])
        for which, chosen in ends.items()
    ]
    caption = (
        f"The {count} {subject.kind} images that are given the least noise, and the {count} that are given the most. "
        "What they have in common is what the model calls easy to disturb, or hard."
    )
    shown = [(told, subject.pictures(images)) for told, images in grids]
    return caption + subject.pixels_told, sample_grids(shown, "Images of least and of greatest σ", columns=_COLUMNS)
