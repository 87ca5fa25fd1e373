"""Data sets: built-in ones by name, users' own images by path, always as a `Dataset` of train, validation and test."""

from fastdaae.data.catalogue import load, names
from fastdaae.data.dataset import Dataset, Split, as_images
from fastdaae.data.stand_in import stand_in

__all__ = ["Dataset", "Split", "as_images", "load", "names", "stand_in"]
