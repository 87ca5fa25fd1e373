"""Galleries: figures made of images, pixel for pixel, in blocks that stand side by side or one above the other."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from fastdaae.reporting.figures.looks import WIDE
from fastdaae.reporting.figures.pictures import CELL, GUTTER, grid
from fastdaae.reporting.figures.style import DPI

_MARGIN = 28  # device pixels around a figure
_TITLE_BAND = 76
_HEAD_BAND = 52
_LINE = 40  # of a head of several lines
_BETWEEN = 52
_LETTER = 0.62  # of the size of a text, the width of a letter
_LEAST_WIDTH = 1440  # room for the title over few or small pictures
_LARGE = 132  # device pixels of a picture's longer side where there are few
_FEW = 40
ACROSS = 3  # blocks side by side, before they go on in the next line


class Block(NamedTuple):
    """A grid of pictures, RGBA uint8 [height, width, 4], with a title, or names of its rows and columns."""

    pictures: np.ndarray
    title: str = ""
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


class Gallery(NamedTuple):
    """Blocks under one title; names of rows are the same for all blocks."""

    title: str
    blocks: tuple[Block, ...]


def image_rows(rows: Sequence[tuple[str, np.ndarray]], title: str) -> Gallery:
    """Rows of pictures, column i of each the same image; `rows` are (label, pictures [N, H, W, ...]).

    More than six images are two blocks.
    """
    count = len(rows[0][1])
    half = count if count <= 6 else -(-count // 2)
    labels = tuple(label for label, _ in rows)
    parts = [
        np.concatenate([pictures[start : start + half] for _, pictures in rows]) for start in range(0, count, half)
    ]
    widths = [min(half, count - start) for start in range(0, count, half)]
    blocks = (Block(grid(part, width, _LARGE), rows=labels) for part, width in zip(parts, widths, strict=True))
    return Gallery(title, tuple(blocks))


def sample_grids(grids: Sequence[tuple[str, np.ndarray]], title: str, columns: int = 10) -> Gallery:
    """Grids of pictures under each one's label, `grids` are (label, pictures); few pictures are drawn larger."""
    side = CELL if max(len(pictures) for _, pictures in grids) > _FEW else _LARGE
    return Gallery(title, tuple(Block(grid(pictures, columns, side), title=label) for label, pictures in grids))


def film_strip(chains: np.ndarray, title: str) -> Gallery:
    """Chains as rows and their steps as columns, named x(0), x(1), ...; pictures [steps, N, H, W, ...]."""
    return strip(chains, tuple(f"x({t})" for t in range(len(chains))), title)


def strip(pictures: np.ndarray, names: Sequence[str], title: str) -> Gallery:
    """Named columns of pictures [columns, N, H, W, ...]."""
    columns, count = pictures.shape[:2]
    by_row = pictures.swapaxes(0, 1).reshape(count * columns, *pictures.shape[2:])
    return Gallery(title, (Block(grid(by_row, columns, _LARGE), columns=tuple(names)),))


def grid_of_rows(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Rows of large pictures [N, H, W, ...], all of as many, as one grid."""
    return grid(np.concatenate(rows), len(rows[0]), _LARGE)


def figure_of(gallery: Gallery) -> Figure:
    """A gallery as one figure on a white ground, its blocks side by side, three in a line."""
    lines = [gallery.blocks[start : start + ACROSS] for start in range(0, len(gallery.blocks), ACROSS)]
    names = [line for name in gallery.blocks[0].rows for line in name.split("\n")]
    letter = _LETTER * WIDE.text * DPI / 72
    first = _MARGIN + round(max(map(len, names), default=0) * letter) + (22 if names else 0)
    heads = [head for block in gallery.blocks for head in (block.title, *block.columns) if head]
    between = GUTTER if names and not heads else _BETWEEN
    head_lines = max((head.count("\n") + 1 for head in heads), default=0)
    head = _HEAD_BAND + (head_lines - 1) * _LINE if heads else 16
    widths = [sum(block.pictures.shape[1] for block in line) + between * (len(line) - 1) for line in lines]
    heights = [max(block.pictures.shape[0] for block in line) for line in lines]
    whole = _TITLE_BAND + head * len(lines) + sum(heights) + _BETWEEN * (len(lines) - 1) + _MARGIN
    figure = _canvas(first + max(widths) + _MARGIN, whole, gallery.title)
    top = _TITLE_BAND + head
    for line, height in zip(lines, heights, strict=True):
        left = first
        for block in line:
            _place(figure, block.pictures, left, top)
            _name_columns(figure, block, left, top - 26 - max(0, head_lines - 1) * _LINE / 2)
            left += block.pictures.shape[1] + between
        _name_rows(figure, line[0], first - 22, top)
        top += height + _BETWEEN + head
    return figure


def _name_rows(figure: Figure, block: Block, right: int, top: float) -> None:
    pitch = (block.pictures.shape[0] + GUTTER) / max(1, len(block.rows))
    for i, name in enumerate(block.rows):
        _write(figure, name, right, top + (i + 0.5) * pitch - GUTTER / 2, ha="right")


def _name_columns(figure: Figure, block: Block, left: int, middle: int) -> None:
    if block.title:
        _write(figure, block.title, left, middle)
    pitch = (block.pictures.shape[1] + GUTTER) / max(1, len(block.columns))
    for i, name in enumerate(block.columns):
        _write(figure, name, left + (i + 0.5) * pitch - GUTTER / 2, middle, ha="center")


def _canvas(width: int, height: int, title: str) -> Figure:
    width = max(width, _LEAST_WIDTH)
    colors = WIDE.palette
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor=colors.ground)
    told = {"fontsize": WIDE.title, "color": colors.ink, "weight": "bold", "va": "top"}
    figure.text(_MARGIN / width, 1 - 24 / height, title, **told)
    return figure


def _place(figure: Figure, pictures: np.ndarray, left: int, top: int) -> None:
    """Show pictures with their upper left corner at that device pixel, one array element to a device pixel."""
    width, height = (round(inches * DPI) for inches in figure.get_size_inches())
    rows, columns = pictures.shape[:2]
    axes = figure.add_axes((left / width, (height - top - rows) / height, columns / width, rows / height))
    # "none" puts the array itself into an SVG or a PDF
    axes.imshow(pictures, interpolation="none", aspect="auto")
    axes.set_axis_off()


def _write(figure: Figure, text: str, left: float, top: float, **options) -> None:
    width, height = figure.get_size_inches() * DPI
    told = {"fontsize": WIDE.text, "color": WIDE.palette.ink, "va": "center", **options}
    figure.text(left / width, 1 - top / height, text, **told)
