"""Figures of the evaluation: likelihood over bandwidths and intrinsic dimension over k, each beside the real data's."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from fastdaae.evaluation import Measure
from fastdaae.evaluation.telling import amount, setting
from fastdaae.reporting.style import INK, MARKERS, SERIES, label_ends, new_figure, style_axes


def styles_of(measures: Sequence[Measure]) -> list[tuple[str, str]]:
    """(colour, marker) of each measure: ink for real data, the palette in order for the model's samples."""
    free = iter(zip(SERIES * len(measures), MARKERS * len(measures), strict=True))
    return [(INK, "X") if measure.is_of_real_data else next(free) for measure in measures]


def _curve(measure: Measure, *names: str) -> list[np.ndarray]:
    """The named lists of a measure's curve; raises ValueError where it has others."""
    if not measure.curve or any(name not in measure.curve for name in names):
        raise ValueError(f"the {measure.name} of {measure.of} has no curve of {' and '.join(names)}; evaluate again")
    return [np.asarray(measure.curve[name], float) for name in names]


def likelihood_curves(measures: Sequence[Measure]) -> Figure:
    """Validation log-likelihood (nats) over the bandwidths of Parzen windows, over all of them and around the peaks.

    A measure has the curve bandwidths [B] (in [0, 1] pixels), validation [B] (mean nats) and the setting bandwidth, the
    chosen one, which has the large marker. Raises ValueError for others.
    """
    figure = new_figure(12.4, 4.9)
    whole, peaks = figure.subplots(1, 2)
    x_label = "bandwidth, in pixel values [0, 1]"
    style_axes(
        whole, title="Log-likelihood over bandwidths", x_label=x_label, y_label="validation log-likelihood, nats"
    )
    style_axes(peaks, title="Around the peaks", x_label=x_label, y_label="nats")
    styles = styles_of(measures)
    for axes in (whole, peaks):
        for measure, (color, marker) in zip(measures, styles, strict=True):
            _likelihood_curve(axes, measure, color, marker)
        _bandwidth_axis(axes, measures)
    _zoom_on_peaks(peaks, measures)
    labels = [_peak_label(measure, color) for measure, (color, _) in zip(measures, styles, strict=True)]
    label_ends(peaks, labels, gap=0.15, markers="".join(marker for _, marker in styles))
    return figure


def _windows(measure: Measure) -> tuple[np.ndarray, np.ndarray, int]:
    """(bandwidths, validation log-likelihoods, place of the chosen bandwidth)."""
    bandwidths, validation = _curve(measure, "bandwidths", "validation")
    chosen = measure.settings.get("bandwidth")
    if not isinstance(chosen, float | int) or not (bandwidths > 0).all():
        raise ValueError(f"the {measure.name} of {measure.of} has no bandwidth > 0; evaluate again")
    return bandwidths, validation, int(np.argmin(np.abs(bandwidths - chosen)))


def _likelihood_curve(axes: Axes, measure: Measure, color: str, marker: str) -> None:
    bandwidths, validation, best = _windows(measure)
    axes.plot(bandwidths, validation, color=color, linewidth=2.2, marker=marker, markersize=5)
    large = {"marker": marker, "markersize": 12, "markeredgecolor": "white", "zorder": 5}
    axes.plot(bandwidths[best], validation[best], color=color, **large)


def _bandwidth_axis(axes: Axes, measures: Sequence[Measure]) -> None:
    axes.set_xscale("log")
    ticks = np.unique(np.concatenate([_windows(measure)[0] for measure in measures]))
    axes.xaxis.set_major_locator(FixedLocator(ticks[:: max(1, round(len(ticks) / 8))]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _zoom_on_peaks(axes: Axes, measures: Sequence[Measure]) -> None:
    """Limit the panel to the bandwidths within two grid steps of a chosen one."""
    shown = []
    for bandwidths, validation, best in map(_windows, measures):
        window = slice(max(0, best - 2), best + 3)
        shown += list(zip(bandwidths[window], validation[window], strict=True))
    x, y = np.asarray(shown).T
    y = y[np.isfinite(y)]
    axes.set_xlim(x.min() / 1.08, x.max() * 1.08)
    if len(y):
        margin = 0.08 * (y.max() - y.min()) or 1.0
        axes.set_ylim(y.min() - margin, y.max() + margin)


def _peak_label(measure: Measure, color: str) -> tuple[float, str, str]:
    _, validation, best = _windows(measure)
    peak = float(validation[best])
    return peak, f"{measure.of}\n{amount(measure, peak)}, {setting('bandwidth', measure.settings['bandwidth'])}", color


def dimension_curves(measures: Sequence[Measure]) -> Figure:
    """Estimated intrinsic dimension over the number of neighbours; a measure has the curve k [K], per_k [K].

    The first few k, whose estimates can be a hundred times too large, do not set the limits of the panel. Raises
    ValueError for another curve.
    """
    figure = new_figure(11, 5.2)
    axes = figure.subplots()
    counts = dict.fromkeys(setting("n", m.settings["n"]) for m in measures if "n" in m.settings)
    title = ", ".join(["Intrinsic dimension over neighbours", *counts])
    style_axes(axes, title=title, x_label="number of neighbours k", y_label="intrinsic dimension")
    ends, settled = [], []
    for measure, (color, marker) in zip(measures, styles_of(measures), strict=True):
        k, values = _curve(measure, "k", "per_k")
        axes.plot(k, values, color=color, linewidth=2.2)
        axes.plot(k[-1:], values[-1:], color=color, marker=marker, markersize=11, markeredgecolor="white", zorder=5)
        settled.append(values[k >= min(8, k[-1])])
        ends.append((values[-1], f"{measure.of}\n{amount(measure)} at k = {k[-1]:.0f}", color))
    reached = np.concatenate(settled)
    highest = reached[np.isfinite(reached)].max(initial=1e-6)
    axes.set_ylim(0, 1.12 * highest)
    label_ends(axes, ends, gap=0.15)
    return figure
