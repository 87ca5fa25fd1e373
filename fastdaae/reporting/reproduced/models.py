"""The models that a result's cells trained, loaded from their runs, and the data that they were trained on."""

import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import torch

from fastdaae import models, run_config, run_folder
from fastdaae.data import Dataset, Split
from fastdaae.reporting.drawing import Subject
from fastdaae.reporting.reproduced.result import FINISHED, SHARED, Result, folders
from fastdaae.reporting.run_data import dataset_of_run

_MOST = 9


def subjects(result: Result) -> list[tuple[str, Subject]]:
    """(title, subject) of up to nine models that make images, of each cell's first finished seed, if they load.

    The name of a subject's data is "" where its run names none that is here: then its images are blank.
    """
    read: dict[str, Dataset] = {}
    found: list[tuple[str, str, Subject]] = []
    for title, folder in _runs(result):
        if len(found) == _MOST:
            break
        try:
            config = run_config.read_config(folder, "pictures of its model")
            model = models.load(folder)
        except (ValueError, TypeError, OSError):  # networks of one's own, or an unfinished run
            continue
        shape = getattr(model, "image_shape", None)
        if shape is not None and not hasattr(model, "classify"):
            dataset = _dataset(folder, config, shape, read)
            found.append((title, folder.name, Subject(model, dataset, "test", [], [], "", 0)))
    counts = Counter(title for title, _, _ in found)
    return [(title if counts[title] == 1 else f"{title}: {part}", subject) for title, part, subject in found]


def _runs(result: Result) -> Iterator[tuple[str, Path]]:
    """(title, folder) of the runs of each cell's first finished seed, which may be several, and of those shared."""
    for cell in result.cells:
        run = next((run for run in cell.runs if run.state == FINISHED), None)
        if run is not None:
            parts = [run.folder] if _is_run(run.folder) else folders(run.folder)
            yield from ((cell.title, part) for part in parts if _is_run(part))
    for shared in folders(result.folder / SHARED):
        yield from ((shared.name, part) for part in [part for part in folders(shared) if _is_run(part)][:1])


def _is_run(folder: Path) -> bool:
    return (folder / run_folder.CONFIG).exists()


def _dataset(folder: Path, config: dict, shape: tuple[int, ...], read: dict[str, Dataset]) -> Dataset:
    """The run's data, each set read once; blank images where they are not here."""
    blank = Split(torch.zeros(1, *shape, dtype=torch.uint8, device="cpu"))
    nothing = Dataset(blank, None, blank, "")
    try:
        noted = run_config.read_data_notes(folder, config)
        name = repr(noted)
        if name not in read:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                read[name] = dataset_of_run(folder, config, root=noted.root)
    except (ValueError, TypeError, OSError):
        return nothing
    images = read[name].test
    return read[name] if images is not None and tuple(images.images.shape[1:]) == tuple(shape) else nothing
