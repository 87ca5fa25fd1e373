"""The losses of a training run over its epochs."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fastdaae.evaluation.telling import number
from fastdaae.reporting.figures.looks import WIDE, Look
from fastdaae.reporting.figures.style import WIDTH, End, label_ends, panels_of, style_axes

_DASHES = (4, 3)


def losses(
    epochs: Sequence[int],
    training: Mapping[str, Sequence[float]],
    validation: Sequence[float] | None,
    *,
    unit: str,
    equilibrium: tuple[float, str] | None = None,
    look: Look = WIDE,
) -> Figure:
    """Reconstruction loss (training and validation, in `unit`) and the adversarial losses (nats) over epochs.

    `training` is {loss name: one mean an epoch} with "reconstruction" among them; `validation` are reconstruction
    losses; `equilibrium` is the discriminator's loss where it cannot tell codes from the prior, as (nats, text).
    """
    others = {name: values for name, values in training.items() if name != "reconstruction"}
    figure, panels = panels_of(look, 2 if others else 1, 4.3, width=WIDTH if others else 7.2, legends=len(training) + 3)
    colors = look.palette.series
    curves = [("train", training["reconstruction"], colors[0])]
    if validation is not None:
        curves.append(("validation", validation, colors[1]))
    _draw(panels[0], look, epochs, curves, title="Reconstruction loss", unit=unit)
    if others:
        curves = [(name, values, colors[i % len(colors)]) for i, (name, values) in enumerate(others.items())]
        _draw(panels[1], look, epochs, curves, title="Adversarial losses", unit="nats", equilibrium=equilibrium)
    return figure


def _end(epochs: Sequence[int], values: Sequence[float], name: str) -> tuple[float, str]:
    """(where a curve's label stands, the label): at its last number, after which a diverged run has none."""
    finite = [i for i, value in enumerate(values) if math.isfinite(value)]
    if not finite or finite[-1] == len(values) - 1:
        # what rounds to zero has no sign
        return values[-1], f"{name} {number(round(values[-1], 3) + 0.0, 3)}"
    return values[finite[-1]], f"{name}: not finite\nafter epoch {epochs[finite[-1]]}"


def _draw(axes: Axes, look: Look, epochs, curves, *, title: str, unit: str, equilibrium=None) -> None:
    style_axes(axes, look, title=title, x_label="epoch", y_label=unit)
    for _, values, color in curves:
        axes.plot(epochs, values, color=color, linewidth=2.2, marker="o", markersize=6 if len(epochs) < 20 else 0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, min_n_ticks=1))
    axes.margins(x=0.02, y=0.12)
    if len(epochs) == 1:
        axes.set_xlim(epochs[0] - 1, epochs[0] + 1)
    ends = [End(*_end(epochs, values, name), color) for name, values, color in curves]
    if equilibrium is not None:
        value, text = equilibrium
        muted = look.palette.muted
        axes.axhline(value, color=muted, linestyle=(0, _DASHES), linewidth=1.6, zorder=3)
        ends.append(End(value, text, muted, dashes=_DASHES))
    axes.set_ylim(axes.get_ylim())
    label_ends(axes, look, ends)
