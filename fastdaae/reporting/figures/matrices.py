"""Matrices of counts: labels against answers."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure

from fastdaae.reporting.figures.looks import WIDE, Look
from fastdaae.reporting.figures.style import panels_of, style_axes

_MOST_NAMES, _MOST_NUMBERS = 30, 12
_LETTERS = 10


def confusion(counts: np.ndarray, names: Sequence[str], *, title: str, look: Look = WIDE) -> Figure:
    """Counts [labels, answers] as per cent of each row, written in the cells where there is room."""
    size = len(names)
    figure, (axes,) = panels_of(look, 1, 6.4, width=7.4, legends=3)
    style_axes(axes, look, title=title, x_label="answer", y_label="label")
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    colors = look.palette
    # small shares are the ones to see: the colour goes by their square root
    ramp = LinearSegmentedColormap.from_list("shares", [colors.ground, colors.series[0]])
    axes.imshow(shares, cmap=ramp, norm=PowerNorm(0.5, 0, 100), interpolation="nearest", aspect="equal")
    axes.grid(visible=False)
    places = range(0, size, -(-size // _MOST_NAMES))
    short = [names[i] if len(names[i]) <= _LETTERS else f"{names[i][: _LETTERS - 1]}…" for i in places]
    turned = 90 if max(map(len, short)) > 2 else 0
    axes.set_xticks(list(places), short, rotation=turned, parse_math=False)
    axes.set_yticks(list(places), short, parse_math=False)
    axes.tick_params(length=0)
    if size <= _MOST_NUMBERS:
        for label, answer in np.argwhere(counts):
            share = shares[label, answer]
            told = "<1" if share < 0.5 else f"{share:.0f}"
            color = colors.ground if share > 20 else colors.ink
            axes.text(answer, label, told, color=color, fontsize=look.small - 1, ha="center", va="center")
    return figure
