"""The losses of a training run over its epochs."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fastdaae.evaluation.telling import number
from fastdaae.reporting.figures.looks import WIDE, Look
from fastdaae.reporting.figures.style import WIDTH, End, label_ends, panels_of, style_axes

_DASHES = (4, 3)


class Panel(NamedTuple):
    """Curves over epochs that share a unit: (name, one mean an epoch) each, and a level with its text where one is.

    The level of adversarial losses is the discriminator's where it cannot tell codes from the prior.
    """

    title: str
    unit: str
    curves: Sequence[tuple[str, Sequence[float]]]
    level: tuple[float, str] | None = None


def losses(epochs: Sequence[int], panels: Sequence[Panel], look: Look = WIDE, starts: Sequence[int] = ()) -> Figure:
    """Each panel's curves over epochs, side by side; `starts` are epochs at which another block's training begins."""
    lines = 1 + sum(len(panel.curves) + (panel.level is not None) for panel in panels)
    figure, places = panels_of(look, len(panels), 4.3, width=WIDTH if len(panels) > 1 else 7.2, legends=lines)
    for axes, panel in zip(places, panels, strict=True):
        _draw(axes, look, epochs, panel, [epochs.index(start) for start in starts])
    return figure


def _end(epochs: Sequence[int], values: Sequence[float], name: str) -> tuple[float, str]:
    """(where a curve's label stands, the label): at its last number, after which a diverged run has none."""
    finite = [i for i, value in enumerate(values) if math.isfinite(value)]
    if not finite or finite[-1] == len(values) - 1:
        # what rounds to zero has no sign
        return values[-1], f"{name} {number(round(values[-1], 3) + 0.0, 3)}"
    return values[finite[-1]], f"{name}: not finite\nafter epoch {epochs[finite[-1]]}"


def _draw(axes: Axes, look: Look, epochs: Sequence[int], panel: Panel, starts: Sequence[int]) -> None:
    style_axes(axes, look, title=panel.title, x_label="epoch", y_label=panel.unit)
    colors, ends = look.palette.series, []
    for i, (name, values) in enumerate(panel.curves):
        color = colors[1] if name == "validation" else colors[i % len(colors)]
        # no line leads from one block's losses to the next one's
        x, y = np.insert(np.array(epochs, float), starts, np.nan), np.insert(np.array(values, float), starts, np.nan)
        axes.plot(x, y, color=color, linewidth=2.2, marker="o", markersize=6 if len(epochs) < 20 else 0)
        ends.append(End(*_end(epochs, values, name), color))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, min_n_ticks=1))
    for start in starts:
        axes.axvline(epochs[start] - 0.5, color=look.palette.muted, linewidth=1.2, zorder=1)
    axes.margins(x=0.02, y=0.12)
    if len(epochs) == 1:
        axes.set_xlim(epochs[0] - 1, epochs[0] + 1)
    if panel.level is not None:
        value, text = panel.level
        muted = look.palette.muted
        axes.axhline(value, color=muted, linestyle=(0, _DASHES), linewidth=1.6, zorder=3)
        ends.append(End(value, text, muted, dashes=_DASHES))
    _hold_limits(axes)
    label_ends(axes, look, ends)


def _hold_limits(axes: Axes) -> None:
    """Keep the limits of y, and in them what changes by less than a fiftieth flat."""
    low, high = axes.get_ylim()
    room = max(0.0, 0.02 * max(abs(low), abs(high)) - (high - low)) / 2
    axes.set_ylim(low - room, high + room)
    axes.ticklabel_format(axis="y", useOffset=False)
