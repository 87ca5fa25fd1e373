"""The idx format of the MNIST files: a big-endian header of sizes, then the bytes."""

import gzip
import math
import os
import struct
import zlib
from io import BufferedReader
from os import PathLike
from pathlib import Path

import numpy as np

from fastdaae.reading import open_regular, require_memory

_UNSIGNED_BYTES = b"\x00\x00\x08"
_MAX_DIMENSIONS = 8
_CHUNK = 1 << 20
_DEFLATE_RATIO = 1032  # what gzip can shrink at most (zlib.net/zlib_tech.html)


def read_idx(path: str | PathLike, dimensions: int | None = None) -> np.ndarray:
    """The array of an idx file of unsigned bytes, gzipped or not: uint8, shaped as its header says.

    `dimensions` is the number of dimensions that the header must announce (images 3, labels 1), if given. The header is
    read first, and no more is unpacked than it announces, nor that if it is more than the free memory. Raises
    OSError for a file that cannot be opened, and ValueError, naming the file and the bytes expected and found, when it
    is damaged: wrong magic number, truncated header or body, trailing bytes, broken gzip stream. Source:
    yann.lecun.com/exdb/mnist, "the IDX file format".
    """
    path = Path(path)
    with open_regular(path) as file:
        # by content, not by name: browsers unpack downloads and keep the .gz
        packed = file.peek(2)[:2] == b"\x1f\x8b"
        content = _Content(path, gzip.GzipFile(fileobj=file) if packed else file)
        magic = content.take(4)
        _check_magic(path, magic, dimensions)
        sizes = struct.unpack(f">{magic[3]}I", content.take(4 * magic[3]))
        content.announced += math.prod(sizes)
        content.require_size(os.fstat(file.fileno()).st_size, _DEFLATE_RATIO if packed else 1)
        require_memory(content.announced, f"reading {path}")
        body = content.take(0)
        content.require_end()
    return np.frombuffer(body, np.uint8).reshape(sizes)


class _Content:
    """A file's content, unpacked as far as it is asked for; what is wrong with it is told with both byte counts."""

    def __init__(self, path: Path, stream: BufferedReader | gzip.GzipFile):
        self._path, self._stream = path, stream
        self._found, self.announced = 0, 0

    def take(self, more: int) -> bytearray:
        """The bytes up to what is announced, after `more` have been added to it."""
        self.announced += more
        content = self._read(self.announced - self._found)
        if self._found < self.announced:
            raise self._damaged("truncated", str(self._found))
        return content

    def require_size(self, size: int, ratio: int) -> None:
        """What is announced can be in a file of `size` bytes that unpacks to at most `ratio` times that."""
        if self.announced > ratio * size:
            raise self._damaged("truncated", str(size) if ratio == 1 else f"at most {ratio * size}")

    def require_end(self) -> None:
        """What follows is noticed, not unpacked: it may be far more than the header promises."""
        if self._read(1):
            raise self._damaged("trailing bytes", f"more than {self.announced}")

    def _read(self, count: int) -> bytearray:
        content = bytearray()
        try:
            while len(content) < count and (chunk := self._stream.read1(min(_CHUNK, count - len(content)))):
                content += chunk
                self._found += len(chunk)
        except EOFError:
            raise self._damaged("truncated gzip stream", str(self._found)) from None
        except (zlib.error, gzip.BadGzipFile):
            raise self._damaged("corrupt gzip stream", str(self._found)) from None
        return content

    def _damaged(self, reason: str, found: str) -> ValueError:
        return ValueError(
            f"{self._path} is damaged ({reason}): {self.announced} bytes expected, {found} bytes found; download it "
            "again"
        )


def _check_magic(path: Path, magic: bytearray, dimensions: int | None) -> None:
    allowed = range(1, _MAX_DIMENSIONS + 1) if dimensions is None else (dimensions,)
    if magic[:3] == _UNSIGNED_BYTES and magic[3] in allowed:
        return
    count = f"01..{_MAX_DIMENSIONS:02x}" if dimensions is None else f"{dimensions:02x}"
    raise ValueError(
        f"{path} is not the expected idx file: first bytes 00 00 08 {count} (unsigned bytes, number of dimensions) "
        f"expected, {magic.hex(' ')} found; download it again"
    )
