"""Figures of codes: their distribution beside the prior's, and their plane by label."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fastdaae.evaluation.telling import number
from fastdaae.reporting.figures.looks import WIDE, Look
from fastdaae.reporting.figures.style import End, label_ends, legend_of, panels_of, style_axes

_MOST_DOTS = 2000
_TITLES = {"clean": "clean codes", "corrupted": "corrupted codes", "posterior": "posterior's draws"}
_MOST_LABELS = 40  # more names than that cannot be read in one panel


def _color(look: Look, name: str) -> str:
    colors = look.palette
    series = {"clean": 0, "corrupted": 1, "posterior": 2}
    return colors.muted if name == "prior" else colors.series[series[name]]


def code_histograms(codes: Mapping[str, np.ndarray], title: str, look: Look = WIDE) -> Figure:
    """Densities of all coordinates pooled: draws of the prior, clean and corrupted codes; a scatter too for 2-D codes.

    `codes` is {"prior": [N, Z], "clean": [N, Z], "corrupted": [N, Z], "posterior": [N, Z]}, each N its own; all but the
    clean ones may be absent.
    """
    plane = codes["clean"].shape[1] == 2
    figure, panels = panels_of(look, 2 if plane else 1, 4.4, legends=2 * len(codes) + 1)
    pooled = {name: values.ravel() for name, values in codes.items()}
    everything = np.concatenate(list(pooled.values()))
    low, high = np.quantile(everything, [0.001, 0.999])
    smallest = min(map(len, pooled.values()))
    bins = np.linspace(low, high, 1 + int(np.clip(2 * smallest ** (1 / 3), 12, 60)))
    style_axes(panels[0], look, title=title, x_label="code, all coordinates pooled", y_label="density")
    for name, values in pooled.items():
        _density(panels[0], look, name, values, bins)
    panels[0].set_xlim(low, high)
    panels[0].set_ylim(0, panels[0].get_ylim()[1] * 1.05)
    top = panels[0].get_ylim()[1]
    ends = [_moments(look, name, values, top * (0.86 - 0.17 * i)) for i, (name, values) in enumerate(pooled.items())]
    label_ends(panels[0], look, ends, gap=0.15)
    if plane:
        _plane_of_codes(panels[1], look, codes)
    return figure


def _density(axes: Axes, look: Look, name: str, values: np.ndarray, bins: np.ndarray) -> None:
    # divided by all values, also those beyond the bins, so that curves of different tails stay comparable
    density = np.histogram(values, bins)[0] / (len(values) * np.diff(bins))
    if name == "prior":
        axes.stairs(density, bins, color=look.palette.fill, fill=True, zorder=1)
    axes.stairs(density, bins, color=_color(look, name), linewidth=2.2, zorder=2)


def _moments(look: Look, name: str, values: np.ndarray, y: float) -> End:
    text = f"{_TITLES.get(name, name)}\nmean {number(values.mean(), 2)}, std {number(values.std(), 2)}"
    return End(y, text, _color(look, name), "s")


def _plane_of_codes(axes: Axes, look: Look, codes: Mapping[str, np.ndarray]) -> None:
    style_axes(axes, look, title="The same codes in the plane", x_label="code 1", y_label="code 2")
    for name, values in codes.items():
        shown = values[:_MOST_DOTS]
        alpha = 0.25 if name == "prior" else 0.6
        axes.scatter(shown[:, 0], shown[:, 1], s=12, color=_color(look, name), alpha=alpha, linewidths=0)
    _equal_units(axes, np.concatenate([values[:_MOST_DOTS] for values in codes.values()]))


def _equal_units(axes: Axes, points: np.ndarray) -> float:
    """Set limits that hold all points [N, 2], with as many data units an inch on both axes; gives that number."""
    axes.figure.draw_without_rendering()  # which lays the panels out
    box = axes.get_window_extent()
    size = np.array([box.width, box.height]) / axes.figure.dpi
    low, high = points.min(axis=0), points.max(axis=0)
    unit = float((1.08 * (high - low) / size).max()) or 1.0
    middle = (low + high) / 2
    axes.set_xlim(middle[0] - unit * size[0] / 2, middle[0] + unit * size[0] / 2)
    axes.set_ylim(middle[1] - unit * size[1] / 2, middle[1] + unit * size[1] / 2)
    return unit


def code_plane(
    points: np.ndarray,
    labels: np.ndarray | None,
    *,
    title: str,
    axis_names: tuple[str, str] | None,
    classes: Sequence[str] | None = None,
    look: Look = WIDE,
) -> Figure:
    """Points [N, 2], coloured by label [N], each label written at its points' median; one colour without labels.

    `axis_names` None leaves ticks and grid out, for a projection whose coordinates mean nothing. `classes` are the
    names of the labels 0, 1, ...
    """
    figure, (axes,) = panels_of(look, 1, 5.8, width=8, legends=10)
    x_label, y_label = axis_names or ("", "")
    style_axes(axes, look, title=title, x_label=x_label, y_label=y_label)
    if axis_names is None:
        axes.set(xticks=[], yticks=[])
        axes.spines[["left", "bottom"]].set_visible(False)
    if labels is None:
        _dots(axes, look, points, [look.palette.series[0]])
        _equal_units(axes, points)
    else:
        _by_label(axes, look, points, labels, classes)
    return figure


def _dots(axes: Axes, look: Look, points: np.ndarray, colors: Sequence[str]) -> None:
    """Points [N, 2], of one colour or each of its own, the smaller the more there are."""
    size = float(np.clip(14_000 / len(points), 14, 50)) / (2 if look.narrow else 1)
    axes.scatter(points[:, 0], points[:, 1], s=size, color=colors, alpha=0.8, linewidths=0)


def _by_label(axes: Axes, look: Look, points: np.ndarray, labels: np.ndarray, classes: Sequence[str] | None) -> None:
    found, place = np.unique(labels, return_inverse=True)
    palette = look.palette.classes
    colors = [palette[i % len(palette)] for i in range(len(found))]
    # all of them at once, the last label on top: one call for each of a thousand labels takes a minute
    order = place.argsort(kind="stable")
    _dots(axes, look, points[order], [colors[i] for i in place[order]])
    if len(found) > _MOST_LABELS:
        told = {"transform": axes.transAxes, "ha": "right", "fontsize": look.small, "color": look.palette.ink}
        axes.text(0.99, 0.01, f"{len(found)} labels, colours repeat", **told)
        _equal_units(axes, points)
        return
    names = [_name(int(label), classes) for label in found]
    _legend(axes, look, names, colors)
    unit = _equal_units(axes, points)
    taken: list[np.ndarray] = []
    for label, name, color in zip(found, names, colors, strict=True):
        _name_cluster(axes, look, _short(name, 14), points[labels == label], taken, color, unit)


def _name(label: int, classes: Sequence[str] | None) -> str:
    return classes[label] if classes is not None and 0 <= label < len(classes) else str(label)


def _short(name: str, letters: int) -> str:
    return name if len(name) <= letters else f"{name[: letters - 1]}…"


def _name_cluster(
    axes: Axes, look: Look, name: str, own: np.ndarray, taken: list[np.ndarray], color: str, unit: float
) -> None:
    """Write a name at the median of its points [N, 2], or at the nearest one that is clear of the places `taken`.

    `unit` is that of the data an inch.
    """
    ground = look.palette.ground
    size = (11 if look.narrow else 15) - (2 if len(name) > 3 else 0)
    room = unit * size / 72 * np.array([0.7 * len(name) + 1, 1.8])
    median = np.median(own, axis=0)
    low, high = np.transpose([axes.get_xlim(), axes.get_ylim()])
    nearest = own[np.linalg.norm(own - median, axis=1).argsort()]
    candidates = np.clip([median, *nearest], low + room / 2, high - room / 2)  # inside the panel
    place = next((at for at in candidates if all((np.abs(at - other) > room).any() for other in taken)), candidates[0])
    taken.append(place)
    plate = {"boxstyle": "round,pad=0.18", "facecolor": ground, "edgecolor": color, "linewidth": 1.8, "alpha": 0.9}
    at = {"fontsize": size, "fontweight": "bold", "color": look.palette.ink, "ha": "center", "va": "center"}
    axes.text(*place, name, **at, bbox=plate, clip_on=True, parse_math=False)


def _legend(axes: Axes, look: Look, names: Sequence[str], colors: Sequence[str]) -> None:
    dots = [Line2D([], [], linestyle="", marker="o", markersize=8, color=color) for color in colors]
    names = [_short(name, 24) for name in names]
    longest = max(map(len, names))
    columns = min(5, max(1, 30 // (longest + 5))) if look.narrow else -(-len(names) // 20)
    legend_of(axes, look, dots, names, ncols=columns, columnspacing=1.2, handletextpad=0.4)
