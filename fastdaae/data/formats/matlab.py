"""Matrices and cells of matrices from .mat files; those of MATLAB 7.3 are HDF5, and need h5py."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

import numpy as np

from fastdaae.data.formats.matlab5 import is_level_5, parse_variable
from fastdaae.reading import open_regular, require_memory

_HDF5 = b"\x89HDF\r\n\x1a\n"
_AT = (0, 512)  # where HDF5 begins, without and with MATLAB's own header


def read_matrix(path: str | PathLike, name: str) -> np.ndarray:
    """The real matrix called `name` in a .mat file, float64, [rows, columns, ...] as MATLAB has them.

    Announced sizes are compared with the free memory first. Raises OSError for a file that cannot be opened, and
    ValueError, in one line with the file's name, for a damaged one, and where there is no such matrix.
    """
    path = Path(path)
    if _is_hdf5(path):
        with _hdf5(path) as file, _one_line_errors(path):
            return _stored(file[name])
    found = _variable(path, name)
    with _one_line_errors(path):
        if isinstance(found, list):
            raise TypeError(f"{name} must be a matrix, got cells")
        return found.astype(np.float64)


def read_cells(path: str | PathLike, name: str, at_most: int) -> list[np.ndarray]:
    """The real matrices, `at_most` numbers in all, in the row or column of cells called `name`; as `read_matrix`."""
    path = Path(path)
    if _is_hdf5(path):
        with _hdf5(path) as file, _one_line_errors(path):
            stored = [file[reference] for reference in np.ravel(file[name][()])]
            _require_few(sum(cell.size for cell in stored), at_most)
            return [_stored(cell) for cell in stored]
    found = _variable(path, name)
    with _one_line_errors(path):
        if not isinstance(found, list):
            raise TypeError(f"{name} must be cells, got a matrix")
        _require_few(sum(cell.size for cell in found), at_most)
        return [cell.astype(np.float64) for cell in found]


def _is_hdf5(path: Path) -> bool:
    with open_regular(path) as file:
        start = file.read(_AT[-1] + len(_HDF5))
    return any(start[at : at + len(_HDF5)] == _HDF5 for at in _AT)


def _variable(path: Path, name: str) -> np.ndarray | list[np.ndarray]:
    with open_regular(path) as file:
        require_memory(3 * os.fstat(file.fileno()).st_size, f"reading {path}")
        content = file.read()
    with _one_line_errors(path):
        if not is_level_5(content):
            raise ValueError("neither a file of MATLAB 5 to 7 nor one of 7.3")
        return parse_variable(content, name)


@contextmanager
def _hdf5(path: Path) -> Iterator:
    try:
        import h5py
    except ImportError as error:
        raise ValueError(f"{path} is a file of MATLAB 7.3, which needs h5py; pip install h5py") from error
    with open_regular(path) as file:
        with _one_line_errors(path):
            opened = h5py.File(file, "r")
        with opened:
            yield opened


def _stored(matrix) -> np.ndarray:
    """A matrix stored in HDF5, where the dimensions run the other way."""
    require_memory(2 * 8 * matrix.size, f"reading {matrix.name}")
    array = matrix[()]
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        raise TypeError(f"numbers expected, got {getattr(array, 'dtype', type(array).__name__)}")
    return array.astype(np.float64).T


def _require_few(count: int, at_most: int) -> None:
    if count > at_most:
        raise ValueError(f"at most {at_most:,} numbers expected, got {count:,}")


@contextmanager
def _one_line_errors(path: Path) -> Iterator[None]:
    """What a damaged file makes struct, zlib and h5py raise, a dozen kinds, becomes one kind and one line."""
    try:
        yield
    except Exception as error:
        told = " ".join(f"{type(error).__name__} {error}".split())
        raise ValueError(f"{path} cannot be read as .mat: {told}; download it again") from error
