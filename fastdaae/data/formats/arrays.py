"""Arrays of .npy and .npz files: every header is read and weighed before the numbers are."""

import io
import math
import os
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np

from fastdaae.reading import open_regular, require_memory

ALONE = "images"  # what the one array of an .npy file is called
_MAX_HEADER = 10_000  # numpy's own bound on the length of a header's text
_LENGTH_BYTES = {(1, 0): 2, (2, 0): 4}
_HEADER_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # those that numpy writes


def array_names(path: str | os.PathLike) -> list[str]:
    """The names of the arrays in an .npz file, in the file's order; "images" for the one of an .npy file.

    Raises as `read_arrays` does.
    """
    path = Path(path)
    with open_regular(path) as file, _one_line_errors(path):
        return list(_container(file).sizes)


def read_arrays(path: str | os.PathLike, names: list[str] | None = None) -> dict[str, np.ndarray]:
    """{name: array} of an .npz file, all of them or those of `names`; an .npy file's one array is called "images".

    The content decides which of the two it is. Headers are read first: an array whose announced shape does not fit its
    file, or all together this machine's free memory, is refused before anything is unpacked; pickled objects are never
    loaded. Raises OSError for a file that cannot be opened, and ValueError, in one line with the file's name, for a
    damaged one.
    """
    path = Path(path)
    with open_regular(path) as file:
        with _one_line_errors(path):
            container = _container(file)
            names = list(container.sizes) if names is None else names
            memory = sum(_announced_memory(container, name) for name in names)
        require_memory(memory, f"reading {path}")
        with _one_line_errors(path):
            return {name: _read(container, name) for name in names}


def parse_array(content: bytes | bytearray, path: Path) -> np.ndarray:
    """The array whose .npy file has this content; raises as `read_arrays` does, with `path` for the file's name."""
    with _one_line_errors(path):
        container = _OneArray(io.BytesIO(content), len(content))
        _announced_memory(container, ALONE)
        return _read(container, ALONE)


@contextmanager
def _one_line_errors(path: Path) -> Iterator[None]:
    """What numpy, zipfile and zlib raise at a damaged file, a dozen kinds, becomes one kind and one line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python about the literals in a damaged header
            yield
    except Exception as error:
        told = " ".join(f"{type(error).__name__} {error}".split())
        raise ValueError(f"{path} cannot be read as {path.suffix or '.npy'}: {told}; save it again") from error


class _OneArray:
    """An .npy file: `sizes` {name: bytes}, and `stream` of a name."""

    def __init__(self, file: BinaryIO, size: int):
        self._file, self.sizes = file, {ALONE: size}

    def stream(self, name: str) -> AbstractContextManager[BinaryIO]:
        self._file.seek(0)
        return nullcontext(self._file)


class _Archive:
    """An .npz file: `sizes` {name: unpacked bytes, as announced}, and `stream` of a name."""

    def __init__(self, file: BinaryIO):
        self._zip = zipfile.ZipFile(file)
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in self._zip.infolist():
            name = member.filename.removesuffix(".npy")
            if name == member.filename or name in self._members or member.compress_type not in _METHODS:
                raise ValueError(f"the archive holds {member.filename!r} in a way that numpy.savez never writes")
            self._members[name] = member
        self.sizes = {name: member.file_size for name, member in self._members.items()}

    def stream(self, name: str) -> AbstractContextManager[IO[bytes]]:
        return self._zip.open(self._members[name])


def _container(file: BinaryIO) -> _OneArray | _Archive:
    start = file.read(4)
    file.seek(0)
    return (
        _Archive(file) if start in (b"PK\x03\x04", b"PK\x05\x06") else _OneArray(file, os.fstat(file.fileno()).st_size)
    )


def _announced_memory(container: _OneArray | _Archive, name: str) -> int:
    """The bytes of an array in memory; raises ValueError where its header does not fit the size of its file."""
    with container.stream(name) as stream:
        version = np.lib.format.read_magic(stream)
        if version not in _LENGTH_BYTES:
            raise ValueError(f"the version of the .npy format must be 1.0 or 2.0, got {version}")
        prefix = stream.read(_LENGTH_BYTES[version])
        length = int.from_bytes(prefix, "little")
        if length > _MAX_HEADER:
            raise ValueError(f"the header must have at most {_MAX_HEADER:,} bytes, and announces {length:,}")
        text = stream.read(length)
    shape, _, dtype = _HEADER_READERS[version](io.BytesIO(prefix + text))
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded: they are pickled")
    memory = math.prod(shape) * dtype.itemsize
    data = container.sizes[name] - np.lib.format.MAGIC_LEN - len(prefix) - length
    if min(shape, default=0) < 0 or memory != data:
        raise ValueError(f"the header announces {list(shape)} of {dtype}, {memory:,} bytes, and {data:,} bytes follow")
    return memory


def _read(container: _OneArray | _Archive, name: str) -> np.ndarray:
    with container.stream(name) as stream:
        array = np.lib.format.read_array(stream, allow_pickle=False)
        stream.read(1)  # the end of an archive's member, where zipfile compares the checksum
    return array
