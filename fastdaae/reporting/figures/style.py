"""The parts that all charts share: panels side by side or stacked, axes, and labels beside their lines."""

import math
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from fastdaae.reporting.figures.looks import Look

DPI = 192
PAGE_DPI = 96  # CSS pixels an inch: figures on the page are half as large as their files
WIDTH, NARROW_WIDTH = 10.8, 4.1  # inches: that of the page's column, and of a telephone's
_STACKED = 3.1  # inches of a panel in a stack, with its title and the names of its axes
_BELOW = 0.62  # inches from a panel to the legend under it, past the numbers and the name of its axis
MARKERS = ("o", "s", "^", "D", "v")


class End(NamedTuple):
    """A label of a curve: its y in data units, text and colour, and the curve's marker or dashes where it has them."""

    y: float
    text: str
    color: str
    marker: str = ""
    dashes: tuple = ()


def panels_of(
    look: Look, count: int, height: float, *, width: float = WIDTH, legends: int = 0
) -> tuple[Figure, list[Axes]]:
    """A figure with `count` panels, width x height inches in all, or stacked on a narrow page.

    There they leave room below them for that many lines of legends. The figure lays its panels out by itself.
    """
    stacked = count * _STACKED + legends * 1.25 * look.text / 72
    size = (NARROW_WIDTH, stacked) if look.narrow else (width, height)
    figure = Figure(figsize=size, dpi=DPI, facecolor=look.palette.ground, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08 if look.narrow else 0.12, h_pad=0.1, wspace=0.03)
    rows, columns = (count, 1) if look.narrow else (1, count)
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def style_axes(axes: Axes, look: Look, *, title: str, x_label: str, y_label: str) -> None:
    """Title, labels with units, two spines and a faint grid."""
    colors = look.palette
    axes.set_facecolor(colors.ground)
    axes.set_title(
        _wrapped(axes, title, look), fontsize=look.title, color=colors.ink, loc="left", pad=12, weight="bold"
    )
    axes.set_xlabel(x_label, fontsize=look.text, color=colors.ink)
    axes.set_ylabel(y_label, fontsize=look.text, color=colors.ink)
    axes.tick_params(which="both", labelsize=look.small, colors=colors.muted, labelcolor=colors.ink)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(colors.muted)
    axes.grid(color=colors.lines, linewidth=0.8)
    axes.set_axisbelow(True)


def _wrapped(axes: Axes, title: str, look: Look) -> str:
    """A title in lines that fit its panel, of which a tenth is left of the axes; a bold letter is 0.7 em wide."""
    columns = axes.get_subplotspec().get_gridspec().ncols
    inches = 0.9 * axes.figure.get_figwidth() / columns
    return textwrap.fill(title, int(inches * 72 / (0.7 * look.title)))


def spread(positions: Sequence[float], gap: float, low: float = 0.0, high: float = 1.0) -> list[float]:
    """The positions, moved as little as keeps them `gap` apart, in their order and below `high` (then above `low`)."""
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    placed = [0.0] * len(positions)
    floor = low
    for i in order:
        placed[i] = max(positions[i], floor)
        floor = placed[i] + gap
    ceiling = high
    for i in reversed(order):
        placed[i] = min(placed[i], ceiling)
        ceiling = placed[i] - gap
    return placed


def label_ends(axes: Axes, look: Look, ends: Sequence[End], *, gap: float = 0.075) -> None:
    """Write each label right of the panel, kept apart, or below it on a narrow page; set the limits of y before.

    A thin line leads to each label from its y; where the curves have markers, those stand there instead.
    """
    shown = [end for end in ends if math.isfinite(end.y)]
    if look.narrow:
        return _legend_below(axes, look, shown)
    bottom, top = axes.get_ylim()
    wanted = [(end.y - bottom) / (top - bottom) for end in shown]
    beside = {"clip_on": False, "transform": axes.transAxes}
    for end, start, place in zip(shown, wanted, spread(wanted, gap, high=0.95), strict=True):
        if end.marker:
            mark = {"marker": end.marker, "markersize": 11, "markeredgecolor": look.palette.ground}
            axes.plot(1.035, place, color=end.color, **mark, **beside)
        else:
            axes.plot([1.005, 1.035], [min(max(start, 0), 1), place], color=end.color, linewidth=1, **beside)
        told = {"color": end.color, "fontsize": look.text, "va": "center", "linespacing": 1.15, "parse_math": False}
        after = {"xytext": (11 if end.marker else 4, 0), "textcoords": "offset points", "annotation_clip": False}
        axes.annotate(end.text, (1.035, place), xycoords="axes fraction", **after, **told)
    return None


def _legend_below(axes: Axes, look: Look, ends: Sequence[End]) -> None:
    lines = [
        Line2D([], [], color=end.color, linewidth=2.2, marker=end.marker, markersize=8, linestyle=(0, end.dashes or ()))
        for end in ends
    ]
    legend_of(axes, look, lines, [end.text for end in ends], labelcolor=[end.color for end in ends])


def legend_of(axes: Axes, look: Look, handles: Sequence, texts: Sequence[str], **options) -> None:
    """A legend without a frame: below the panel on a narrow page, right of it on a wide one."""
    below = ScaledTranslation(0, -_BELOW if axes.get_xlabel() else -0.15, axes.figure.dpi_scale_trans)
    place = (
        {"bbox_to_anchor": (0, 0), "bbox_transform": axes.transAxes + below}
        if look.narrow
        else {"bbox_to_anchor": (1.02, 1)}
    )
    if texts:
        told = {"labelcolor": look.palette.ink, "fontsize": look.text, "frameon": False, **options}
        legend = axes.legend(handles, texts, loc="upper left", borderaxespad=0, handlelength=1.4, **place, **told)
        for text in legend.get_texts():
            text.set_parse_math(False)  # a name may hold dollars
