"""Users' own arrays: as image data, and from .npy and .npz files."""

import numpy as np
import pytest
import torch

from fastdaae import data
from tests.data.small_sets import GREY, LABELS, RNG, assert_split_80_10_10, refuses


def test_as_images_keeps_uint8_and_shares_memory():
    array = GREY.copy()
    images = data.as_images(array)
    array[0, 0, 0] ^= 255
    assert images.dtype == torch.uint8 and images[0, 0, 0] == array[0, 0, 0]
    tensor = torch.from_numpy(array)
    assert data.as_images(tensor).data_ptr() == tensor.data_ptr()


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4", ">f8"])
def test_as_images_makes_floats_float32(dtype):
    array = (RNG.integers(0, 1025, (4, 7)) / 1024).astype(dtype)  # exact in every one of these dtypes
    images = data.as_images(array)
    assert images.dtype == torch.float32
    np.testing.assert_array_equal(images.numpy(), array.astype(np.float32))


def test_as_images_accepts_awkward_memory(recwarn):
    frozen = GREY.copy()
    frozen.flags.writeable = False
    for array in (frozen, GREY[::-1], GREY.transpose(2, 0, 1), GREY[:, ::2]):
        np.testing.assert_array_equal(data.as_images(array).numpy(), array)
    images = data.as_images(torch.rand(3, 4, dtype=torch.bfloat16, requires_grad=True))
    assert images.dtype == torch.float32 and not images.requires_grad
    assert not recwarn.list


BOUNDS = np.linspace(0, 1, 8).reshape(2, 4)


@pytest.mark.parametrize(
    ("array", "kind", "message"),
    [
        ([[0, 1]], TypeError, "images must be a numpy array or a torch tensor, got list; convert with numpy.stack"),
        (GREY.astype(int), TypeError, "images must be uint8 or floats in [0, 1], got dtype int64; these are integers "),
        (GREY > 9, TypeError, "got dtype bool; convert with .astype(numpy.float32)"),
        (torch.ones(2, 2).int(), TypeError, "torch.int32; these are integers 1..1: convert with .float()"),
        (torch.ones(2, 2).bool(), TypeError, "got dtype torch.bool; convert with .float()"),
        (np.array([["a", "b"]]), TypeError, "got dtype <U1; convert"),
        (BOUNDS.astype(complex), TypeError, "got dtype complex128; convert"),
        (BOUNDS[0], ValueError, "images must have at least 2 dimensions [N, ...], got [4]; reshape to [N, D]"),
        (np.full((), 3, np.uint8), ValueError, "images must have at least 2 dimensions [N, ...], got []; reshape"),
        (GREY[:0], ValueError, "images must hold at least one image of one pixel, got shape [0, 6, 5]; drop this set"),
        (np.zeros((3, 0)), ValueError, "images must hold at least one image of one pixel, got shape [3, 0]"),
        (
            np.where(BOUNDS > 0.8, np.nan, BOUNDS),
            ValueError,
            "images must be finite, got 2 NaN or infinite of 8 values; remove or replace them",
        ),
        (torch.tensor([[0.5, -torch.inf]]), ValueError, "images must be finite, got 1 NaN or infinite of 2 values"),
        (
            BOUNDS * 2 - 0.5,
            ValueError,
            "images must hold floats in [0, 1], got 4 of 8 values outside, range -0.5..1.5; rescale them "
            "to [0, 1], or clip what strays with numpy.clip(x, 0, 1)",
        ),
    ],
)
def test_as_images_refusals(array, kind, message):
    refuses(lambda: data.as_images(array), message, kind)


def test_as_images_accepts_the_bounds():
    assert data.as_images(BOUNDS)[0, 0] == 0 and data.as_images(BOUNDS)[1, 3] == 1
    told = "queries must hold floats in [0, 1], got 1 of 8 values outside, range 0..1.0000000000000002; rescale"
    refuses(lambda: data.as_images(np.nextafter(BOUNDS, 2) - 5e-324, "queries"), told)


@pytest.mark.parametrize("images", [GREY, RNG.random((31, 12), dtype=np.float32), GREY[:10], np.stack([GREY] * 3, 1)])
def test_npy_round_trip(tmp_path, images):
    np.save(tmp_path / "own.npy", images)
    dataset = data.load(tmp_path / "own.npy")
    assert dataset.name == "own"
    assert_split_80_10_10(dataset, images, None)
    assert dataset.train.images.numpy().dtype == images.dtype


@pytest.mark.parametrize(("images_key", "labels_key"), [("images", "labels"), ("x", "y"), ("faces", None), ("x", None)])
def test_npz_round_trip(tmp_path, images_key, labels_key):
    path = str(tmp_path / "own.npz")
    np.savez_compressed(path, **{images_key: GREY}, **({labels_key: LABELS.astype(np.uint8)} if labels_key else {}))
    assert_split_80_10_10(data.load(path), GREY, LABELS if labels_key else None)


def test_npz_explicit_splits(tmp_path):
    np.savez(tmp_path / "a.npz", train_images=GREY[:4], train_labels=LABELS[:4], test_images=GREY[4:6] / 255)
    dataset = data.load(tmp_path / "a.npz")
    np.testing.assert_array_equal(dataset.train.images, GREY[:4])
    assert dataset.train.labels.tolist() == LABELS[:4].tolist()
    assert dataset.validation is None and dataset.test.labels is None
    np.testing.assert_array_equal(dataset.test.images, (GREY[4:6] / 255).astype(np.float32))


KEYS = (
    "must hold one array of images (images or x) with optional labels (labels or y), or train_images with optional "
    "validation_images, test_images and *_labels, and beside labels perhaps classes, got "
)


@pytest.mark.parametrize(
    ("arrays", "kind", "message"),
    [
        ({"images": GREY, "x": GREY}, ValueError, KEYS + "images, x; rename or drop arrays"),
        ({"labels": LABELS}, ValueError, KEYS + "labels; rename"),
        ({"images": GREY, "labels": LABELS, "y": LABELS}, ValueError, KEYS + "images, labels, y; rename"),
        ({"train_images": GREY, "val_images": GREY}, ValueError, KEYS + "train_images, val_images; rename"),
        ({"test_images": GREY}, ValueError, KEYS + "test_images; rename"),
        ({"train_images": GREY, "test_labels": LABELS}, ValueError, KEYS + "test_labels, train_images; rename"),
        ({}, ValueError, KEYS + "nothing; rename"),
        ({"images": GREY, "labels": LABELS[:24]}, ValueError, "must have shape [25], one for each image, got [24]"),
        (
            {"images": GREY, "labels": LABELS[:, None]},
            ValueError,
            "must have shape [25], one for each image, got [25, 1]",
        ),
        (
            {"images": GREY, "y": LABELS / 2},
            TypeError,
            "must be a numpy array of integers, got dtype float64; number the",
        ),
        ({"images": GREY.astype(int)}, TypeError, "must be uint8 or floats in [0, 1], got dtype int64"),
        (
            {"x": GREY / 1.0},
            ValueError,
            "these look like grey levels 0..255: divide by 255, or save them as uint8",
        ),
        (
            {"x": GREY[:9]},
            ValueError,
            "must hold at least 10 images to be split 80/10/10, got 9; add images, or save an",
        ),
        (
            {"train_images": GREY, "test_images": GREY[:, :5]},
            ValueError,
            "must have images of shape [6, 5] like train_images, got [5, 5]; resize them",
        ),
        (
            {"images": np.array([{}], dtype=object)},
            ValueError,
            "cannot be read as .npz: ValueError Object arrays cannot",
        ),
    ],
)
def test_npz_refusals(tmp_path, arrays, kind, message):
    path = tmp_path / "own.npz"
    np.savez(path, **arrays)
    refuses(lambda: data.load(path), message, kind)
    refuses(lambda: data.load(path), str(path), kind)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_damaged_arrays(tmp_path, suffix):
    whole, path = tmp_path / f"whole{suffix}", tmp_path / f"cut{suffix}"
    np.save(whole, GREY) if suffix == ".npy" else np.savez_compressed(whole, images=GREY)
    content = whole.read_bytes()
    for damaged in (b"", content[:50], content[: len(content) // 2], content[:-1], b"<html>", b"\x80\x04N."):
        path.write_bytes(damaged)
        refuses(lambda: data.load(path), f"{path} cannot be read as {suffix}: ")


NAMES = np.array(["cat", "dog", "cow"])


@pytest.mark.parametrize(
    "arrays",
    [
        {"images": GREY, "labels": LABELS},
        {"x": GREY, "y": LABELS},
        {"train_images": GREY, "train_labels": LABELS, "test_images": GREY},
    ],
)
def test_npz_with_the_names_of_its_classes(tmp_path, arrays):
    np.savez(tmp_path / "a.npz", **arrays, classes=NAMES)
    assert data.load(tmp_path / "a.npz").classes == ("cat", "dog", "cow")
    np.savez(tmp_path / "a.npz", **arrays)
    assert data.load(tmp_path / "a.npz").classes is None


NOT_NAMES = "must be one name for each label, all different, got "


@pytest.mark.parametrize(
    ("classes", "labels", "kind", "message"),
    [
        (NAMES[:2], LABELS, ValueError, "must be in 0..1, the places of the 2 classes, got 0..2; name every class, or"),
        (NAMES, LABELS - 1, ValueError, "must be in 0..2, the places of the 3 classes, got -1..1"),
        (NAMES, None, ValueError, "must come with labels, got none; add labels, or drop classes"),
        (NAMES.astype("S"), LABELS, TypeError, "must be a numpy array of texts, got dtype |S3; use numpy.array(['cat'"),
        (np.arange(3), LABELS, TypeError, "must be a numpy array of texts, got dtype int64"),
        (NAMES[:0], LABELS, ValueError, NOT_NAMES + "a list of 0"),
        (NAMES[None], LABELS, ValueError, NOT_NAMES + "a list of 1"),
        (np.array(["cat", "dog", "cat"]), LABELS, ValueError, NOT_NAMES + "a list of 3"),
        (np.array(["cat", "dog", ""]), LABELS, ValueError, NOT_NAMES + "a list of 3"),
        (NAMES.astype(object), LABELS, ValueError, "Object arrays cannot be loaded: they are pickled"),
    ],
)
def test_classes_that_do_not_fit(tmp_path, classes, labels, kind, message):
    path = tmp_path / "own.npz"
    np.savez(path, images=GREY, classes=classes, **({} if labels is None else {"labels": labels}))
    refuses(lambda: data.load(path), message, kind)
    refuses(lambda: data.load(path), str(path), kind)


def test_labels_of_every_part_need_a_name(tmp_path):
    parts = {
        f"{part}_{kind}": array for part in ("train", "test") for kind, array in (("images", GREY), ("labels", LABELS))
    }
    np.savez(tmp_path / "a.npz", **{**parts, "test_labels": LABELS + 1}, classes=NAMES)
    refuses(lambda: data.load(tmp_path / "a.npz"), "must be in 0..2, the places of the 3 classes, got 1..3")
