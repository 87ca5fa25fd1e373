"""Omniglot: its split by drawer, exact shrinking, and its files in the three forms that there are."""

import os
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from fastdaae import data
from fastdaae.data.sets.omniglot import shrunk
from tests.data.sets.published import omniglot_arrays, omniglot_bits, omniglot_pictures, png, zipped
from tests.data.small_sets import refuses

COUNTS = {"background": 5, "evaluation": 3}
BITS = omniglot_bits(COUNTS)
PICTURES = {part: omniglot_pictures(part, bits) for part, bits in BITS.items()}
CLASSES = (*(f"Alpha/character{number:02d}" for number in (1, 2, 3)), *(f"Beta/character{n:02d}" for n in (1, 2)))
ALPHABETS = ["Alpha", "Beta", "Gamma"]
ARRAYS = {key: array for part, bits in BITS.items() for key, array in omniglot_arrays(part, bits, ALPHABETS).items()}
ARRAYS["alphabet_names"] = np.array(ALPHABETS)


@pytest.fixture(autouse=True)
def few_characters(monkeypatch):
    monkeypatch.setattr("fastdaae.data.sets.omniglot._PARTS", COUNTS)


def as_zips(root, pictures=PICTURES) -> None:
    for part, members in pictures.items():
        zipped(root / f"images_{part}.zip", members)


def as_folders(root) -> None:
    for members in PICTURES.values():
        for name, content in members.items():
            path = root / "omniglot" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


FORMS = {
    "zips": as_zips,
    "folders": as_folders,
    "npz": lambda root: np.savez_compressed(root / "omniglot_105_bits.npz", **ARRAYS),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_split_of_the_paper_from_every_form(tmp_path, form):
    FORMS[form](tmp_path)
    dataset = data.load_omniglot(tmp_path, size=105)
    assert dataset.validation is None and dataset.name == "omniglot"
    assert dataset.classes == CLASSES
    assert torch.bincount(dataset.train.labels).tolist() == [19] * 5 and dataset.test.labels.tolist() == [*range(5)]
    assert torch.bincount(dataset.evaluation.labels).tolist() == [20] * 3
    # the archives' characters go from alphabet to alphabet, and the classes by name
    by_class = BITS["background"].reshape(5, 20, 105, 105)[[0, 2, 4, 1, 3]] * np.uint8(255)
    np.testing.assert_array_equal(dataset.train.images, by_class[:, :19].reshape(-1, 105, 105))
    np.testing.assert_array_equal(dataset.test.images, by_class[:, 19])
    np.testing.assert_array_equal(dataset.evaluation.images, BITS["evaluation"] * np.uint8(255))


def test_the_first_characters_alone(tmp_path):
    FORMS["npz"](tmp_path)
    dataset, first = data.load("omniglot", tmp_path), data.load("omniglot", tmp_path, classes=2)
    assert first.classes == dataset.classes[:2]
    for part in ("train", "test", "evaluation"):
        whole, cut = getattr(dataset, part), getattr(first, part)
        kept = whole.labels < 2
        assert torch.equal(cut.images, whole.images[kept]) and torch.equal(cut.labels, whole.labels[kept])


@pytest.mark.parametrize("size", [1, 3, 28, 64, 105])
def test_shrinking_is_the_exact_mean_over_an_area(size):
    bits = BITS["background"][:2]
    images = shrunk(np.packbits(bits, axis=2), size)
    # every pixel as size x size equal ones, of which a new pixel has 105 x 105
    fine = bits.repeat(size, axis=1).repeat(size, axis=2).reshape(2, size, 105, size, 105)
    means = fine.sum(axis=(2, 4), dtype=np.int64) * 255 / 105**2
    assert abs(images - means).max() <= 0.5
    assert images.dtype == np.uint8 and shrunk(np.full((1, 105, 14), 255, np.uint8), size).min() == 255


def npz(root, **changed) -> None:
    arrays = {key: array for key, array in (ARRAYS | changed).items() if array is not None}
    np.savez(root / "omniglot_105_bits.npz", **arrays)


def npz_of(root, content: bytes) -> None:
    (root / "omniglot_105_bits.npz").write_bytes(content)


def pictures(root, **changed) -> None:
    """The archives with another content for the first background picture, or another name."""
    first, *_ = PICTURES["background"]
    members = dict(PICTURES["background"])
    content = members.pop(first)
    members[changed.get("name", first)] = changed.get("content", content)
    as_zips(root, PICTURES | {"background": members})


def encrypted(root) -> None:
    as_zips(root)
    path = root / "images_background.zip"
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02") + 8
    content[at] |= 1
    content[6] |= 1
    path.write_bytes(content)


HUGE = png(Image.new("1", (9_000, 9_000)))
DAMAGED = {
    "no array": (lambda root: npz(root, background_drawer=None), ".npz: KeyError 'background_drawer'"),
    "other bits": (lambda root: npz(root, background_bits=ARRAYS["background_bits"][:, 1:]), "background_bits uint8 ["),
    "a float": (lambda root: npz(root, background_drawer=np.ones(100)), "whole numbers [100] for each of background's"),
    "no name": (lambda root: npz(root, alphabet_names=np.array(["Alpha"])), "a name for each alphabet"),
    "drawer twice": (
        lambda root: npz(root, background_drawer=np.ones(100, np.uint8)),
        "must hold 5 characters by 20 drawers each, named as published",
    ),
    "cut npz": (lambda root: npz_of(root, b"PK\3\4" + bytes(99)), "cannot be read as .npz"),
    "other name": (lambda root: pictures(root, name="images_background/a.png"), "5 characters by 20 drawers each"),
    "other drawer": (
        lambda root: pictures(root, name="images_background/Alpha/character01/0001_21.png"),
        "5 characters by 20 drawers each",
    ),
    "no picture": (lambda root: pictures(root, content=b"<html>"), "0001_01.png cannot be read as an image: "),
    "small": (lambda root: pictures(root, content=png(Image.new("1", (9, 9)))), "01.png must hold 105 x 105 bits"),
    "grey": (lambda root: pictures(root, content=png(Image.new("L", (105, 105)))), "01.png must hold 105 x 105 bits"),
    "bomb": (lambda root: pictures(root, content=HUGE), "pixels, and at most 11,025 were expected"),
    "large": (lambda root: pictures(root, content=bytes(1 << 17)), "pictures of 105 x 105 bits, and not images"),
    "more": (lambda root: (pictures(root), add(root)), "must hold 100 pictures, and no more"),
    "no zip": (lambda root: (as_zips(root), (root / "images_background.zip").write_bytes(b"")), "hold a zip archive"),
    "encrypted": (encrypted, "must hold a whole picture images_background/Alpha/character01/0001_01.png"),
}  # fmt: skip


def add(root) -> None:
    with zipfile.ZipFile(root / "images_background.zip", "a") as archive:
        archive.writestr("images_background/Alpha/character01/0101_01.png", next(iter(PICTURES["background"].values())))


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_files(tmp_path, case):
    damage, told = DAMAGED[case]
    damage(tmp_path)
    refuses(lambda: data.load_omniglot(tmp_path), told)
    refuses(lambda: data.load_omniglot(tmp_path), f"{tmp_path}/")


def test_missing_files_and_other_sizes(tmp_path):
    sums = "(md5 68d2efa1b9178cc56df9314c21c6e718) and pass root= or set FASTDAAE_DATA to its folder"
    told = f"omniglot needs images_background.zip or images_background: not found in {tmp_path}/omniglot or "
    for message in (told, sums):
        refuses(lambda: data.load("omniglot", tmp_path), message, FileNotFoundError)
    zipped(tmp_path / "images_background.zip", PICTURES["background"])
    refuses(lambda: data.load("omniglot", tmp_path), "needs images_evaluation.zip or images_eval", FileNotFoundError)
    refuses(lambda: data.load_omniglot(tmp_path, size=106), "size must be a whole number in 1..105, got 106")
    refuses(lambda: data.load("omniglot", tmp_path, sizes=3), "options of omniglot must be one of size, classes, got")
    refuses(lambda: data.load("digits", sizes=3), "options of digits must be left out, as it has none, got 'sizes'")


@pytest.mark.needs_data
def test_the_published_files(monkeypatch):
    monkeypatch.undo()
    dataset = data.load("omniglot", os.environ["FASTDAAE_DATA"])
    assert [len(part.images) for part in (dataset.train, dataset.test, dataset.evaluation)] == [18_316, 964, 13_180]
    assert torch.bincount(dataset.train.labels).tolist() == [19] * 964
    assert torch.bincount(dataset.evaluation.labels).tolist() == [20] * 659
    assert dataset.classes[0] == "Alphabet_of_the_Magi/character01" and len(dataset.classes) == 964
    ink = torch.cat([dataset.train.images, dataset.test.images]).double().mean().item() / 255
    assert ink == pytest.approx(0.078, abs=0.0005)
    assert dataset.evaluation.images.double().mean().item() / 255 == pytest.approx(0.084, abs=0.0005)
