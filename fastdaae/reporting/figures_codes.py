"""Figures of codes: their distribution beside the prior's, and their plane by label."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fastdaae.evaluation.telling import number
from fastdaae.reporting.style import (
    BLUE,
    CLASSES,
    INK,
    LINES,
    MUTED,
    SMALL,
    TEXT,
    VERMILLION,
    new_figure,
    style_axes,
)

_MOST_LABELS = 40  # more names than that cannot be read in one panel
_COLORS = {"prior": MUTED, "clean": BLUE, "corrupted": VERMILLION}


def code_histograms(codes: Mapping[str, np.ndarray], title: str) -> Figure:
    """Densities of all coordinates pooled: draws of the prior, clean and corrupted codes; a scatter too for 2-D codes.

    `codes` is {"prior": [N, Z], "clean": [N, Z], "corrupted": [N, Z]}, each N its own; the prior and "corrupted" may be
    absent.
    """
    plane = codes["clean"].shape[1] == 2
    figure = new_figure(12.4 if plane else 9.6, 4.9)
    panels = figure.subplots(1, 2 if plane else 1, squeeze=False)[0]
    pooled = {name: values.ravel() for name, values in codes.items()}
    everything = np.concatenate(list(pooled.values()))
    low, high = np.quantile(everything, [0.001, 0.999])
    smallest = min(map(len, pooled.values()))
    bins = np.linspace(low, high, 1 + int(np.clip(2 * smallest ** (1 / 3), 12, 60)))
    style_axes(panels[0], title=title, x_label="code, all coordinates pooled", y_label="density")
    for place, (name, values) in enumerate(pooled.items()):
        _density(panels[0], name, values, bins, place)
    panels[0].set_xlim(low, high)
    panels[0].set_ylim(0, panels[0].get_ylim()[1] * 1.05)
    if plane:
        _plane_of_codes(panels[1], codes)
    return figure


def _density(axes: Axes, name: str, values: np.ndarray, bins: np.ndarray, place: int) -> None:
    color = _COLORS[name]
    # divided by all values, also those beyond the bins, so that curves of different tails stay comparable
    density = np.histogram(values, bins)[0] / (len(values) * np.diff(bins))
    if name == "prior":
        axes.stairs(density, bins, color=LINES, fill=True, zorder=1)
    axes.stairs(density, bins, color=color, linewidth=2.2, zorder=2)
    title = name if name == "prior" else f"{name} codes"
    text = f"{title}\nmean {number(values.mean(), 2)}, std {number(values.std(), 2)}"
    axes.text(
        1.02, 0.9 - 0.17 * place, text, color=color, fontsize=TEXT, va="top", transform=axes.transAxes, linespacing=1.3
    )


def _plane_of_codes(axes: Axes, codes: Mapping[str, np.ndarray]) -> None:
    style_axes(axes, title="The same codes in the plane", x_label="code 1", y_label="code 2")
    for name, values in codes.items():
        shown = values[:2000]
        alpha = 0.25 if name == "prior" else 0.6
        axes.scatter(shown[:, 0], shown[:, 1], s=12, color=_COLORS[name], alpha=alpha, linewidths=0)
    axes.set_aspect("equal", adjustable="datalim")


def code_plane(
    points: np.ndarray, labels: np.ndarray | None, *, title: str, axis_names: tuple[str, str] | None
) -> Figure:
    """Points [N, 2], coloured by label [N], each label written at its points' median; one colour without labels.

    `axis_names` None leaves ticks and grid out, for a projection whose coordinates mean nothing.
    """
    figure = new_figure(9.6, 6.6)
    axes = figure.subplots()
    x_label, y_label = axis_names or ("", "")
    style_axes(axes, title=title, x_label=x_label, y_label=y_label)
    if axis_names is None:
        axes.set(xticks=[], yticks=[])
        axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_aspect("equal", adjustable="datalim")
    dots = {"s": float(np.clip(14_000 / len(points), 16, 60)), "alpha": 0.75, "linewidths": 0}
    if labels is None:
        axes.scatter(points[:, 0], points[:, 1], color=BLUE, **dots)
        return figure
    names = np.unique(labels)
    for i, name in enumerate(names):
        own, color = points[labels == name], CLASSES[i % len(CLASSES)]
        axes.scatter(own[:, 0], own[:, 1], color=color, **dots)
        if len(names) <= _MOST_LABELS:
            _name_cluster(axes, str(name), np.median(own, axis=0), color)
    if len(names) > _MOST_LABELS:
        axes.text(
            0.99,
            0.01,
            f"{len(names)} labels, colours repeat",
            transform=axes.transAxes,
            ha="right",
            fontsize=SMALL,
            color=INK,
        )
    return figure


def _name_cluster(axes: Axes, name: str, place: np.ndarray, color: str) -> None:
    plate = {"boxstyle": "round,pad=0.18", "facecolor": "white", "edgecolor": color, "linewidth": 1.8, "alpha": 0.92}
    axes.text(*place, name, fontsize=18, fontweight="bold", color=color, ha="center", va="center", bbox=plate)
