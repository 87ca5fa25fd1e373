"""Our numbers beside the paper's: a row for each model, points on a common axis."""

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from fastdaae.reporting.figures.looks import WIDE, Look
from fastdaae.reporting.figures.style import WIDTH, legend_of, panels_of, style_axes

_LETTERS = 16  # of a row's name, in a line


class Point(NamedTuple):
    """A row: our value and its deviation, the paper's value and its standard error; None for what there is not."""

    name: str
    ours: float | None
    deviation: float
    paper: float | None
    error: float


class Panel(NamedTuple):
    """Rows of one measure in its unit; `real` is what real data score, where that is known."""

    title: str
    unit: str
    points: Sequence[Point]
    real: float | None


def beside(panels: Sequence[Panel], look: Look = WIDE) -> Figure:
    """The panels side by side, ours filled and the paper's hollow, the first row on top."""
    rows = max(len(panel.points) for panel in panels)
    height = 1.9 + 0.42 * rows
    figure, places = panels_of(look, len(panels), height, width=WIDTH if len(panels) > 1 else 7.8, legends=4)
    if look.narrow:
        figure.set_figheight(len(panels) * (1.5 + 0.4 * rows) + 1.1)
    for axes, panel in zip(places, panels, strict=True):
        _draw(axes, panel, look)
    _legend(places[-1], look, any(panel.real is not None for panel in panels))
    return figure


def _draw(axes: Axes, panel: Panel, look: Look) -> None:
    style_axes(axes, look, title=panel.title, x_label=panel.unit, y_label="")
    colors = look.palette
    bars = {"capsize": 4, "elinewidth": 1.8, "linestyle": "", "markersize": 9, "zorder": 4}
    for y, point in enumerate(panel.points):
        if point.paper is not None:
            hollow = {"marker": "D", "markerfacecolor": colors.ground, "markeredgewidth": 2, "color": colors.series[1]}
            axes.errorbar(point.paper, y + 0.13, xerr=point.error or None, **bars, **hollow)
        if point.ours is not None:
            axes.errorbar(
                point.ours, y - 0.13, xerr=point.deviation or None, marker="o", color=colors.series[0], **bars
            )
    if panel.real is not None:
        axes.axvline(panel.real, color=colors.muted, linestyle=(0, (4, 3)), linewidth=1.6, zorder=2)
    names = [textwrap.fill(point.name, _LETTERS, max_lines=2, placeholder="…") for point in panel.points]
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4 if look.narrow else 5))
    axes.margins(x=0.08)


def _legend(axes: Axes, look: Look, has_real: bool) -> None:
    colors = look.palette
    handles = [
        Line2D([], [], linestyle="", marker="o", markersize=9, color=colors.series[0]),
        Line2D([], [], linestyle="", marker="D", markersize=9, color=colors.series[1], markerfacecolor=colors.ground),
    ]
    texts = ["ours", "the paper"]
    if has_real:
        handles.append(Line2D([], [], color=colors.muted, linestyle=(0, (4, 3)), linewidth=1.6))
        texts.append("real images")
    legend_of(axes, look, handles, texts)
