"""What a person looks at: a run's report on one HTML page, that of a recipe's result, and grids of images."""

from fastdaae.reporting.build import build
from fastdaae.reporting.figures.pictures import image_grid
from fastdaae.reporting.of_run import report
from fastdaae.reporting.reproduction import reproduction
from fastdaae.reporting.run_data import dataset_of_run

__all__ = ["build", "dataset_of_run", "image_grid", "report", "reproduction"]
