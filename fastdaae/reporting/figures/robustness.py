"""Curves over the strength of the corruption of test images."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from matplotlib.figure import Figure

from fastdaae.evaluation import Measure
from fastdaae.evaluation.telling import amount
from fastdaae.reporting.figures.looks import WIDE, Look
from fastdaae.reporting.figures.style import MARKERS, End, label_ends, panels_of, style_axes

STRENGTH, ERROR = "sigma", "standard_error"


def has_strengths(measure: Measure) -> bool:
    """Whether a measure has a curve over the strength of corruption."""
    return bool(measure.curve) and next(iter(measure.curve or {})) == STRENGTH


def robustness_curves(measures: Sequence[Measure], training: float | None = None, look: Look = WIDE) -> Figure:
    """Each measure's curve over sigma (bars are standard errors), a panel for each name; a line at sigma of training.

    A measure has the curve sigma [S], one of values [S] and perhaps standard_error [S]. Raises ValueError for others.
    """
    groups = [(name, list(some)) for name, some in groupby(measures, key=lambda one: one.name)]
    wide = {"width": 8.6} if len(groups) == 1 else {}
    figure, panels = panels_of(look, len(groups), 4.5, **wide, legends=2 * len(measures) + 2 * len(groups))
    for axes, (name, some) in zip(panels, groups, strict=True):
        kind = name.removesuffix(" over sigma")
        share = some[0].unit == "share"
        unit = "per cent" if share else some[0].unit or ""
        style_axes(axes, look, title=f"{kind[:1].upper()}{kind[1:]}", x_label="σ of the test images", y_label=unit)
        ends = []
        for place, measure in enumerate(some):
            color, marker = look.palette.series[place % 5], MARKERS[place % len(MARKERS)]
            x, y, error = (values * (100 if share and i else 1) for i, values in enumerate(_curve(measure)))
            axes.errorbar(x, y, yerr=error, color=color, linewidth=2.2, marker=marker, markersize=6, capsize=3)
            ends.append(End(float(y[-1]), f"{measure.of}\nmean {amount(measure)}", color, marker))
        if training is not None:
            muted = look.palette.muted
            axes.axvline(training, color=muted, linestyle=(0, (4, 3)), linewidth=1.6, zorder=1)
            ends.append(End(float(np.mean(axes.get_ylim())), "σ of training", muted, dashes=(4, 3)))
        axes.set_ylim(axes.get_ylim())
        label_ends(axes, look, ends, gap=0.15)
    return figure


def _curve(measure: Measure) -> list[np.ndarray]:
    """Strengths [S], values [S] and their errors [S] of a measure."""
    curve = dict(measure.curve or {})
    names = [name for name in curve if name not in (STRENGTH, ERROR)]
    if not names or STRENGTH not in curve:
        raise ValueError(f"the {measure.name} of {measure.of} has no curve of values over {STRENGTH}; evaluate again")
    values = [curve[STRENGTH], curve[names[0]], curve.get(ERROR) or [0.0] * len(curve[STRENGTH])]
    return [np.asarray(one, float) for one in values]
