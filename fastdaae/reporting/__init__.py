"""What a person looks at: a run's report on one HTML page, and grids of images."""

from fastdaae.reporting.build import build
from fastdaae.reporting.pictures import image_grid

__all__ = ["build", "image_grid"]
