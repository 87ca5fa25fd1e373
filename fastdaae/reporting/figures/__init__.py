"""The figures, by what they show, and what all of them are drawn with: looks, style, grids of pictures, files."""

from fastdaae.reporting.figures import codes, files, looks, measures, pictures, projection, samples, style, training

__all__ = ["codes", "files", "looks", "measures", "pictures", "projection", "samples", "style", "training"]
