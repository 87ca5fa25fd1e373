"""Folders of image files: sizes, colours, labels, and the remedy for what is not read."""

import re

import numpy as np
import pytest
import torch
from PIL import Image

from fastdaae import data
from tests.data.small_sets import GREY, RNG, assert_split_80_10_10, refuses, save_images


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
    assert data.load(tmp_path).classes == ("cat", "dog")
    Image.fromarray(colour[0]).save(tmp_path / "00.png")
    assert data.load(tmp_path).train.labels is None and data.load(tmp_path).classes is None


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


RGBA = RNG.integers(0, 256, (6, 5, 4), dtype=np.uint8)
LEVELS = np.arange(30, dtype=np.uint16).reshape(6, 5) * 2000
SIXTEEN_BITS = (
    "Image.fromarray((numpy.asarray(Image.open(path)) >> 8).astype('uint8')).save(path) keeps the upper 8 bits"
)
OF_ONE_KIND = "give all images one size and one colour mode: for each, Image.open(path)"


@pytest.mark.parametrize(
    ("others", "odd", "mended", "told"),
    [
        (
            "RGB",
            Image.fromarray(RGBA),
            RGBA[..., :3],
            "got colour mode RGBA; Image.open(path).convert('RGB').save(path) drops alpha",
        ),
        (
            "L",
            Image.fromarray(RGBA[..., :2]),
            RGBA[..., 0],
            "got colour mode LA; Image.open(path).convert('L').save(path) drops",
        ),
        (
            "RGB",
            Image.fromarray(GREY[0]).convert("P"),
            np.stack([GREY[0]] * 3, -1),
            "got colour mode P; Image.open(path).convert(",
        ),
        ("L", Image.fromarray(LEVELS), LEVELS // 256, f"got colour mode I;16; {SIXTEEN_BITS}"),
        (
            "RGB",
            Image.new("L", (5, 6), 99),
            np.full((6, 5, 3), 99),
            f"5 x 6 pixels, RGB; {OF_ONE_KIND}.convert('RGB').save(path)",
        ),
        (
            "L",
            Image.new("L", (7, 6), 99),
            np.full((6, 5), 99),
            f"5 x 6 pixels, L; {OF_ONE_KIND}.resize((5, 6)).save(path)",
        ),
        (
            "RGB",
            Image.new("L", (7, 3), 99),
            np.full((6, 5, 3), 99),
            f"{OF_ONE_KIND}.resize((5, 6)).convert('RGB').save(path)",
        ),
    ],
)
def test_the_line_of_pillow_that_a_refusal_gives_mends_the_folder(tmp_path, others, odd, mended, told):
    """The line in the message is run, and the folder loads with the pixels that it promised."""
    for row in range(15):
        Image.new(others, (5, 6), row).save(tmp_path / f"{row:02d}.png")
    path = tmp_path / "99.png"
    odd.save(path)
    refuses(lambda: data.load(tmp_path), told)
    with pytest.raises(ValueError) as caught:
        data.load(tmp_path)
    line = re.search(r"Image\.(open|fromarray)\(.*\.save\(path\)", str(caught.value))[0]
    eval(line, {"Image": Image, "numpy": np, "path": path})
    splits = data.load(tmp_path)[:3]
    images = torch.cat([split.images for split in splits])
    expected = torch.from_numpy((np.moveaxis(mended, -1, 0) if others == "RGB" else mended).astype(np.uint8))
    assert sum(torch.equal(image, expected) for image in images) == 1


def test_a_grey_folder_with_one_colour_image(tmp_path):
    save_images(tmp_path, GREY, [f"{row:02d}.png" for row in range(25)])
    Image.new("RGB", (5, 6)).save(tmp_path / "99.png")
    told = f"{tmp_path}/99.png is 5 x 6 pixels, RGB, but {tmp_path}/00.png is 5 x 6 pixels, L; {OF_ONE_KIND}.convert("
    refuses(lambda: data.load(tmp_path), told)


@pytest.mark.parametrize("held_out", ["validation", "valid", "val"])
def test_subfolders_are_parts_and_below_them_classes(tmp_path, held_out):
    """Train's classes number those of all parts, also of one that lacks some."""
    tops = [*["train/b", "train/a", "train/c"] * 4, *[f"{held_out}/c"] * 5, *["test/b", "test/a"] * 4]
    save_images(tmp_path, GREY, [f"{top}/{row:02d}.png" for row, top in enumerate(tops)])
    dataset = data.load(tmp_path)
    assert dataset.classes == ("a", "b", "c") and dataset.name == tmp_path.name
    for split, rows in zip(dataset[:3], (range(12), range(12, 17), range(17, 25)), strict=True):
        order = sorted(rows, key=lambda row: (tops[row], row))
        np.testing.assert_array_equal(split.images.numpy(), GREY[order])
        assert split.labels.tolist() == ["abc".index(tops[row][-1]) for row in order]


@pytest.mark.parametrize(
    ("tops", "told"),
    [
        (("train", "test", "."), "and no images beside them, got 24.png, test, train; move the others"),
        (("train", "test", "other"), "got other, test, train; move"),
        (("train", "val", "valid"), "got train, val, valid; move"),
        (("train/a", "test/b", "test/a"), "/test must have the classes of train as subfolders, got b; move or remove"),
    ],
)
def test_parts_are_not_mixed_up(tmp_path, tops, told):
    names = [f"{tops[row // 12]}/{row:02d}.png" for row in range(25)]
    save_images(tmp_path, GREY, names)
    refuses(lambda: data.load(tmp_path), told)


def test_parts_without_classes(tmp_path):
    save_images(tmp_path, GREY, [f"{'train' if row < 20 else 'val/a'}/{row:02d}.png" for row in range(25)])
    dataset = data.load(tmp_path)
    assert [len(split.images) for split in dataset[:2]] == [20, 5] and dataset.test is None
    assert dataset.train.labels is dataset.validation.labels is dataset.classes is None
