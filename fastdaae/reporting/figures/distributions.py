"""The distribution of one number over many images."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fastdaae.evaluation.telling import number
from fastdaae.reporting.figures.looks import WIDE, Look
from fastdaae.reporting.figures.style import End, label_ends, panels_of, style_axes

_BINS = 40
_DASHES = {"mean": (), "floor": (4, 3)}


def histogram(
    values: np.ndarray, levels: Mapping[str, float], *, title: str, x_label: str, look: Look = WIDE
) -> Figure:
    """How many of the values [N] lie where, with a line at each of the named `levels`: "mean", "floor"."""
    figure, (axes,) = panels_of(look, 1, 4.4, width=8.6, legends=2 * len(levels) + 1)
    style_axes(axes, look, title=title, x_label=x_label, y_label="images")
    reach = np.array([*levels.values(), values.min(), values.max()])
    margin = 0.03 * np.ptp(reach) or 0.05
    low, high = reach.min() - margin, reach.max() + margin
    counts, edges = np.histogram(values, np.linspace(low, high, _BINS + 1))
    colors = look.palette
    axes.stairs(counts, edges, color=colors.fill, fill=True, zorder=1)
    axes.stairs(counts, edges, color=colors.series[0], linewidth=2.2, zorder=2)
    axes.set_xlim(low, high)
    axes.set_ylim(0, 1.1 * counts.max())
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    ends = []
    for place, (name, value) in enumerate(levels.items()):
        color, dashes = (colors.series[1], colors.ink)[place % 2], _DASHES.get(name, ())
        axes.axvline(value, color=color, linewidth=2, linestyle=(0, dashes or ()), zorder=3)
        deviation = f"\nstd {number(float(values.std()), 3)}" if name == "mean" else ""
        text = f"{name} {number(value, 3)}{deviation}"
        ends.append(End(counts.max() * (0.95 - 0.2 * place), text, color, "" if look.narrow else "s", dashes))
    label_ends(axes, look, ends, gap=0.15)
    return figure
