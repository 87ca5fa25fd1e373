"""CIFAR-10 in all the forms that it is published in, and pickles and archives that are out for more."""

import gzip
import lzma
import os
import pickle

import numpy as np
import pytest
import torch

from fastdaae import data
from tests.data.sets.published import cifar_pickle, cifar_records, tarred
from tests.data.small_sets import refuses

NAMES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
BATCHES = {name: cifar_records(20, seed) for seed, name in enumerate(NAMES)}
BINARY = {f"{name}.bin": content for name, (_, _, content) in BATCHES.items()}
PYTHON = {name: cifar_pickle(images, labels) for name, (images, labels, _) in BATCHES.items()}
PYTHON3 = {name: cifar_pickle(images, labels, python2=False) for name, (images, labels, _) in BATCHES.items()}


def write(folder, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


FORMS = {
    "binary": lambda root: write(root / "cifar-10" / "cifar-10-batches-bin", BINARY),
    "binary, gzip": lambda root: write(root, {f"{name}.gz": gzip.compress(file) for name, file in BINARY.items()}),
    "binary, xz": lambda root: write(root / "cifar-10", {f"{n}.xz": lzma.compress(file) for n, file in BINARY.items()}),
    "python 2": lambda root: write(root / "cifar-10-batches-py", PYTHON),
    "python 3": lambda root: write(root / "cifar-10", PYTHON3),
    "binary archive": lambda root: tarred(
        root / "cifar-10-binary.tar.gz", {f"cifar-10-batches-bin/{name}": file for name, file in BINARY.items()}
    ),
    "python archive": lambda root: tarred(
        root / "cifar-10-python.tar.gz", {f"cifar-10-batches-py/{name}": file for name, file in PYTHON.items()}
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same(tmp_path, form):
    FORMS[form](tmp_path)
    dataset = data.load("cifar-10", tmp_path)
    # batches of 20 instead of 10,000 are a part
    assert dataset.name == "cifar-10 (a part)" and dataset.classes[:2] == ("airplane", "automobile")
    images, labels = (np.concatenate([BATCHES[name][kind] for name in NAMES[:5]]) for kind in (0, 1))
    np.testing.assert_array_equal(torch.cat([dataset.train.images, dataset.validation.images]), images)
    np.testing.assert_array_equal(torch.cat([dataset.train.labels, dataset.validation.labels]), labels)
    np.testing.assert_array_equal(dataset.test.images, BATCHES["test_batch"][0])
    assert [len(split.images) for split in dataset[:3]] == [90, 10, 20]
    assert dataset.train.images.dtype == torch.uint8 and dataset.train.labels.dtype == torch.int64


@pytest.mark.parametrize("left_out", [["data_batch_2.bin"], ["data_batch_2.bin", "data_batch_5.bin"]])
def test_a_part_says_so(tmp_path, left_out):
    write(tmp_path, {name: content for name, content in BINARY.items() if name not in left_out})
    dataset = data.load("cifar-10", tmp_path)
    assert dataset.name == "cifar-10 (a part)" and len(dataset.test.images) == 20
    assert len(dataset.train.images) + len(dataset.validation.images) == 20 * (5 - len(left_out))


@pytest.mark.parametrize("left", [[], ["test_batch.bin"], ["data_batch_1.bin"]])
def test_missing_batches(tmp_path, left):
    write(tmp_path, {name: BINARY[name] for name in left})
    wanted = "test_batch" if left == ["data_batch_1.bin"] else "data_batch_1"
    told = f"cifar-10 needs {wanted}.bin or {wanted}.bin.xz or {wanted} or cifar-10-binary.tar.gz or "
    refuses(lambda: data.load("cifar-10", tmp_path), told, FileNotFoundError)
    sums = "(md5 c32a1d4ab5d03f1284b67883e8d87530, md5 c58f30108f718f92721af3b95e74349a) and pass root="
    refuses(lambda: data.load("cifar-10", tmp_path), sums, FileNotFoundError)


class Evil:
    def __reduce__(self):
        return os.system, ("touch broken-in",)


ONE = BINARY["data_batch_1.bin"]
PICKLED = PYTHON["data_batch_1"]
DAMAGED = {
    "cut record": ("data_batch_1.bin", ONE[:-1], "must hold records of 3,073 bytes, a label and 3,072 pixels each"),
    "empty": ("data_batch_1.bin", b"", "must hold records of 3,073 bytes"),
    "too long": ("data_batch_1.bin", bytes(30_730_001), "at most 30,730,000 bytes expected, and more found"),
    "label 10": ("data_batch_1.bin", b"\x0a" + ONE[1:], "must be in 0..9, the places of the 10 classes, got "),
    "cut gzip": ("data_batch_1.bin.gz", gzip.compress(ONE)[:-9], "cannot be unpacked: EOFError"),
    "cut xz": ("data_batch_1.bin.xz", lzma.compress(ONE)[:-9], "cannot be unpacked: EOFError"),
    "flipped xz": ("data_batch_1.bin.xz", lzma.compress(ONE)[:99] + bytes(99_999), "cannot be unpacked: "),
    "bomb": ("data_batch_1.bin.gz", gzip.compress(bytes(40_000_000), 1), "at most 30,730,000 bytes expected"),
    "pickled call": ("data_batch_1", pickle.dumps({"data": Evil(), "labels": []}, 2), "posix.system is neither an"),
    "old opcodes": ("data_batch_1", b"cposix\nsystem\n(S'touch broken-in'\ntR.", "STRING is not what arrays"),
    "far memory": ("data_batch_1", b"\x80\x02}r\xff\xff\xff\x7f.", "LONG_BINPUT is not what arrays are pickled with"),
    "instance": ("data_batch_1", b"\x80\x02cbuiltins\nlist\n)\x81.", "NEWOBJ is not what arrays are pickled with"),
    "extension": ("data_batch_1", b"\x80\x02\x82\x01.", "EXT1 is not what arrays are pickled with"),
    "cut pickle": ("data_batch_1", PICKLED[:-3], "cannot be read as a batch: "),
    "no labels": ("data_batch_1", pickle.dumps({"data": 3}, 2), "KeyError 'labels'"),
    "no array": ("data_batch_1", pickle.dumps({"data": 3, "labels": []}, 2), "cannot be read as a batch: "),
    "a list": ("data_batch_1", pickle.dumps([1, 2], 2), "cannot be read as a batch: "),
    "objects": (
        "data_batch_1",
        pickle.dumps({"data": np.array([[None] * 3072]), "labels": [1]}, 4),
        "data must be bytes [N, 3072] in C order, got 'O8'",
    ),
    "fewer labels": ("data_batch_1", PICKLED.replace(b"q\x05(K", b"q\x05(K\x01K", 1), "20 images with labels of"),
    "wrong shape": ("data_batch_1", PICKLED.replace(b"J\x14\0\0\0", b"J\x15\0\0\0", 1), "cannot be read as a batch: "),
    "cut archive": ("cifar-10-binary.tar.gz", gzip.compress(bytes(100)), "cannot be unpacked: "),
    "no archive": ("cifar-10-python.tar.gz", b"<html>" * 300, "cannot be unpacked: ReadError"),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_files(tmp_path, case, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, content, told = DAMAGED[case]
    (tmp_path / name).write_bytes(content)
    refuses(lambda: data.load("cifar-10", tmp_path), told)
    refuses(lambda: data.load("cifar-10", tmp_path), f"{tmp_path}/{name}")
    assert not (tmp_path / "broken-in").exists()


def test_archives_reach_no_further(tmp_path):
    """Names that lead out of the archive are names like others: nothing is written. Sizes are believed to a point."""
    outside = {f"../../{name}": content for name, content in BINARY.items()}
    tarred(tmp_path / "cifar-10-binary.tar.gz", outside)
    before = sorted(tmp_path.parent.rglob("*.bin"))
    assert len(data.load("cifar-10", tmp_path).test.images) == 20
    assert sorted(tmp_path.parent.rglob("*.bin")) == before
    tarred(tmp_path / "cifar-10-binary.tar.gz", {"data_batch_1.bin": bytes(30_730_001)})
    refuses(lambda: data.load("cifar-10", tmp_path), "data_batch_1.bin must have at most 30,730,000 bytes, got 30,730,")
    with gzip.open(tmp_path / "cifar-10-binary.tar.gz", "wb", 1) as file:
        # a header of a member whose name alone is said to have 8 GB
        file.write(b"././@LongLink".ljust(124, b"\0") + b"77777777777\0" + bytes(12) + b"        L".ljust(364, b"\0"))
        for _ in range(400):
            file.write(bytes(1 << 20))
    refuses(lambda: data.load("cifar-10", tmp_path), "cannot be unpacked: ")


@pytest.mark.needs_data
def test_the_published_part():
    dataset = data.load("cifar-10")
    images = torch.cat([dataset.train.images, dataset.validation.images])
    assert (
        dataset.name == "cifar-10 (a part)" and images.shape == (10_000, 3, 32, 32) and len(dataset.test.images) == 1000
    )
    # of the whole training set (125.3, 123.0, 113.9), of which this is a fifth
    assert images.double().mean((0, 2, 3)).tolist() == pytest.approx([125.3, 123.0, 113.9], rel=0.01)
