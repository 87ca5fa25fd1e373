"""The idx format of the MNIST files: a big-endian header of sizes, then the bytes."""

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import numpy as np

_UNSIGNED_BYTES = b"\x00\x00\x08"
_MAX_DIMENSIONS = 8
_CHUNK = 1 << 20


def read_idx(path: str | PathLike, dimensions: int | None = None) -> np.ndarray:
    """The array of an idx file of unsigned bytes, gzipped or not: uint8, shaped as its header says.

    `dimensions` is the number of dimensions that the header must announce (images 3, labels 1), if given. Raises
    ValueError, naming the file and the bytes expected and found, when the file is damaged: wrong magic number,
    truncated header or body, trailing bytes, broken gzip stream. Source: yann.lecun.com/exdb/mnist, "the IDX file
    format".
    """
    path = Path(path)
    content, found, problem = _read(path)
    if len(content) >= 4:
        _check_magic(path, bytes(content[:4]), dimensions)
    expected = _promised_bytes(content)
    if problem is not None or found != expected:
        reason = problem or ("truncated" if found < expected else "trailing bytes")
        raise ValueError(
            f"{path} is damaged ({reason}): {expected} bytes expected, {found} bytes found; download it again"
        )
    sizes = _sizes(content)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(sizes)).reshape(sizes)


def _read(path: Path) -> tuple[bytearray, int, str | None]:
    """What the header promises and at most a chunk more, the number of bytes in all, and what broke the gzip stream."""
    content, found = bytearray(), 0
    try:
        for chunk in _chunks(path):
            # a damaged file may unpack to far more than its header promises: the rest is counted, not kept
            if found < _promised_bytes(content):
                content += chunk
            found += len(chunk)
    except EOFError:
        return content, found, "truncated gzip stream"
    except (zlib.error, gzip.BadGzipFile):
        return content, found, "corrupt gzip stream"
    return content, found, None


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        # by content, not by name: browsers unpack downloads and keep the .gz
        stream = gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == b"\x1f\x8b" else file
        while chunk := stream.read1(_CHUNK):
            yield chunk


def _check_magic(path: Path, magic: bytes, dimensions: int | None) -> None:
    allowed = range(1, _MAX_DIMENSIONS + 1) if dimensions is None else (dimensions,)
    if magic[:3] == _UNSIGNED_BYTES and magic[3] in allowed:
        return
    count = f"01..{_MAX_DIMENSIONS:02x}" if dimensions is None else f"{dimensions:02x}"
    raise ValueError(
        f"{path} is not the expected idx file: first bytes 00 00 08 {count} (unsigned bytes, number of dimensions) "
        f"expected, {magic.hex(' ')} found; download it again"
    )


def _sizes(content: bytearray) -> tuple[int, ...]:
    return struct.unpack_from(f">{content[3]}I", content, 4)


def _promised_bytes(content: bytearray) -> int:
    """The length that the header announces, as far as the header is there."""
    if len(content) < 4 or not content.startswith(_UNSIGNED_BYTES):
        return 4
    header = 4 + 4 * content[3]
    return header if len(content) < header else header + math.prod(_sizes(content))
