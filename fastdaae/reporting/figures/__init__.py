"""The figures, by what they show, and what all of them are drawn with: looks, style, grids of pictures, files."""

from fastdaae.reporting.figures import (
    beside,
    codes,
    distributions,
    files,
    looks,
    matrices,
    measures,
    pictures,
    projection,
    robustness,
    samples,
    style,
    training,
)

__all__ = [
    "beside",
    "codes",
    "distributions",
    "files",
    "looks",
    "matrices",
    "measures",
    "pictures",
    "projection",
    "robustness",
    "samples",
    "style",
    "training",
]
