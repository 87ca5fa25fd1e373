"""Files of MATLAB: every type that numbers are stored as, in both byte orders, packed and not, and damaged ones."""

import io
import struct

import numpy as np
import pytest
from scipy import io as matlab

from fastdaae.data.formats.matlab import read_cells, read_matrix
from tests.data.small_sets import refuses

RNG = np.random.default_rng(9)
MATRICES = {
    "double": RNG.normal(size=(3, 4)),
    "single": RNG.normal(size=(2, 3, 4)).astype(np.float32),
    "empty": np.zeros((0, 3)),
    "one": np.array([[7]], np.uint8),  # so few bytes stand in their tag
    **{dtype: RNG.integers(-5, 5, (5, 2)).astype(dtype) for dtype in ("int8", "int16", "int32", "int64")},
    **{dtype: RNG.integers(0, 250, (1, 9)).astype(dtype) for dtype in ("uint8", "uint16", "uint32", "uint64")},
}


def written(compressed: bool = False, **variables) -> bytes:
    file = io.BytesIO()
    matlab.savemat(file, variables, do_compression=compressed)
    return file.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
def test_matrices_are_read_as_scipy_wrote_them(tmp_path, compressed):
    (tmp_path / "a.mat").write_bytes(written(compressed, **MATRICES))
    for name, matrix in MATRICES.items():
        found = read_matrix(tmp_path / "a.mat", name)
        assert found.dtype == np.float64 and found.shape == matrix.shape
        np.testing.assert_array_equal(found, matrix)


def test_cells_are_read_column_by_column(tmp_path):
    cells = np.empty((2, 2), object)
    for row in range(2):
        for column in range(2):
            cells[row, column] = np.full((row + 1, column + 1), 10.0 * row + column)
    (tmp_path / "a.mat").write_bytes(written(cells=cells))
    found = read_cells(tmp_path / "a.mat", "cells", 9)
    assert [(cell.shape, cell[0, 0]) for cell in found] == [((1, 1), 0), ((2, 1), 10), ((1, 2), 1), ((2, 2), 11)]
    refuses(lambda: read_cells(tmp_path / "a.mat", "cells", 8), "at most 8 numbers expected, got 9; download it again")


def test_big_endian_files(tmp_path):
    parts = (6, struct.pack(">II", 6, 0)), (5, struct.pack(">ii", 1, 3)), (1, b"a"), (3, b"\0\1\0\2\1\0")
    body = b"".join(
        struct.pack(">II", kind, len(data)) + data.ljust(-(-len(data) // 8) * 8, b"\0") for kind, data in parts
    )
    header = b"MATLAB 5.0".ljust(124) + b"\x01\x00MI"
    (tmp_path / "a.mat").write_bytes(header + struct.pack(">II", 14, len(body)) + body)
    assert read_matrix(tmp_path / "a.mat", "a").tolist() == [[1, 2, 256]]


WHOLE = written(a=np.arange(6.0).reshape(2, 3))
DAMAGED = {
    "cut": (WHOLE[:-1], "bytes are announced, and "),
    "cut packed": (written(True, a=np.arange(600.0))[:-9], "bytes are announced, and "),
    "flipped packed": (written(True, a=np.arange(600.0)).replace(b"x\x9c", b"x\x9d"), "error Error -3 while decomp"),
    "other type": (WHOLE[:176] + b"\xff" + WHOLE[177:], "numbers of an unknown type, "),
    "other shape": (WHOLE[:160] + b"\x03" + WHOLE[161:], "[3, 3] numbers of float64 are announced, and 48 by"),
    "below 0": (WHOLE[:160] + b"\xff\xff\xff\xff" + WHOLE[164:], "a matrix of shape [-1, 3]"),
    "few parts": (WHOLE[:132] + b"\x10" + WHOLE[133:], "a matrix of "),
    "text": (written(a="abc"), "a matrix of real numbers expected"),
    "cells": (written(a=np.array([["b", 1.0]], object)), "cannot be read as .mat: "),
    "other name": (written(b=1.0), "KeyError 'no variable a'"),
    "level 4": (b"\0\0\0\0\2\0\0\0" + bytes(200), "neither a file of MATLAB 5 to 7 nor one of 7.3"),
    "empty": (b"", "neither a file of MATLAB 5 to 7 nor one of 7.3"),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_files(tmp_path, case):
    content, told = DAMAGED[case]
    (tmp_path / "a.mat").write_bytes(content)
    refuses(lambda: read_matrix(tmp_path / "a.mat", "a"), told)
    refuses(lambda: read_matrix(tmp_path / "a.mat", "a"), f"{tmp_path}/a.mat cannot be read as .mat: ")


def test_what_is_announced_is_weighed_first(tmp_path, monkeypatch):
    (tmp_path / "a.mat").write_bytes(written(True, a=np.zeros(1_000_000)))
    monkeypatch.setattr("fastdaae.reading.available_memory", lambda: 4_000_000)
    refuses(lambda: read_matrix(tmp_path / "a.mat", "a"), "unpacking a variable needs 16.0 MB, and this machine has")
