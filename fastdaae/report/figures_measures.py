"""Figures of the evaluation: likelihood over bandwidths and intrinsic dimension over k, each beside the real data's."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from fastdaae.report.style import INK, MARKERS, SERIES, label_ends, new_figure, number, style_axes


def row_styles(names: Sequence[str]) -> list[tuple[str, str]]:
    """(colour, marker) of each row: ink for real data, the palette in order for the model's samples."""
    free = iter(zip(SERIES * len(names), MARKERS * len(names), strict=True))
    return [(INK, "X") if name.startswith("real") else next(free) for name in names]


def likelihood_curves(rows: Sequence[Mapping], title: str) -> Figure:
    """Validation log-likelihood (nats) over the bandwidths of a Parzen window, over all of them and around the peaks.

    A row has name, bandwidths [B], validation [B] (mean nats) and bandwidth, the chosen one (in [0, 1] pixels), which
    has the large marker.
    """
    figure = new_figure(12.4, 4.9)
    whole, peaks = figure.subplots(1, 2)
    x_label = "bandwidth, in pixel values [0, 1]"
    style_axes(whole, title=title, x_label=x_label, y_label="validation log-likelihood, nats")
    style_axes(peaks, title="Around the peaks", x_label=x_label, y_label="nats")
    styles = row_styles([row["name"] for row in rows])
    for axes in (whole, peaks):
        for row, (color, marker) in zip(rows, styles, strict=True):
            _likelihood_curve(axes, row, color, marker)
        _bandwidth_axis(axes, rows)
    _zoom_on_peaks(peaks, rows)
    labels = [_peak_label(row, color) for row, (color, _) in zip(rows, styles, strict=True)]
    label_ends(peaks, labels, gap=0.15, markers="".join(marker for _, marker in styles))
    return figure


def _chosen(row: Mapping) -> int:
    return int(np.argmin(np.abs(np.asarray(row["bandwidths"], float) - row["bandwidth"])))


def _likelihood_curve(axes: Axes, row: Mapping, color: str, marker: str) -> None:
    best = row["validation"][_chosen(row)]
    axes.plot(row["bandwidths"], row["validation"], color=color, linewidth=2.2, marker=marker, markersize=5)
    axes.plot(row["bandwidth"], best, color=color, marker=marker, markersize=12, markeredgecolor="white", zorder=5)


def _bandwidth_axis(axes: Axes, rows: Sequence[Mapping]) -> None:
    axes.set_xscale("log")
    ticks = np.unique(np.concatenate([np.asarray(row["bandwidths"], float) for row in rows]))
    axes.xaxis.set_major_locator(FixedLocator(ticks[:: max(1, round(len(ticks) / 8))]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _zoom_on_peaks(axes: Axes, rows: Sequence[Mapping]) -> None:
    """Limit the panel to the bandwidths within two grid steps of a chosen one."""
    shown = []
    for row in rows:
        window = slice(max(0, _chosen(row) - 2), _chosen(row) + 3)
        shown += list(zip(row["bandwidths"][window], row["validation"][window], strict=True))
    x, y = np.asarray(shown, float).T
    y = y[np.isfinite(y)]
    axes.set_xlim(x.min() / 1.08, x.max() * 1.08)
    if len(y):
        margin = 0.08 * (y.max() - y.min()) or 1.0
        axes.set_ylim(y.min() - margin, y.max() + margin)


def _peak_label(row: Mapping, color: str) -> tuple[float, str, str]:
    best = row["validation"][_chosen(row)]
    return best, f"{row['name']}\n{number(best, 1)} at {row['bandwidth']:.3g}", color


def dimension_curves(rows: Sequence[Mapping], title: str) -> Figure:
    """Estimated intrinsic dimension over the number of neighbours; a row has name, k [K] and per_k [K].

    The first few k, whose estimates can be a hundred times too large, do not set the limits of the panel.
    """
    figure = new_figure(11, 5.2)
    axes = figure.subplots()
    style_axes(axes, title=title, x_label="number of neighbours k", y_label="intrinsic dimension")
    ends, settled = [], []
    for row, (color, marker) in zip(rows, row_styles([row["name"] for row in rows]), strict=True):
        k, values = np.asarray(row["k"], float), np.asarray(row["per_k"], float)
        axes.plot(k, values, color=color, linewidth=2.2)
        axes.plot(k[-1:], values[-1:], color=color, marker=marker, markersize=11, markeredgecolor="white", zorder=5)
        settled.append(values[k >= min(8, k[-1])])
        ends.append((values[-1], f"{row['name']}\n{number(values[-1], 1)} at k = {k[-1]:.0f}", color))
    reached = np.concatenate(settled)
    highest = reached[np.isfinite(reached)].max(initial=1e-6)
    axes.set_ylim(0, 1.12 * highest)
    label_ends(axes, ends, gap=0.15)
    return figure
