"""Figures made of images: reconstructions, samples and chains, drawn pixel for pixel."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from fastdaae.reporting.pictures import GUTTER, fit_width, tile
from fastdaae.reporting.style import DPI, INK, MUTED, TEXT, TITLE

_MARGIN = 30  # device pixels around a figure
_TITLE_BAND = 84
_LEAST_WIDTH = 1500  # room for the title over few or small pictures
_LABEL_BAND = 56


def _canvas(width: int, height: int, title: str) -> Figure:
    width = max(width, _LEAST_WIDTH)
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    figure.text(_MARGIN / width, 1 - 26 / height, title, fontsize=TITLE, color=INK, fontweight="bold", va="top")
    return figure


def _place(figure: Figure, mosaic: np.ndarray, left: int, top: int) -> None:
    """Show the mosaic with its upper left corner at that device pixel, one array element to a device pixel."""
    width, height = (round(inches * DPI) for inches in figure.get_size_inches())
    rows, columns = mosaic.shape[:2]
    axes = figure.add_axes((left / width, (height - top - rows) / height, columns / width, rows / height))
    # a colour map would round grey values its own way
    colours = np.round((mosaic if mosaic.ndim == 3 else mosaic[..., None].repeat(3, axis=2)) * 255).astype(np.uint8)
    axes.imshow(colours, interpolation="nearest", aspect="auto")
    axes.set_axis_off()


def _write(figure: Figure, text: str, left: float, top: float, **options) -> None:
    width, height = figure.get_size_inches() * DPI
    figure.text(left / width, 1 - top / height, text, **{"fontsize": TEXT, "color": INK, "va": "center", **options})


def image_rows(rows: Sequence[tuple[str, np.ndarray]], title: str) -> Figure:
    """Rows of pictures, column i of each the same image; `rows` are (label, pictures [N, H, W, ...])."""
    fitted = [(label, fit_width(pictures, 132)) for label, pictures in rows]
    mosaic = tile(np.concatenate([pictures for _, pictures in fitted]), len(fitted[0][1]))
    label_width = 290
    left, top = _MARGIN + label_width, _TITLE_BAND + 20
    figure = _canvas(left + mosaic.shape[1] + _MARGIN, top + mosaic.shape[0] + _MARGIN, title)
    _place(figure, mosaic, left, top)
    cell = fitted[0][1].shape[1]
    for i, (label, _) in enumerate(fitted):
        _write(figure, label, left - 22, top + i * (cell + GUTTER) + cell / 2, ha="right")
    return figure


def sample_grids(grids: Sequence[tuple[str, np.ndarray]], title: str, columns: int = 10) -> Figure:
    """Grids of pictures side by side, cell i of each from the same initial code; `grids` are (label, pictures)."""
    mosaics = [(label, tile(fit_width(pictures), columns)) for label, pictures in grids]
    height, width = mosaics[0][1].shape[:2]
    between, top = 56, _TITLE_BAND + _LABEL_BAND
    total = 2 * _MARGIN + len(mosaics) * width + (len(mosaics) - 1) * between
    figure = _canvas(total, top + height + _MARGIN, title)
    for i, (label, mosaic) in enumerate(mosaics):
        left = _MARGIN + i * (width + between)
        _place(figure, mosaic, left, top)
        _write(figure, label, left, top - 28)
    return figure


def film_strip(chains: np.ndarray, title: str) -> Figure:
    """Chains as rows and their steps as columns, labelled x(0), x(1), ...; pictures [steps, N, H, W, ...]."""
    steps, count = chains.shape[:2]
    by_chain = chains.swapaxes(0, 1).reshape(count * steps, *chains.shape[2:])
    fitted = fit_width(by_chain, 132)
    mosaic, cell, cell_height = tile(fitted, steps), fitted.shape[2], fitted.shape[1]
    label_width = 170
    left, top = _MARGIN + label_width, _TITLE_BAND + _LABEL_BAND
    figure = _canvas(left + mosaic.shape[1] + _MARGIN, top + mosaic.shape[0] + _MARGIN, title)
    _place(figure, mosaic, left, top)
    for step in range(steps):
        _write(figure, f"x({step})", left + step * (cell + GUTTER) + cell / 2, top - 26, ha="center")
    for chain in range(count):
        _write(
            figure,
            f"chain {chain + 1}",
            left - 22,
            top + chain * (cell_height + GUTTER) + cell_height / 2,
            ha="right",
            color=MUTED,
        )
    return figure
