"""Samples of any generator, from the file that it wrote."""

from pathlib import Path

from torch import Tensor

from fastdaae import run_folder
from fastdaae.data import Dataset
from fastdaae.data.dataset import as_samples
from fastdaae.data.formats.arrays import array_names, read_arrays


def read_samples(path: Path, name: str | None) -> Tensor:
    """The samples [N, D] of an .npy file, of one array of an .npz file (by default its last), or of a run's folder.

    Raises FileNotFoundError, and ValueError for a file without that array or with what are no samples.
    """
    if path.is_dir() and (path / run_folder.CONFIG).exists():
        path = path / run_folder.SAMPLES
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; `fastdaae sample` writes such files")
    names = array_names(path)
    if not names:
        raise ValueError(f"{path} must hold an array of samples, got an empty archive; write it again")
    name = name or names[-1]
    if name not in names:
        raise ValueError(f"--array must be one of {', '.join(names)} in {path}, got {name!r}")
    return as_samples(read_arrays(path, [name])[name], f"{name} in {path}")


def require_pixels(samples: Tensor, path: Path, dataset: Dataset, data: str) -> None:
    """Raises ValueError unless samples [N, D] have as many pixels as the images of a data set."""
    pixels = dataset.train.images[0].numel()
    if samples.shape[1] != pixels:
        raise ValueError(f"{path} must hold samples of {pixels} pixels as {data} does, got {samples.shape[1]}")
