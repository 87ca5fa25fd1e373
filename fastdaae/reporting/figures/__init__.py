"""The figures, by what they show, and what all of them are drawn with: looks, style, grids of pictures, files."""

from fastdaae.reporting.figures import (
    codes,
    distributions,
    files,
    looks,
    matrices,
    measures,
    pictures,
    projection,
    samples,
    style,
    training,
)

__all__ = [
    "codes",
    "distributions",
    "files",
    "looks",
    "matrices",
    "measures",
    "pictures",
    "projection",
    "samples",
    "style",
    "training",
]
