"""Data sets: idx files, the built-in sets, users' files, and the message of every refusal."""

import gzip
import os
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits as sklearn_digits

from fastdaae import data
from fastdaae.data.idx import read_idx

RNG = np.random.default_rng(1)
GREY = RNG.integers(0, 256, (25, 6, 5), dtype=np.uint8)
LABELS = np.arange(25) % 3


def idx_bytes(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def refuses(call, message: str, kind: type[Exception] = ValueError) -> None:
    """The call raises exactly this kind, and one line that holds the message."""
    with pytest.raises(kind, match=re.escape(message)) as caught:
        call()
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


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
        f"yann.lecun.com/exdb/mnist {what_to_do}",
        FileNotFoundError,
    )
    refuses(
        lambda: data.load("fashion-mnist", tmp_path),
        "fashion-mnist needs train-images-idx3-ubyte or train-images-idx3-ubyte.gz: not found in "
        f"{tmp_path}/fashion-mnist or {tmp_path}; download it from "
        f"github.com/zalandoresearch/fashion-mnist {what_to_do}",
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
    file_labels = torch.cat([dataset.train.labels, dataset.validation.labels])
    file_mean = torch.cat([dataset.train.images, dataset.validation.images]).double().mean().item() / 255
    assert file_mean == pytest.approx(mean, abs=1e-4)
    if name == "fashion-mnist":
        assert torch.bincount(file_labels).tolist() == [6000] * 10
    assert dataset.test.labels[:3].tolist() == ([7, 2, 1] if name == "mnist" else [9, 2, 1])


def test_digits():
    digits, published = data.load("digits"), sklearn_digits()
    assert [len(split.images) for split in digits[:3]] == [1297, 250, 250]
    images = torch.cat([split.images for split in digits[:3]])
    assert images.dtype == torch.uint8 and images.shape == (1797, 8, 8) and images.max() == 255
    # the published levels 0..16 come back exactly, in file order
    np.testing.assert_array_equal(np.rint(images.numpy() * (16 / 255)), published.images)
    assert set(np.unique(images[published.images == 8])) == {128}
    assert torch.cat([split.labels for split in digits[:3]]).tolist() == published.target.tolist()


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
        (torch.ones(2, 2, dtype=torch.int32), TypeError, "got dtype torch.int32; these are integers 1..1: convert"),
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
    refuses(
        lambda: data.as_images(np.nextafter(BOUNDS, 2), "queries"), "queries must hold floats in [0, 1], got 1 of 8"
    )


def assert_split_80_10_10(dataset: data.Dataset, images: np.ndarray, labels: np.ndarray | None) -> None:
    order = np.random.default_rng(0).permutation(len(images))
    held_out = len(images) // 10
    rows = (order[2 * held_out :], order[held_out : 2 * held_out], order[:held_out])
    for split, part in zip(dataset[:3], rows, strict=True):
        np.testing.assert_array_equal(split.images.numpy(), images[part])
        if labels is None:
            assert split.labels is None
        else:
            assert split.labels.dtype == torch.int64 and split.labels.tolist() == labels[part].tolist()


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
    "validation_images, test_images and *_labels, got "
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


def save_images(folder: Path, images: np.ndarray, names: list[str]) -> None:
    for image, name in zip(images, names, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / name)


def test_folder_of_grey_images(tmp_path):
    folder = tmp_path / "faces"
    save_images(folder, GREY, [f"{row:02d}.{'png' if row % 2 else 'BMP'}" for row in range(25)])
    (folder / "notes.txt").write_text("not an image")
    (folder / "._00.png").write_text("not an image either")
    (folder / ".thumbnails").mkdir()
    Image.new("L", (2, 2)).save(folder / ".thumbnails" / "a.png")
    dataset = data.load(str(folder))
    assert dataset.name == "faces"
    assert_split_80_10_10(dataset, GREY, None)


def test_folder_of_colour_images_with_labels(tmp_path):
    colour = RNG.integers(0, 256, (12, 6, 5, 3), dtype=np.uint8)
    save_images(tmp_path, colour, [f"{'cat' if row < 5 else 'dog/young'}/{row:02d}.png" for row in range(12)])
    assert_split_80_10_10(data.load(tmp_path), np.moveaxis(colour, -1, 1), np.array([0] * 5 + [1] * 7))
    Image.fromarray(colour[0]).save(tmp_path / "00.png")
    assert data.load(tmp_path).train.labels is None


def test_folder_of_bilevel_images(tmp_path):
    save_images(tmp_path, GREY > 127, [f"{row:02d}.png" for row in range(25)])
    assert_split_80_10_10(data.load(tmp_path), np.where(GREY > 127, 255, 0).astype(np.uint8), None)


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "webp"])
def test_folder_of_lossy_images(tmp_path, suffix):
    save_images(tmp_path, np.full((10, 16, 8, 3), 200, np.uint8), [f"{row}.{suffix}" for row in range(10)])
    images = data.load(tmp_path).train.images
    assert images.shape == (8, 3, 16, 8) and (images.int() - 200).abs().max() <= 4


def test_folder_refusals(tmp_path):
    refuses(
        lambda: data.load(tmp_path),
        f"{tmp_path} must hold at least 10 images (.png, .jpg, .jpeg, .bmp, .webp) to be split 80/10/10, got 0; add",
    )
    save_images(tmp_path, GREY, [f"{row:02d}.png" for row in range(25)])
    first, odd = tmp_path / "00.png", tmp_path / "99.png"
    advice = "give all images one size and one colour mode"
    Image.new("L", (7, 6)).save(odd)
    refuses(lambda: data.load(tmp_path), f"{odd} is 7 x 6 pixels, L, but {first} is 5 x 6 pixels, L; {advice}")
    Image.new("RGB", (5, 6)).save(odd)
    refuses(lambda: data.load(tmp_path), f"{odd} is 5 x 6 pixels, RGB, but {first} is 5 x 6 pixels, L; {advice}")
    Image.new("RGBA", (5, 6)).save(odd)
    refuses(lambda: data.load(tmp_path), f"{odd} must be grey (L) or RGB, got colour mode RGBA; convert it")
    Image.fromarray(GREY[0]).save(tmp_path / "a.tiff")
    foreign = (tmp_path / "a.tiff").read_bytes()
    for damaged in (
        b"",
        b"<html>",
        foreign,
        first.read_bytes()[:60],
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 5 6\n",
    ):
        odd.write_bytes(damaged)
        refuses(lambda: data.load(tmp_path), f"{odd} cannot be read as an image: ")


def test_folder_with_train_and_test_is_not_mixed(tmp_path):
    save_images(tmp_path, GREY, [f"{'train' if row < 20 else 'test'}/{row:02d}.png" for row in range(25)])
    refuses(
        lambda: data.load(tmp_path),
        f"{tmp_path} has subfolders train and test, which would be mixed up as labels; save an .npz with "
        "train_images and test_images to keep them apart",
    )


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
    known = "name_or_path must be one of 'digits', 'mnist', 'fashion-mnist', or the path of an .npy file, "
    refuses(lambda: data.load(given), known + "an .npz file or a folder of images, got ")
    with pytest.raises(ValueError) as caught:
        data.load(given)
    assert str(caught.value).endswith(ending)


def test_wrong_argument_types():
    refuses(lambda: data.load(7), "name_or_path must be a name or a path (str or Path), got int", TypeError)
    refuses(
        lambda: data.load("mnist", 7), "root must be the path of a folder (str or Path) or None, got int", TypeError
    )


def test_names_are_those_that_load_knows():
    assert data.names() == ["digits", "mnist", "fashion-mnist"]
    data.names().clear()
    assert data.names()
