"""Files that are gzipped or under xz, and members of tar archives: unpacked as far as is expected, and no further."""

import gzip
import lzma
import tarfile
import zlib
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from fastdaae.reading import open_regular

_CHUNK = 1 << 20
_GZIP, _XZ = b"\x1f\x8b", b"\xfd7zXZ\x00"
_DAMAGE = (EOFError, OSError, MemoryError, zlib.error, lzma.LZMAError, tarfile.TarError)
_OVERHEAD = 1 << 20  # what a small archive's headers and padding may take beside its files


def read_packed(path: str | PathLike, at_most: int) -> bytearray:
    """A file's content, unpacked where its first bytes are those of gzip or xz: at most so many bytes.

    Raises OSError for a file that cannot be opened, and ValueError, in one line with the file's name, for a damaged
    one and for one that holds more.
    """
    path = Path(path)
    with open_regular(path) as file:
        try:
            content = _read(_unpacked(file), at_most + 1)
        except _DAMAGE as error:
            raise _damaged(path, error) from error
    if len(content) > at_most:
        raise ValueError(f"{path} is damaged: at most {at_most:,} bytes expected, and more found; download it again")
    return content


def read_members(path: str | PathLike, sizes: Mapping[str, int]) -> dict[str, bytearray]:
    """{name: content} of the files in a tar archive, packed or not, that are called so in whatever folder there.

    `sizes` has the names and the most bytes of each; nothing is written anywhere, and the archive is unpacked only as
    far as all of them together could reach, and other files of as much. Raises as `read_packed` does; a member that is
    not there is left out.
    """
    path = Path(path)
    found: dict[str, bytearray] = {}
    with open_regular(path) as file:
        bounded = _Bounded(_unpacked(file), 2 * sum(sizes.values()) + _OVERHEAD)
        try:
            with tarfile.open(fileobj=bounded, mode="r|") as archive:  # type: ignore[call-overload]  # only read is used
                for member in archive:
                    name = member.name.rpartition("/")[2]
                    if not member.isreg() or name not in sizes or name in found:
                        continue
                    if member.size > sizes[name]:
                        raise tarfile.TarError(f"{name} must have at most {sizes[name]:,} bytes, got {member.size:,}")
                    stream = archive.extractfile(member)
                    assert stream is not None  # it is a regular file
                    found[name] = _read(stream, member.size)
        except (*_DAMAGE, ValueError) as error:  # the last of numbers in a damaged header
            raise _damaged(path, error) from error
    return found


class _Bounded:
    """A stream that is read up to a limit: headers of an archive may announce any length."""

    def __init__(self, stream: BinaryIO, limit: int):
        self._stream, self._left = stream, limit

    def read(self, count: int) -> bytes:
        content = self._stream.read(min(count, self._left + 1))
        self._left -= len(content)
        if self._left < 0:
            raise tarfile.TarError("it holds far more than what is published")
        return content


def _unpacked(file) -> BinaryIO:
    start = file.peek(len(_XZ))
    if start.startswith(_GZIP):
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    return lzma.LZMAFile(file) if start.startswith(_XZ) else file  # type: ignore[return-value]


def _read(stream: BinaryIO, count: int) -> bytearray:
    content = bytearray()
    while len(content) < count and (chunk := stream.read(min(_CHUNK, count - len(content)))):
        content += chunk
    return content


def _damaged(path: Path, error: BaseException) -> ValueError:
    told = " ".join(f"{type(error).__name__} {error}".split())
    return ValueError(f"{path} cannot be unpacked: {told}; download it again")
