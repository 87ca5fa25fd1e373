"""The look of every figure: one palette for colour-blind readers, one set of text sizes, labels beside their lines."""

import io
import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

DPI = 200
PAGE_DPI = 96  # CSS pixels an inch: figures on the page are half as large as their files
TITLE, TEXT, SMALL = 16, 13, 11.5  # points: readable when a figure is shown at half its size
INK, MUTED, LINES = "#1f2328", "#6b7280", "#d7dae0"
BLUE, VERMILLION, GREEN, PURPLE, SKY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9"  # Okabe and Ito 2008
SERIES = (BLUE, VERMILLION, GREEN, PURPLE, SKY)
MARKERS = ("o", "s", "^", "D", "v")
# Paul Tol's "muted" scheme, and a grey as its tenth
CLASSES = ("#332288", "#cc6677", "#117733", "#ddaa33", "#66aadd", "#882255", "#44aa99", "#7f7f7f", "#aa4499", "#999933")


def new_figure(width: float, height: float) -> Figure:
    """An empty white figure, width x height inches, that lays its panels out by itself."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white", layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1, wspace=0.03)
    return figure


def style_axes(axes: Axes, *, title: str, x_label: str, y_label: str) -> None:
    """Title, labels with units, two spines and a faint grid."""
    axes.set_title(title, fontsize=TITLE, color=INK, loc="left", pad=12, fontweight="bold")
    axes.set_xlabel(x_label, fontsize=TEXT, color=INK)
    axes.set_ylabel(y_label, fontsize=TEXT, color=INK)
    axes.tick_params(which="both", labelsize=SMALL, colors=MUTED, labelcolor=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(MUTED)
    axes.grid(color=LINES, linewidth=0.8)
    axes.set_axisbelow(True)


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


def label_ends(axes: Axes, labels: Sequence[tuple[float, str, str]], *, gap: float = 0.075, markers: str = "") -> None:
    """Write (y in data units, text, colour) right of the panel, kept apart; set the limits of y before.

    A thin line leads to each label from its y, or, with `markers` (one character a label), its marker stands before it.
    """
    finite = [i for i, (y, _, _) in enumerate(labels) if math.isfinite(y)]
    bottom, top = axes.get_ylim()
    wanted = [(labels[i][0] - bottom) / (top - bottom) for i in finite]
    beside = {"clip_on": False, "transform": axes.transAxes}
    for i, start, place in zip(finite, wanted, spread(wanted, gap), strict=True):
        _, text, color = labels[i]
        if markers:
            axes.plot(1.035, place, marker=markers[i], color=color, markersize=11, markeredgecolor="white", **beside)
        else:
            axes.plot([1.005, 1.035], [min(max(start, 0), 1), place], color=color, linewidth=1, **beside)
        left = 1.07 if markers else 1.045
        axes.text(left, place, text, color=color, fontsize=TEXT, va="center", linespacing=1.15, **beside)


def png_bytes(figure: Figure) -> bytes:
    """The figure as a PNG file, the same bytes for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()
