"""The data set of a run: the one that is given, or the one that the run notes, compared with what it was trained on."""

import math
import os
import warnings
from os import PathLike
from pathlib import Path

from fastdaae import data as data_sets
from fastdaae import run_config
from fastdaae.data import Dataset
from fastdaae.training.batches import fingerprint


def dataset_of_run(
    run_dir: str | Path, config: dict, data: Dataset | str | PathLike | None = None, root: str | PathLike | None = None
) -> Dataset:
    """The Dataset `data`, or of that name or path, or by default the one that the run's configuration notes.

    `root` is the folder of data sets; by default the environment's, then the one that the run notes. Warns where its
    training images are not those of the run. Raises ValueError where neither names one and for images of another size,
    and what `data.load` raises.
    """
    run_dir = Path(run_dir)
    if not isinstance(data, Dataset):
        options: dict = {}
        if data is None:
            data, recorded, options = run_config.read_data_notes(run_dir, config)
            root = root or (None if os.environ.get("FASTDAAE_DATA") else recorded)
        data = data_sets.load(data, root=root, **options)
    _require_size(run_dir, config, data)
    _warn_of_other_images(run_dir, config, data)
    return data


def _require_size(run_dir: Path, config: dict, dataset: Dataset) -> None:
    shape, known = tuple(dataset.train.images.shape[1:]), run_config.image_shape(config)
    if known is not None and math.prod(known) != math.prod(shape):
        raise ValueError(
            f"data must be images of the shape {list(known)}, as {run_dir} was trained on, and {dataset.name} "
            f"has {list(shape)}; choose other data"
        )


def _warn_of_other_images(run_dir: Path, config: dict, dataset: Dataset) -> None:
    trained_on = config.get("data")
    if trained_on is None:
        return
    # of a model that was trained on labels, they are a part of it
    found = fingerprint(dataset.train.images, dataset.train.labels if " labels " in trained_on else None)
    if found != trained_on:
        warnings.warn(
            f"{run_dir} was trained on other images than those of {dataset.name}: then {trained_on}, now {found}",
            stacklevel=4,
        )
