"""What is fuzzed of the named data sets: small files in their published formats, and all that reads them."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import io as matlab

import fastdaae as fd
from fastdaae.data.formats.matlab import read_cells, read_matrix
from fastdaae.data.formats.tables import read_table
from tests.data.sets import published

Read = Callable[[Path, bytes], None]


def set_kinds(folder: Path) -> dict[str, tuple[list[bytes], Read]]:
    """{name: (examples of whole files, what writes and reads one)}; `folder` is for archives in the making."""
    images, labels, records = published.cifar_records(3)
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    binary = published.tarred(folder / "binary.tar.gz", {f"{name}.bin": records for name in names})
    pickles = [published.cifar_pickle(images, labels, python2=python2) for python2 in (True, False)]
    python = published.tarred(folder / "python.tar.gz", dict.fromkeys(names, pickles[0]))
    return {
        "pickle": (pickles, _read_pickle),
        "tar": ([binary.read_bytes()], _read_archive("cifar-10-binary.tar.gz")),
        "tar of pickles": ([python.read_bytes()], _read_archive("cifar-10-python.tar.gz")),
        "matlab": (_matlab(), _read_matlab),
        "table": ([b"1 a.png\n2 b.png\n"], _read_table),
    }


def _read_pickle(place: Path, content: bytes) -> None:
    (place / "data_batch_1").write_bytes(content)
    (place / "test_batch.bin").write_bytes(published.cifar_records(3)[2])
    fd.data.load("cifar-10", place)


def _read_archive(name: str) -> Read:
    def read(place: Path, content: bytes) -> None:
        (place / name).write_bytes(content)
        fd.data.load("cifar-10", place)

    return read


def _matlab() -> list[bytes]:
    cells = np.empty((1, 2), object)
    cells[0, 0], cells[0, 1] = np.ones((3, 2)), np.zeros((3, 1))
    made = []
    for compressed in (False, True):
        file = io.BytesIO()
        matlab.savemat(file, {"a": np.arange(6.0).reshape(2, 3), "b": cells}, do_compression=compressed)
        made.append(file.getvalue())
    return made


def _read_matlab(place: Path, content: bytes) -> None:
    (place / "a.mat").write_bytes(content)
    try:
        read_matrix(place / "a.mat", "a")
    finally:
        read_cells(place / "a.mat", "b", 100)


def _read_table(place: Path, content: bytes) -> None:
    (place / "images.txt").write_bytes(content)
    read_table(place / "images.txt", 2)
