"""The built-in sets, and how a name or a path finds its data."""

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits as sklearn_digits

from fastdaae import data
from tests.data.small_sets import GREY, idx_bytes, refuses, save_images


def write_mnist(
    folder: Path, train: int = 60_000, test: int = 10_000, side: int = 28, labels: int | None = None
) -> None:
    """Sparse files of black images, whose labels are the position modulo 10."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", train), ("t10k", test)):
        with open(folder / f"{part}-images-idx3-ubyte", "wb") as file:
            file.write(bytes([0, 0, 8, 3]) + struct.pack(">3I", count, side, side))
            file.truncate(16 + count * side * side)
        numbers = (np.arange(labels or count) % 10).astype(np.uint8)
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(numbers)))


@pytest.mark.parametrize("folder", ["mnist", "."])
def test_mnist_in_a_subfolder_or_the_root_itself(tmp_path, monkeypatch, folder):
    write_mnist(tmp_path / folder)
    monkeypatch.setenv("FASTDAAE_DATA", str(tmp_path))
    for dataset in (data.load("mnist"), data.load("mnist", root=str(tmp_path))):
        assert [tuple(split.images.shape) for split in dataset[:3]] == [(n, 28, 28) for n in (50_000, 10_000, 10_000)]
        assert torch.equal(dataset.validation.labels, torch.arange(10_000) % 10)
        assert dataset.classes == tuple("0123456789")
        assert dataset.train.images.dtype == torch.uint8 and dataset.train.labels.dtype == torch.int64


def test_mnist_root_wins_over_the_environment(tmp_path, monkeypatch):
    write_mnist(tmp_path / "a" / "mnist")
    monkeypatch.setenv("FASTDAAE_DATA", str(tmp_path / "b"))
    refuses(lambda: data.load("mnist"), f"not found in {tmp_path}/b/mnist or {tmp_path}/b;", FileNotFoundError)
    assert data.load("mnist", root=tmp_path / "a").name == "mnist"


def test_mnist_missing_files(tmp_path, monkeypatch):
    monkeypatch.delenv("FASTDAAE_DATA", raising=False)
    what_to_do = "and pass root= or set FASTDAAE_DATA to its folder"
    refuses(
        lambda: data.load("mnist"),
        "mnist needs train-images-idx3-ubyte or train-images-idx3-ubyte.gz: no folder to look in; download it from "
        f"yann.lecun.com/exdb/mnist (md5 f68b3c2dcbeaaa9fbdd348bbdeb94873) {what_to_do}",
        FileNotFoundError,
    )
    refuses(
        lambda: data.load("fashion-mnist", tmp_path),
        "fashion-mnist needs train-images-idx3-ubyte or train-images-idx3-ubyte.gz: not found in "
        f"{tmp_path}/fashion-mnist or {tmp_path}; download it from "
        f"github.com/zalandoresearch/fashion-mnist (md5 8d4fb7e6c68d591d4c3dfef9ec88bf0d) {what_to_do}",
        FileNotFoundError,
    )
    write_mnist(tmp_path / "mnist")
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz").rename(tmp_path / "t10k-labels-idx1-ubyte.gz")
    refuses(
        lambda: data.load("mnist", tmp_path),
        "mnist needs t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz: not found in "
        + str(tmp_path / "mnist")
        + ";",
        FileNotFoundError,
    )


def test_mnist_is_never_read_as_fashion_mnist(tmp_path):
    write_mnist(tmp_path / "mnist")
    refuses(lambda: data.load("fashion-mnist", tmp_path / "mnist"), "not found in", FileNotFoundError)


def test_mnist_wrong_counts(tmp_path):
    write_mnist(tmp_path, train=20, test=20, labels=19)
    refuses(
        lambda: data.load("mnist", tmp_path),
        f"{tmp_path}/train-labels-idx1-ubyte.gz holds 19 labels, but {tmp_path}/train-images-idx3-ubyte holds 20 "
        "images; download both again",
    )
    write_mnist(tmp_path, side=8)
    refuses(
        lambda: data.load("mnist", tmp_path), "must hold mnist's images [60000, 28, 28], got [60000, 8, 8]; download"
    )


def test_labels_without_a_name_are_refused(tmp_path):
    write_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(
        gzip.compress(idx_bytes(np.arange(10_000, dtype=np.uint8) % 11))
    )
    where = f"labels in {tmp_path}/t10k-labels-idx1-ubyte.gz"
    refuses(lambda: data.load("mnist", tmp_path), f"{where} must be in 0..9, the places of the 10 classes, got 0..10")


@pytest.mark.needs_data
@pytest.mark.parametrize(
    ("name", "first", "mean"),
    [("mnist", [5, 0, 4, 1, 9, 2, 1, 3, 1, 4], 0.1307), ("fashion-mnist", [9, 0, 0, 3, 0, 2, 7, 2, 5, 5], 0.2860)],
)
def test_published_files(name, first, mean):
    dataset = data.load(name, root=os.environ["FASTDAAE_DATA"])
    assert dataset.name == name
    for split, count in zip(dataset[:3], (50_000, 10_000, 10_000), strict=True):
        assert split.images.shape == (count, 28, 28) and split.images.dtype == torch.uint8
        assert split.labels.shape == (count,) and split.labels.dtype == torch.int64
    assert dataset.train.labels[:10].tolist() == first
    assert (
        len(dataset.classes) == 10 and dataset.classes[first[0]] == {"mnist": "5", "fashion-mnist": "Ankle boot"}[name]
    )
    file_labels = torch.cat([dataset.train.labels, dataset.validation.labels])
    file_mean = torch.cat([dataset.train.images, dataset.validation.images]).double().mean().item() / 255
    assert file_mean == pytest.approx(mean, abs=1e-4)
    if name == "fashion-mnist":
        assert torch.bincount(file_labels).tolist() == [6000] * 10
    assert dataset.test.labels[:3].tolist() == ([7, 2, 1] if name == "mnist" else [9, 2, 1])


def test_digits():
    digits, published = data.load("digits"), sklearn_digits()
    assert [len(split.images) for split in digits[:3]] == [1297, 250, 250] and digits.classes == tuple("0123456789")
    images = torch.cat([split.images for split in digits[:3]])
    assert images.dtype == torch.uint8 and images.shape == (1797, 8, 8) and images.max() == 255
    # the published levels 0..16 come back exactly, in file order
    np.testing.assert_array_equal(np.rint(images.numpy() * (16 / 255)), published.images)
    assert set(np.unique(images[published.images == 8])) == {128}
    assert torch.cat([split.labels for split in digits[:3]]).tolist() == published.target.tolist()


def test_a_name_wins_over_a_folder_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(data.load(Path("digits")).train.images) == 1297
    save_images(tmp_path / "digits", GREY, [f"{row:02d}.png" for row in range(25)])
    assert len(data.load("digits").train.images) == 1297
    assert len(data.load("./digits").train.images) == len(data.load(Path("digits")).train.images) == 21


@pytest.mark.parametrize(
    ("given", "ending"),
    [
        ("minst", "got 'minst', which does not exist; did you mean 'mnist'?"),
        ("Fashion_MNIST", "got 'Fashion_MNIST', which does not exist; did you mean 'fashion-mnist'?"),
        ("imagenet", "got 'imagenet', which does not exist"),
        ("/no/such/file.npz", "got '/no/such/file.npz', which does not exist"),
        ("a" * 5000, "which does not exist"),
        ("\0", "which does not exist"),
        (__file__, "which is of another kind"),
    ],
)
def test_unknown_names(given, ending):
    known = f"name_or_path must be one of {', '.join(map(repr, data.names()))}, or the path of an .npy file, an .npz "
    refuses(lambda: data.load(given), known + "file or a folder of images, got ")
    with pytest.raises(ValueError) as caught:
        data.load(given)
    assert str(caught.value).endswith(ending)


def test_wrong_argument_types():
    refuses(lambda: data.load(7), "name_or_path must be a name or a path (str or Path), got int", TypeError)
    refuses(
        lambda: data.load("mnist", 7), "root must be the path of a folder (str or Path) or None, got int", TypeError
    )


def test_names_are_those_that_load_knows():
    assert data.names()[:3] == ["digits", "mnist", "fashion-mnist"] and len(set(data.names())) == 13
    data.names().clear()
    for name in data.names():
        assert data.stand_in(name, 40).name == name


PRINTED = """Dataset 'digits'
  train       1,297 images [8, 8], uint8 (value / 255), labels 0..9
  validation  250 images [8, 8], uint8 (value / 255), labels 0..9
  test        250 images [8, 8], uint8 (value / 255), labels 0..9
  classes     10: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"""
HALF = data.Split(torch.full((2, 3, 4, 4), 0.5))


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (data.load("digits"), PRINTED),
        (data.load("digits").test, "Split of 250 images [8, 8], uint8 (value / 255), labels 0..9"),
        (HALF, "Split of 2 images [3, 4, 4], float32 in 0.5..0.5, no labels"),
        (
            data.Dataset(HALF, None, HALF._replace(labels=torch.tensor([7, 3])), "own", ("a",) * 30),
            "Dataset 'own'\n  train       2 images [3, 4, 4], float32 in 0.5..0.5, no labels\n  validation  none\n"
            "  test        2 images [3, 4, 4], float32 in 0.5..0.5, labels 3..7\n"
            f"  classes     30: {'a, ' * 20}...",
        ),
        (
            data.Dataset(HALF, None, None, "own", None, ("bald", "old"), HALF),
            "Dataset 'own'\n  train       2 images [3, 4, 4], float32 in 0.5..0.5, no labels\n  validation  none\n"
            "  test        none\n  evaluation  2 images [3, 4, 4], float32 in 0.5..0.5, no labels\n"
            "  attributes  2: bald, old",
        ),
        # whatever a person puts there is told, not looked into
        (data.Split(GREY, [1, 2]), "Split of 25 images [6, 5], uint8 (value / 255), labels in a list"),
        (data.Split("images"), "Split of str []"),
        (data.Split(HALF.images[:0]), "Split of Tensor [0, 3, 4, 4]"),
    ],
)
def test_a_data_set_is_printed_in_a_few_words(one, expected):
    assert str(one) == repr(one) == expected
    assert isinstance(one, tuple)
