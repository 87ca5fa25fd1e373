"""`Drawn`: a figure of a report, or why there is none."""

from collections.abc import Callable
from typing import NamedTuple

from matplotlib.figure import Figure

from fastdaae.evaluation.attempt import IMPOSSIBLE, reason_of
from fastdaae.reporting.figures.looks import WIDE, Look
from fastdaae.reporting.figures.samples import Gallery, figure_of

Redraw = Callable[[Look], Figure]


class Drawn(NamedTuple):
    """A figure with its file name (without ending) and its caption; without a figure, the caption says why.

    A chart is drawn again for other looks by `redraw`; the pictures of a gallery are the same in all of them.
    """

    name: str
    figure: Figure | None
    caption: str
    redraw: Redraw | None = None
    gallery: Gallery | None = None


def chart(name: str, prepare: Callable[[], tuple[str, Redraw]]) -> Drawn:
    """A chart, of which `prepare` gives the caption and what draws it from numbers that are there by then."""
    try:
        caption, redraw = prepare()
        return Drawn(name, redraw(WIDE), caption, redraw)
    except IMPOSSIBLE as error:
        return Drawn(name, None, reason_of(error))


def pictured(name: str, prepare: Callable[[], tuple[str, Gallery]]) -> Drawn:
    """A gallery of pictures, of which `prepare` gives the caption and the gallery."""
    try:
        caption, gallery = prepare()
        return Drawn(name, figure_of(gallery), caption, gallery=gallery)
    except IMPOSSIBLE as error:
        return Drawn(name, None, reason_of(error))
