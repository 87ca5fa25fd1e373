"""Files that promise more than they hold, or more than memory holds, and images on another scale."""

import gzip
import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from fastdaae import data, reading
from fastdaae.cli.work.sample_files import read_samples
from fastdaae.data.dataset import as_samples
from fastdaae.data.formats.arrays import array_names, read_arrays
from fastdaae.data.formats.idx import read_idx

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (25, 6, 5), dtype=np.uint8)


def header(shape, descr: str = "|u1", version: int = 1, length: int | None = None) -> bytes:
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode().ljust(117) + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(text) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + text


@pytest.fixture
def little_memory(monkeypatch):
    monkeypatch.setattr(reading, "available_memory", lambda: 10_000_000)


def refused(call, *words: str) -> None:
    with pytest.raises(ValueError) as caught:
        call()
    assert "\n" not in str(caught.value) and all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (header((10**12,)), "the header announces [1000000000000] of uint8, 1,000,000,000,000 bytes, and 0 bytes"),
        (header((3, -1)), "the header announces [3, -1]"),
        (header((1 << 62, 1 << 62), "<f8") + bytes(80), "and 80 bytes follow"),
        (header((0, 10**30)) + bytes(1), "and 1 bytes follow"),
        (header((8,), "|O") + bytes(64), "Object arrays cannot be loaded"),
        (header((8,), version=2, length=(1 << 32) - 1), "at most 10,000 bytes, and announces 4,294,967,295"),
        (header((8,), version=9), "must be 1.0 or 2.0, got (9, 0)"),
        (header("(" * 90), "shape is not valid"),
        (b"\x93NUMPY\x01\x00" + struct.pack("<H", 6000) + b"-" * 5999 + b"1", "cannot be read as .npy"),
        (b"\x93NUMPY", "cannot be read as .npy"),
        (b"\x93NUMPY\x01\x00\xff", "cannot be read as .npy"),
    ],
)
def test_an_array_s_header_is_compared_with_its_file(tmp_path, content, words):
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    refused(lambda: data.load(path), str(path), words)
    archive = tmp_path / "a.npz"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.npy", content)
    refused(lambda: data.load(archive), str(archive), words.replace(".npy", ".npz"))


def bomb(path: Path, count: int) -> Path:
    """An .npz file of `count` zeros, a thousandth of their size."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("x.npy", "w") as member:
        member.write(header((count // 100, 100)))
        for _ in range(count >> 20):
            member.write(bytes(1 << 20))
    return path


def test_an_archive_is_weighed_before_it_is_unpacked(tmp_path, little_memory, monkeypatch):
    path = bomb(tmp_path / "a.npz", 100 << 20)
    assert path.stat().st_size < 1 << 20
    monkeypatch.setattr(np.lib.format, "read_array", lambda *_, **__: pytest.fail("unpacked"))
    told = (f"reading {path} needs 104.9 MB", "this machine has 10.0 MB of memory free")
    refused(lambda: data.load(path), *told)
    refused(lambda: read_samples(path, None), *told)


def test_all_arrays_of_an_archive_are_weighed_together(tmp_path, little_memory):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, train_images=np.zeros((600, 10_000), np.uint8), test_images=np.zeros((600, 10_000)))
    assert array_names(path) == ["train_images", "test_images"]
    refused(lambda: read_arrays(path), "54.0 MB")
    assert read_arrays(path, ["train_images"])["train_images"].shape == (600, 10_000)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_archives_that_numpy_does_not_write(tmp_path, method):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr("x.npy", header((25, 30)) + GREY.tobytes())
    refused(lambda: data.load(path), "in a way that numpy.savez never writes")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("read me.txt", "images")
    refused(lambda: data.load(path), "'read me.txt'", "numpy.savez never writes")


def test_an_archive_whose_directory_lies_about_a_size(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=GREY)
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\x01\x02") + 24  # the unpacked size in the central directory
    for size in (0, 500, 1 << 30, (1 << 32) - 2):
        content[place : place + 4] = struct.pack("<I", size)
        path.write_bytes(content)
        refused(lambda: data.load(path), f"{path} cannot be read as .npz")


def idx_header(*sizes: int) -> bytes:
    return bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes)


def test_a_gzip_bomb_stops_where_the_idx_header_ends(tmp_path, monkeypatch):
    path = tmp_path / "images.gz"
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(idx_header(4, 28, 28)) + b"".join(packer.compress(bytes(1 << 20)) for _ in range(512))
    path.write_bytes(packed + packer.flush())
    read, unpacked = gzip.GzipFile.read1, []

    def counted(self, size=-1):
        unpacked.append(read(self, size))
        return unpacked[-1]

    monkeypatch.setattr(gzip.GzipFile, "read1", counted)
    refused(lambda: read_idx(path), "(trailing bytes): 3152 bytes expected, more than 3152 bytes found; download it")
    assert sum(map(len, unpacked)) == 3153


def test_the_number_of_dimensions_may_be_numpy_s(tmp_path):
    (tmp_path / "labels").write_bytes(idx_header(5) + bytes(5))
    assert read_idx(tmp_path / "labels", np.int64(1)).shape == (5,)
    refused(lambda: read_idx(tmp_path / "labels", np.int64(3)), "first bytes 00 00 08 03")


def test_an_idx_file_is_weighed_before_it_is_unpacked(tmp_path, little_memory):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx_header(20, 1 << 20) + bytes(20 << 20)))
    refused(lambda: read_idx(path), f"reading {path} needs 21.0 MB")
    path.write_bytes(gzip.compress(idx_header(1 << 30, 1 << 30)))
    refused(lambda: read_idx(path), "is damaged (truncated)", "at most")


def test_pictures_are_weighed_before_they_are_decoded(tmp_path, monkeypatch):
    from PIL import Image

    for number in range(12):
        Image.new("L", (2000, 1000)).save(tmp_path / f"{number}.png")
    monkeypatch.setattr(reading, "available_memory", lambda: 20_000_000)
    refused(lambda: data.load(tmp_path), "reading 12 images of 2000 x 1000 pixels needs 24.0 MB")


@pytest.mark.parametrize("place", [0, 11])
def test_a_picture_that_announces_gigabytes(tmp_path, place):
    from PIL import Image

    for number in range(12):
        Image.fromarray(GREY[number]).save(tmp_path / f"{number:02d}.png")
    path = tmp_path / f"{place:02d}.png"
    content = bytearray(path.read_bytes())
    for side in (11_000, 60_000, (1 << 31) - 1):
        content[16:24] = struct.pack(">II", side, side)
        content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
        path.write_bytes(content)
        refused(lambda: data.load(tmp_path), str(path))


def test_links_to_nothing_and_to_themselves(tmp_path):
    from PIL import Image

    for number in range(12):
        Image.fromarray(GREY[number]).save(tmp_path / f"{number:02d}.png")
    (tmp_path / "around").symlink_to(tmp_path)
    assert len(data.load(tmp_path).train.images) == 10
    for target in ("loop.png", "nowhere.png"):
        (tmp_path / "loop.png").symlink_to(tmp_path / target)
        with pytest.raises(OSError, match=r"loop\.png"):
            data.load(tmp_path)
        (tmp_path / "loop.png").unlink()


UNIT = RNG.random((12, 4))


@pytest.mark.parametrize(
    ("array", "kind", "words"),
    [
        (UNIT * 2 - 1, ValueError, "these look like values in [-1, 1]: use (x + 1) / 2"),
        (UNIT * 255, ValueError, "these look like grey levels 0..255: divide by 255, or save them as uint8"),
        (np.rint(UNIT / UNIT.max() * 16), ValueError, "grey levels: divide by their greatest, 16 as it seems"),
        ((UNIT * 255).astype(int), TypeError, "save them as uint8, or divide by 255"),
        ((UNIT > 0.5).astype(int), TypeError, "these are integers 0..1: convert with .astype(numpy.float32)"),
        ((UNIT > 0.5).astype(np.uint8), ValueError, "must be uint8 grey levels 0..255, got 0..1; multiply by 255"),
        (UNIT > 0.5, TypeError, "convert with .astype(numpy.float32)"),
        ((UNIT * 9000).astype(np.int32) - 7, TypeError, "map them to floats in [0, 1]"),
        (UNIT * 9000, ValueError, "rescale them to [0, 1]"),
        (UNIT * np.nan, ValueError, "must be finite, got 48 NaN or infinite of 48 values"),
    ],
)
def test_images_and_samples_on_another_scale(tmp_path, array, kind, words):
    path = tmp_path / "a.npy"
    np.save(path, array)
    for call in (lambda: data.load(path), lambda: read_samples(path, None), lambda: as_samples(array)):
        with pytest.raises(kind) as caught:
            call()
        assert words in str(caught.value)


def test_samples_of_an_unbounded_decoder_may_stray():
    strays = UNIT * 1.6 - 0.3
    points = as_samples(strays.reshape(12, 2, 2))
    assert points.dtype == torch.float64 and torch.equal(points, torch.from_numpy(strays))
    assert as_samples(GREY).dtype == torch.uint8 and as_samples(GREY).shape == (25, 30)


def test_available_memory_is_the_least_that_is_known(monkeypatch):
    assert 0 < reading.available_memory() < 1 << 50
    monkeypatch.setattr(reading, "_group_memory", lambda: 7)
    assert reading.available_memory() == 7
    monkeypatch.setattr(reading, "_free_memory", lambda: None)
    monkeypatch.setattr(reading, "_group_memory", lambda: None)
    monkeypatch.setattr(reading, "_address_space", lambda: None)
    assert reading.available_memory() is None
    reading.require_memory(1 << 60, "anything")


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, kind in ((tmp_path / "pipe", "a pipe"), (tmp_path, "a folder"), (Path("/dev/zero"), "a device")):
        refused(lambda path=path: read_idx(path), f"{path} must be a regular file, got {kind}")
