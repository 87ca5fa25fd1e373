"""Figures of the evaluation: likelihood over bandwidths and intrinsic dimension over k, each beside the real data's."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from fastdaae.evaluation import Measure
from fastdaae.evaluation.estimators.parzen import grid_end
from fastdaae.evaluation.telling import amount, setting
from fastdaae.reporting.figures.looks import WIDE, Look
from fastdaae.reporting.figures.style import MARKERS, End, label_ends, panels_of, style_axes

_MOST_TICKS = 6


def styles_of(measures: Sequence[Measure], look: Look = WIDE) -> list[tuple[str, str]]:
    """(colour, marker) of each measure: ink for real data, the palette in order for the model's samples."""
    count = len(measures)
    free = iter(zip(look.palette.series * count, MARKERS * count, strict=True))
    return [(look.palette.ink, "X") if measure.is_of_real_data else next(free) for measure in measures]


def _curve(measure: Measure, *names: str) -> list[np.ndarray]:
    """The named lists of a measure's curve; raises ValueError where it has others."""
    if not measure.curve or any(name not in measure.curve for name in names):
        raise ValueError(f"the {measure.name} of {measure.of} has no curve of {' and '.join(names)}; evaluate again")
    return [np.asarray(measure.curve[name], float) for name in names]


class Window(NamedTuple):
    """The curve of a likelihood: bandwidths [B], mean log-likelihoods [B] in nats, their errors, the chosen place.

    `standard_error` [B] and `seed_deviation` [B] are None where the measure has none.
    """

    bandwidths: np.ndarray
    validation: np.ndarray
    chosen: int
    standard_error: np.ndarray | None
    seed_deviation: np.ndarray | None

    @property
    def end(self) -> str | None:
        """ "least" or "greatest" where the chosen bandwidth is that end of its grid; None inside."""
        return grid_end(float(self.bandwidths[self.chosen]), self.bandwidths)

    @property
    def reach(self) -> np.ndarray:
        """How far from each value its errors are drawn, [B] nats."""
        drawn = [error for error in (self.standard_error, self.seed_deviation) if error is not None]
        return np.nan_to_num(np.maximum.reduce([np.zeros(len(self.bandwidths)), *drawn]))


def window_of(measure: Measure) -> Window:
    """A likelihood's curve; raises ValueError for a measure without one, or without a bandwidth > 0."""
    bandwidths, validation = _curve(measure, "bandwidths", "validation")
    chosen = measure.settings.get("bandwidth")
    if not isinstance(chosen, float | int) or not len(bandwidths) or not (bandwidths > 0).all():
        raise ValueError(f"the {measure.name} of {measure.of} has no bandwidth > 0; evaluate again")
    errors = [np.asarray(measure.curve[name], float) if name in measure.curve else None for name in Window._fields[3:]]
    return Window(bandwidths, validation, int(np.argmin(np.abs(bandwidths - chosen))), *errors)


def likelihood_curves(measures: Sequence[Measure], look: Look = WIDE) -> Figure:
    """Validation log-likelihood (nats) over the bandwidths of Parzen windows, over all of them and around the peaks.

    A measure has the curve bandwidths [B] (in [0, 1] pixels), validation [B] (mean nats), perhaps standard_error [B]
    (bars) and seed_deviation [B] (bands), and the setting bandwidth, the chosen one, which has the large marker. Raises
    ValueError for others.
    """
    figure, (whole, peaks) = panels_of(look, 2, 4.5, legends=2 * len(measures) + 1)
    x_label = "bandwidth, in pixel values [0, 1]"
    style_axes(whole, look, title="Log-likelihood over bandwidths", x_label=x_label, y_label="validation, nats")
    style_axes(peaks, look, title="Around the choice", x_label=x_label, y_label="validation, nats")
    styles, windows = styles_of(measures, look), [window_of(measure) for measure in measures]
    for axes in (whole, peaks):
        axes.set_xscale("log")
        for window, (color, marker) in zip(windows, styles, strict=True):
            _likelihood_curve(axes, window, color, marker, look.palette.ground)
    _bandwidth_axis(whole, np.concatenate([window.bandwidths for window in windows]))
    _bandwidth_axis(peaks, _zoom_on_chosen(peaks, windows))
    ends = [_peak_label(*told, style) for told, style in zip(zip(measures, windows, strict=True), styles, strict=True)]
    label_ends(peaks, look, ends, gap=0.15)
    return figure


def _likelihood_curve(axes: Axes, window: Window, color: str, marker: str, ground: str) -> None:
    x, y, best = window.bandwidths, window.validation, window.chosen
    if window.seed_deviation is not None:
        _band(axes, x, y, window.seed_deviation, color)
    if window.standard_error is not None:
        axes.errorbar(x, y, yerr=window.standard_error, fmt="none", ecolor=color, elinewidth=1.4, capsize=4)
    axes.plot(x, y, color=color, linewidth=2.2, marker=marker, markersize=5)
    large = {"marker": marker, "markersize": 12, "markeredgecolor": ground, "zorder": 5}
    axes.plot(x[best], y[best], color=color, **large)


def _band(axes: Axes, x: np.ndarray, y: np.ndarray, deviation: np.ndarray, color: str) -> None:
    axes.fill_between(x, y - deviation, y + deviation, color=color, alpha=0.2, linewidth=0)


def _bandwidth_axis(axes: Axes, bandwidths: np.ndarray) -> None:
    ticks = np.unique(bandwidths)
    axes.xaxis.set_major_locator(FixedLocator(ticks[:: -(-len(ticks) // _MOST_TICKS)]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _zoom_on_chosen(axes: Axes, windows: Sequence[Window]) -> np.ndarray:
    """Limit the panel to the bandwidths within two grid steps of a chosen one, with their errors; gives those."""
    shown = []
    for window in windows:
        part = slice(max(0, window.chosen - 2), window.chosen + 3)
        x, y, reach = (values[part] for values in (window.bandwidths, window.validation, window.reach))
        shown += [*zip(x, y - reach, strict=True), *zip(x, y + reach, strict=True)]
    x, y = np.asarray(shown).T
    y = y[np.isfinite(y)]
    axes.set_xlim(x.min() / 1.08, x.max() * 1.08)
    if len(y):
        margin = 0.08 * (y.max() - y.min()) or 1.0
        axes.set_ylim(y.min() - margin, y.max() + margin)
    return x


def _peak_label(measure: Measure, window: Window, style: tuple[str, str]) -> End:
    peak = float(window.validation[window.chosen])
    text = f"{measure.of}\n{amount(measure, peak)}, {setting('bandwidth', measure.settings['bandwidth'])}"
    return End(peak, text, *style)


def dimension_curves(measures: Sequence[Measure], look: Look = WIDE) -> Figure:
    """Estimated intrinsic dimension over the number of neighbours; a measure has the curve k [K], per_k [K], perhaps
    seed_deviation [K] (a band).

    The first few k, whose estimates can be a hundred times too large, do not set the limits of the panel. Raises
    ValueError for another curve.
    """
    figure, (axes,) = panels_of(look, 1, 4.8, legends=2 * len(measures) + 1)
    counts = dict.fromkeys(setting("n", m.settings["n"]) for m in measures if "n" in m.settings)
    title = ", ".join(["Intrinsic dimension over neighbours", *counts])
    style_axes(axes, look, title=title, x_label="number of neighbours k", y_label="intrinsic dimension")
    ends, settled = [], []
    for measure, (color, marker) in zip(measures, styles_of(measures, look), strict=True):
        k, values = _curve(measure, "k", "per_k")
        axes.plot(k, values, color=color, linewidth=2.2)
        if "seed_deviation" in measure.curve:
            _band(axes, k, values, _curve(measure, "seed_deviation")[0], color)
        large = {"marker": marker, "markersize": 11, "markeredgecolor": look.palette.ground, "zorder": 5}
        axes.plot(k[-1:], values[-1:], color=color, clip_on=False, **large)
        settled.append(values[k >= min(8, k[-1])])
        text = f"{measure.of}\n{amount(measure)} at k = {k[-1]:.0f}"
        ends.append(End(values[-1], text, color, marker if look.narrow else ""))
    reached = np.concatenate(settled)
    highest = reached[np.isfinite(reached)].max(initial=1e-6)
    axes.set_ylim(0, 1.12 * highest)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
    axes.set_xlim(0, max(line.get_xdata().max() for line in axes.lines))
    label_ends(axes, look, ends, gap=0.15)
    return figure
