"""The idx format: what is read back, and what every damage is called."""

import gzip

import numpy as np
import pytest

from fastdaae.data.formats.idx import read_idx
from tests.data.small_sets import GREY, RNG, idx_bytes, refuses


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("shape", [(7,), (3, 4, 5), (0, 28, 28)])
def test_idx_round_trip(tmp_path, pack, shape):
    array = RNG.integers(0, 256, shape, dtype=np.uint8)
    (tmp_path / "a.gz").write_bytes(pack(idx_bytes(array)))  # the content decides, whatever the name says
    found = read_idx(tmp_path / "a.gz")
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, array)


def test_idx_larger_than_a_read_chunk(tmp_path):
    array = RNG.integers(0, 256, (3, 1 << 20), dtype=np.uint8)
    (tmp_path / "a").write_bytes(idx_bytes(array))
    (tmp_path / "b").write_bytes(gzip.compress(idx_bytes(array), 1))
    np.testing.assert_array_equal(read_idx(str(tmp_path / "a")), array)
    np.testing.assert_array_equal(read_idx(tmp_path / "b"), array)


GOOD = idx_bytes(GREY)  # 16 + 750 bytes


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is damaged (truncated): 4 bytes expected, 0 bytes found; download it again"),
        (GOOD[:3], "is damaged (truncated): 4 bytes expected, 3 bytes found; download it again"),
        (GOOD[:9], "is damaged (truncated): 16 bytes expected, 9 bytes found; download it again"),
        (GOOD[:700], "is damaged (truncated): 766 bytes expected, 700 bytes found; download it again"),
        (GOOD + b"xy", "is damaged (trailing bytes): 766 bytes expected, "),
        (
            GOOD + bytes(3 << 20),
            "is damaged (trailing bytes): 766 bytes expected, ",
        ),
        (
            bytes([0, 0, 8, 3]) + b"\xff" * 12,
            f"is damaged (truncated): {16 + (2**32 - 1) ** 3} bytes expected, ",
        ),
        (
            b"<html>" * 200,
            "is not the expected idx file: first bytes 00 00 08 01..08 (unsigned bytes, number of dimensions) "
            "expected, 3c 68 74 6d found; download it again",
        ),
        (b"\0\0\x0d" + GOOD[3:], "expected, 00 00 0d 03 found"),
        (b"\0\0\x08\0", "expected, 00 00 08 00 found"),
        (b"\0\0\x08\x09" + bytes(36), "expected, 00 00 08 09 found"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_damage(tmp_path, pack, content, message):
    path = tmp_path / "images-idx3-ubyte"
    path.write_bytes(pack(content))
    refuses(lambda: read_idx(path), f"{path} {message}" if message.startswith("is") else message)


def test_idx_number_of_dimensions(tmp_path):
    (tmp_path / "labels").write_bytes(idx_bytes(GREY[0, 0]))
    refuses(lambda: read_idx(tmp_path / "labels", 3), "first bytes 00 00 08 03 (unsigned bytes, number of dimensions)")


def test_idx_broken_gzip(tmp_path):
    packed = gzip.compress(GOOD, mtime=0)
    path = tmp_path / "images.gz"
    for length in range(2, len(packed)):
        path.write_bytes(packed[:length])
        refuses(lambda: read_idx(path), f"{path} is damaged (truncated gzip stream): ")
    path.write_bytes(packed[:-8] + bytes(8))  # wrong checksum and length
    refuses(lambda: read_idx(path), "(corrupt gzip stream): 766 bytes expected, 766 bytes found; download it again")
    path.write_bytes(packed[:3] + b"\xff" * 40)
    refuses(lambda: read_idx(path), f"{path} is damaged (")


@pytest.mark.parametrize("content", [GOOD, gzip.compress(GOOD, mtime=0)])
def test_idx_any_changed_byte_is_refused_or_read(tmp_path, content):
    path = tmp_path / "images"
    for position in range(min(len(content), 120)):
        path.write_bytes(content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :])
        try:
            assert read_idx(path).size == GREY.size
        except ValueError as error:
            assert str(path) in str(error) and "download it again" in str(error)
