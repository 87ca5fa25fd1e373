"""What a person looks at: a run's report on one HTML page, and grids of images."""

from fastdaae.report.build import build
from fastdaae.report.pictures import image_grid

__all__ = ["build", "image_grid"]
