"""The .mat files of MATLAB 5 to 7: matrices of real numbers, and cells of them, each bound checked before it is used.

scipy's reader believes the type codes of a file, and a damaged one can end the process. Source: MathWorks, MAT-File
Format, "Level 5 MAT-File Format".
"""

import struct
import zlib
from collections.abc import Iterator
from math import prod

import numpy as np

from fastdaae.reading import require_memory

_HEADER = 128
_ORDERS = {b"IM": "<", b"MI": ">"}  # the mark at the header's end, as it is read byte by byte
_MATRIX, _COMPRESSED = 14, 15
# what numbers are stored as, by the number of their type
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_CELL, _NUMBERS = 1, range(6, 16)  # classes of arrays
_COMPLEX = 0x0800
_MOST_DIMENSIONS = 32


def is_level_5(content: bytes | bytearray) -> bool:
    """Whether a file begins as those of MATLAB 5 to 7 do."""
    return len(content) >= _HEADER and bytes(content[_HEADER - 2 : _HEADER]) in _ORDERS


def parse_variable(content: bytes | bytearray, name: str) -> np.ndarray | list[np.ndarray]:
    """The variable called `name` of a file's content: a matrix of real numbers in its own dtype, or a list of cells.

    Cells come in MATLAB's order, column by column, and hold matrices alone. Unpacked sizes are compared with the free
    memory first. Raises KeyError where there is no such variable, and ValueError, struct.error or zlib.error for what
    is damaged or of another kind.
    """
    order = _ORDERS[bytes(content[_HEADER - 2 : _HEADER])]
    for kind, data in _elements(memoryview(content)[_HEADER:], order):
        if kind == _COMPRESSED:
            ((kind, data),) = _elements(_unpacked(data, order), order)
        if kind == _MATRIX and _name(data, order) == name:
            return _cells(data, order) if _flags(data, order) & 0xFF == _CELL else _numbers(data, order)
    raise KeyError(f"no variable {name}")


def _elements(content: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """(type, data) of one element after another: a tag of eight bytes or, for a few bytes of data, of four."""
    at = 0
    while at < len(content):
        (kind,) = struct.unpack_from(f"{order}I", content, at)
        small = kind >> 16
        size = small or struct.unpack_from(f"{order}I", content, at + 4)[0]
        start = at + (4 if small else 8)
        if start + size > len(content) or small > 4:
            raise ValueError(f"{size:,} bytes are announced, and {max(0, len(content) - start):,} follow")
        yield kind & 0xFFFF if small else kind, content[start : start + size]
        at = start + size + (0 if kind == _COMPRESSED else -size % (4 if small else 8))


def _unpacked(data: memoryview, order: str) -> memoryview:
    """A packed element, which says in its first eight bytes how long it is."""
    packed = zlib.decompressobj()
    tag = packed.decompress(data, 8)
    _, size = struct.unpack(f"{order}II", tag)
    require_memory(2 * size, "unpacking a variable")
    return memoryview(tag + packed.decompress(packed.unconsumed_tail, size))


def _parts(data: memoryview, order: str, count: int) -> list[tuple[int, memoryview]]:
    elements = list(_elements(data, order))
    if len(elements) < count:
        raise ValueError(f"a matrix of {len(elements)} parts")
    return elements


def _flags(data: memoryview, order: str) -> int:
    return struct.unpack_from(f"{order}I", _parts(data, order, 3)[0][1])[0]


def _name(data: memoryview, order: str) -> str:
    return bytes(_parts(data, order, 3)[2][1]).decode("latin-1")


def _shape(data: memoryview, order: str) -> tuple[int, ...]:
    """The sizes of the dimensions, of which there are at least two."""
    dimensions = _parts(data, order, 3)[1][1]
    count = len(dimensions) // 4
    shape = struct.unpack_from(f"{order}{count}i", dimensions)
    if not 2 <= count <= _MOST_DIMENSIONS or min(shape) < 0:
        raise ValueError(f"a matrix of shape {list(shape)}")
    return shape


def _numbers(data: memoryview, order: str) -> np.ndarray:
    flags, shape = _flags(data, order), _shape(data, order)
    if flags & 0xFF not in _NUMBERS or flags & _COMPLEX:
        raise ValueError("a matrix of real numbers expected, got another class of array")
    kind, stored = _parts(data, order, 4)[3]
    if kind not in _STORED:
        raise ValueError(f"numbers of an unknown type, {kind}")
    dtype = np.dtype(f"{order}{_STORED[kind]}")
    if len(stored) != prod(shape) * dtype.itemsize:
        raise ValueError(f"{list(shape)} numbers of {dtype} are announced, and {len(stored):,} bytes follow")
    return np.frombuffer(stored, dtype).reshape(shape, order="F")


def _cells(data: memoryview, order: str) -> list[np.ndarray]:
    cells = _parts(data, order, 3)[3:]
    if len(cells) != prod(_shape(data, order)) or any(kind != _MATRIX for kind, _ in cells):
        raise ValueError(f"cells {list(_shape(data, order))} are announced, and {len(cells)} matrices follow")
    return [_numbers(cell, order) for _, cell in cells]
