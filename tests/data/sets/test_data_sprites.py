"""Sprites: characters laid together from their parts, and those of Reed et al. from MATLAB's files."""

import io
import lzma
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import io as matlab

from fastdaae import data
from fastdaae.data.class_names import POSES
from fastdaae.data.sets.sprites.sheets import composed
from tests.data.sets.published import png, zipped
from tests.data.small_sets import refuses

RNG = np.random.default_rng(5)
PARTS = {"body": 6, "bottomwear": 6, "topwear": 6, "hair": 6, "shoes": 2}


def sheet(alpha: int) -> np.ndarray:
    """A part sheet of one colour a cell, opaque in one corner of it and half so beside that."""
    colours = RNG.integers(1, 256, (21, 1, 13, 1, 3)).repeat(64, 1).repeat(64, 3)
    opacity = np.zeros((21, 64, 13, 64, 1), np.uint8)
    opacity[:, alpha : alpha + 20, :, :30] = 255
    opacity[:, alpha : alpha + 20, :, 30:40] = 131
    return np.concatenate([colours.astype(np.uint8), opacity], axis=-1).reshape(1344, 832, 4)


NAMES = [(number, f"{part}/{variant}.png") for number, part in enumerate(PARTS) for variant in range(PARTS[part])]
SHEETS = {name: sheet(4 * number) for number, name in NAMES}
MEMBERS = {name: png(Image.fromarray(pixels)) for name, pixels in SHEETS.items()}


def cell(name: str, row: int, column: int) -> Image.Image:
    return Image.fromarray(SHEETS[name][64 * row : 64 * row + 64, 64 * column : 64 * column + 64])


def character(number: int, row: int, column: int) -> np.ndarray:
    """By Pillow, which the published script uses: uint8 [3, 64, 64]."""
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 255))
    worn = (number // 216, number // 36 % 6, number // 6 % 6, number % 6, 1)
    for part, variant in zip(PARTS, worn, strict=True):
        image = Image.alpha_composite(image, cell(f"{part}/{variant}.png", row, column))
    return np.moveaxis(np.asarray(image.convert("RGB")), -1, 0)


def test_characters_are_laid_together_as_published(tmp_path):
    zipped(tmp_path / "lpc_parts.zip", MEMBERS)
    dataset = data.load_sprites(tmp_path, actions=["slash"], directions=["left", "front"], frames=[1, 0])
    order = np.random.RandomState(423).permutation(1296)
    assert [len(part.images) // 4 for part in dataset[:3]] == [900, 100, 296] and dataset.classes == POSES
    for part, first in zip(dataset[:3], (0, 900, 1000), strict=True):
        for row in (0, 17):
            number = order[first + row]
            views = part.images[4 * row : 4 * row + 4]
            expected = [character(number, sheet_row, column) for sheet_row in (14, 13) for column in (1, 0)]
            np.testing.assert_array_equal(views, np.stack(expected))
            assert [POSES[label] for label in part.labels[4 * row : 4 * row + 4]] == ["slash front"] * 2 + [
                "slash left"
            ] * 2
            held = [name for name, holds in zip(dataset.attributes, part.attributes[4 * row], strict=True) if holds]
            worn = (number // 216, number // 36 % 6, number // 6 % 6, number % 6)
            assert held == [f"{part} {variant}" for part, variant in zip(PARTS, worn, strict=False)]  # fmt: skip
    assert not set(order[:1000].tolist()) & set(order[1000:].tolist())


def test_frames_that_come_twice_are_taken_once(tmp_path):
    zipped(tmp_path / "lpc_parts.zip", MEMBERS)
    few = {"directions": ["left"]}
    slash = data.load_sprites(tmp_path, actions=["slash"], frames=None, **few)
    spellcard = data.load_sprites(tmp_path, actions=["spellcard"], frames=[4, 6, 7], **few)
    assert [len(dataset.test.images) // 296 for dataset in (slash, spellcard)] == [6, 2]


def test_parts_in_a_folder(tmp_path):
    for name, content in MEMBERS.items():
        path = tmp_path / "Sprites" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    zipped(tmp_path / "lpc_parts.zip", MEMBERS)
    some = {"actions": ["walk"], "directions": ["left"], "frames": [0]}
    from_archive = data.load_sprites(tmp_path, **some)
    (tmp_path / "lpc_parts.zip").unlink()
    assert torch.equal(data.load_sprites(tmp_path, **some).test.images, from_archive.test.images)


def test_blending_takes_a_layer_without_pixels():
    nothing = np.zeros((2, 64, 64, 4), np.uint8)
    assert composed([nothing, nothing]).shape == (4, 64, 64, 3) and not composed([nothing]).any()


def changed(root, name: str, content: bytes | None) -> None:
    zipped(
        root / "lpc_parts.zip", {key: value for key, value in (MEMBERS | {name: content}).items() if value is not None}
    )


DAMAGED = {
    "no sheet": (lambda root: changed(root, "hair/3.png", None), "KeyError"),
    "no picture": (lambda root: changed(root, "hair/3.png", b"<html>"), "hair/3.png cannot be read as an image"),
    "small": (
        lambda root: changed(root, "hair/3.png", png(Image.new("RGBA", (64, 64)))),
        "hair/3.png must be a sheet of 832 x 1344 pixels, got 64 x 64; download it again",
    ),
    "bomb": (
        lambda root: changed(root, "hair/3.png", png(Image.new("1", (9_000, 9_000)))),
        "9000 x 9000 pixels, and at most 1,118,208 were expected",
    ),
    "no zip": (lambda root: (root / "lpc_parts.zip").write_bytes(b"PK"), "cannot be read as an archive of part sheets"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_parts(tmp_path, case):
    damage, told = DAMAGED[case]
    damage(tmp_path)
    refuses(lambda: data.load("sprites", tmp_path), told)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"actions": ["run"]}, "actions must be a list of some of 'walk', 'spellcard', 'slash', got ['run']"),
        ({"directions": "left"}, "directions must be a list of some of 'front', 'left', 'right', got 'left'"),
        ({"frames": [8]}, "frames must be a list of some of 0..7, got [8]"),
        ({"frames": []}, "frames must be a list of some of 0..7, got []"),
    ],
)
def test_options(tmp_path, options, told):
    refuses(lambda: data.load_sprites(tmp_path, **options), told)


def test_missing_parts(tmp_path):
    told = "sprites needs lpc_parts.zip or body/0.png: not found in "
    refuses(lambda: data.load("sprites", tmp_path), told, FileNotFoundError)
    refuses(lambda: data.load("sprites", tmp_path), "download it from github.com/YingzhenLi/Sprites", FileNotFoundError)


SPLITS = {"trainidx": [[1, 3]], "validx": [[4]], "testidx": [[2]]}
ANIMATIONS = {number: [RNG.random((10_800, 1 + (number + k) % 3)) for k in range(21)] for number in range(4)}


def write_reed(root: Path, *, splits: dict = SPLITS, animations: dict = ANIMATIONS) -> None:
    matlab.savemat(root / "sprites_splits.mat", splits)
    for number, cells in animations.items():
        stored = np.empty((1, len(cells)), object)
        for place, frames in enumerate(cells):
            stored[0, place] = frames
        matlab.savemat(root / f"sprites_{number}.mat", {"sprites": stored}, do_compression=number == 1)


def write_reed_as_hdf5(root: Path) -> None:
    """As MATLAB 7.3 does: references to arrays whose dimensions run the other way."""
    h5py = pytest.importorskip("h5py")
    write_reed(root)
    for number, cells in ANIMATIONS.items():
        with h5py.File(root / f"sprites_{number}.mat", "w", userblock_size=512) as file:
            stored = [file.create_dataset(f"#refs#/{place}", data=frames.T).ref for place, frames in enumerate(cells)]
            file.create_dataset("sprites", data=np.array(stored, h5py.ref_dtype)[:, None], dtype=h5py.ref_dtype)


@pytest.mark.parametrize("write", [write_reed, write_reed_as_hdf5])
def test_the_sprites_of_reed(tmp_path, write):
    write(tmp_path)
    dataset = data.load("sprites", tmp_path)
    assert dataset.name == "sprites of Reed et al." and len(dataset.classes) == 20
    for part, numbers in zip(dataset[:3], ([0, 2], [3], [1]), strict=True):
        frames = [cells for number in numbers for cells in ANIMATIONS[number][:20]]
        # MATLAB's order: a frame's column runs down a picture's columns first
        expected = np.concatenate([cell.reshape(60, 60, 3, -1, order="F").transpose(3, 2, 0, 1) for cell in frames])
        assert part.images.shape == expected.shape and part.images.dtype == torch.uint8
        assert abs(part.images.numpy() / 255 - expected).max() <= 0.5 / 255 + 1e-9
        assert part.labels.tolist() == [k for number in numbers for k in range(20) for _ in range(1 + (number + k) % 3)]


def first_of_reed(root: Path, change) -> None:
    write_reed(root)
    path = root / "sprites_0.mat"
    path.write_bytes(change(path.read_bytes()))


REED_DAMAGED = {
    "twice": (lambda root: write_reed(root, splits=SPLITS | {"testidx": [[1]]}), "must put each character in one part"),
    "number 0": (lambda root: write_reed(root, splits=SPLITS | {"testidx": [[0]]}), "numbers of characters from 1"),
    "a half": (lambda root: write_reed(root, splits=SPLITS | {"testidx": [[1.5]]}), "numbers of characters from 1"),
    "no index": (lambda root: write_reed(root, splits={"a": 1}), "KeyError 'no variable trainidx'"),
    "shape": (
        lambda root: write_reed(root, animations=ANIMATIONS | {0: [np.zeros((9, 2))]}),
        "sprites_0.mat must be frames [10800, N], got [9, 2]",
    ),
    "scale": (lambda root: write_reed(root, animations=ANIMATIONS | {0: [np.full((10_800, 1), 2.0)]}), "be in [0, 1]"),
    "texts": (lambda root: write_reed(root, animations=ANIMATIONS | {0: ["a"]}), "a matrix of real numbers exp"),
    "cut": (
        lambda root: first_of_reed(root, lambda content: content[:500]),
        "sprites_0.mat cannot be read as .mat: ",
    ),
    "text file": (lambda root: first_of_reed(root, lambda content: b"<html>" * 99), "read as .mat"),
}  # fmt: skip


@pytest.mark.parametrize("case", REED_DAMAGED)
def test_damaged_files_of_reed(tmp_path, case):
    damage, told = REED_DAMAGED[case]
    damage(tmp_path)
    refuses(lambda: data.load("sprites", tmp_path), told)


def test_files_of_matlab_7_3_need_h5py(tmp_path, monkeypatch):
    write_reed(tmp_path)
    (tmp_path / "sprites_0.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n" + bytes(99))
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    refuses(lambda: data.load("sprites", tmp_path), "is a file of MATLAB 7.3, which needs h5py; pip install h5py")


def test_a_character_of_reed_s_that_is_missing(tmp_path):
    write_reed(tmp_path)
    (tmp_path / "sprites_2.mat").unlink()
    with pytest.raises(FileNotFoundError, match="sprites_2.mat"):
        data.load("sprites", tmp_path)


@pytest.mark.needs_data
def test_the_published_frames(tmp_path):
    """Laid together from the parts, they are those that were drawn by others, pixel by pixel, and split alike."""
    folder = Path(os.environ["FASTDAAE_DATA"]) / "sprites-lpc"
    shutil.copy(folder / "lpc_parts.zip", tmp_path)
    palette, order = np.load(folder / "palette.npy"), np.load(folder / "split_order.npy")
    attributes = np.load(folder / "attributes.npy")
    dataset = data.load_sprites(tmp_path, actions=["slash"])
    assert [len(part.images) for part in dataset[:3]] == [8_100, 900, 2_664]
    for label, pose in enumerate(POSES[6:], start=6):
        stored = io.BytesIO(lzma.decompress((folder / f"{pose.replace(' ', '_')}.npy.xz").read_bytes()))
        frames = np.load(stored)[order[1000:]][:, [0, 2, 4]]
        mine = dataset.test.images[dataset.test.labels == label].numpy()
        np.testing.assert_array_equal(mine, np.moveaxis(palette[frames], -1, 2).reshape(-1, 3, 64, 64))
    worn = dataset.train.attributes.reshape(900, 9, 4, 6).numpy()
    np.testing.assert_array_equal(worn.argmax(-1), attributes[order[:900]][:, None].repeat(9, axis=1))
