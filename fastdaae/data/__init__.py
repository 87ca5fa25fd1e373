"""Data sets: named ones, users' own images by path, always as a `Dataset` of train, validation and test."""

from fastdaae.data.catalogue import load, names
from fastdaae.data.dataset import Dataset, Split, as_images
from fastdaae.data.sets.celeba import load_celeba
from fastdaae.data.sets.omniglot import load_omniglot
from fastdaae.data.sets.patches import load_patches
from fastdaae.data.sets.sprites import load_sprites
from fastdaae.data.stand_in import stand_in

__all__ = [
    "Dataset",
    "Split",
    "as_images",
    "load",
    "load_celeba",
    "load_omniglot",
    "load_patches",
    "load_sprites",
    "names",
    "stand_in",
]
