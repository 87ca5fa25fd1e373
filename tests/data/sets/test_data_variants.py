"""MNIST turned and on random backgrounds: laws of the rotation, of the addresses, and of the cache."""

import hashlib

import numpy as np
import pytest
import torch

from fastdaae import data
from fastdaae.data import cache
from fastdaae.data.sets import variants
from tests.data.test_data_named import write_mnist

RECORDED = {
    "mnist-rot": "aa27a84ee882cd17",
    "mnist-bg-rand": "3e849b7a11133aee",
    "mnist-bg-rand-rot": "07fc4edca0cd332a",
}
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (700, 28, 28), dtype=np.uint8) * (RNG.random((700, 28, 28)) < 0.3)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_quarter_turns_are_exact(quarters):
    angles = np.full(len(IMAGES), quarters * variants.ANGLES // 4)
    np.testing.assert_array_equal(variants.turned(IMAGES, angles), np.rot90(IMAGES, quarters, (1, 2)))


def test_turns_are_bilinear_to_half_a_level():
    """Against the same in floating point; beyond the corners all is black."""
    angles = np.arange(0, variants.ANGLES, 997)
    images = IMAGES[: len(angles)]
    padded = np.pad(images, ((0, 0), (10, 10), (10, 10))).astype(float)
    radians = (angles * 2 * np.pi / variants.ANGLES)[:, None, None]
    down, right = np.meshgrid(*[np.arange(28) - 13.5] * 2, indexing="ij")
    row = 23.5 + down * np.cos(radians) + right * np.sin(radians)
    column = 23.5 + right * np.cos(radians) - down * np.sin(radians)
    first_row, first_column, one = np.floor(row).astype(int), np.floor(column).astype(int), np.arange(len(angles))
    expected = np.zeros(images.shape)
    for below in (0, 1):
        for beside in (0, 1):
            weight = (1 - abs(row - first_row - below)) * (1 - abs(column - first_column - beside))
            expected += weight * padded[one[:, None, None], first_row + below, first_column + beside]
    # positions are rounded to 2^-14 of at most 20 pixels, which is 0.6 levels at the steepest edges
    assert abs(variants.turned(images, angles) - expected).max() < 0.5 + 0.6


def test_sines_are_rounded_far_from_ties():
    """No library's last digits decide a table's entry, so that every machine has the same."""
    radians = np.arange(variants.ANGLES) * (2 * np.pi / variants.ANGLES)
    for wave, table in zip((np.cos, np.sin), variants.circle(), strict=True):
        scaled = wave(radians) * 2**14
        assert abs(scaled - np.floor(scaled) - 0.5).min() > 1e-7
        assert abs(table - scaled).max() <= 0.5


@pytest.mark.parametrize("name", variants.VARIANTS)
def test_pieces_equal_the_whole(name):
    whole = variants.varied_files(name, (IMAGES[:601], IMAGES[601:]))
    pieces = [variants.varied(name, IMAGES[first : first + 97], first) for first in range(0, len(IMAGES), 97)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    np.testing.assert_array_equal(variants.varied(name, IMAGES[5:6], 5)[0], whole[5])


def test_backgrounds_are_uniform_where_it_is_dark():
    rotated = variants.varied("mnist-rot", IMAGES)
    for name, digits in (("mnist-bg-rand", IMAGES), ("mnist-bg-rand-rot", rotated)):
        on_background = variants.varied(name, IMAGES)
        np.testing.assert_array_equal(on_background[digits > 0], digits[digits > 0])
        drawn = on_background[digits == 0]
        counts = np.bincount(drawn, minlength=256)
        expected = len(drawn) / 256
        # chi squared of 255 degrees of freedom, six deviations
        assert ((counts - expected) ** 2 / expected).sum() < 255 + 6 * np.sqrt(2 * 255)


def test_the_copies_of_everyone_are_equal_to_the_bit():
    """What these few images became when the variants were first made."""
    plain = np.arange(4 * 28 * 28).reshape(4, 28, 28) * 37 % 251 * (np.arange(28) % 5 > 1)
    made = {name: variants.varied(name, plain.astype(np.uint8), 59_998) for name in variants.VARIANTS}
    digests = {name: hashlib.sha256(images.tobytes()).hexdigest()[:16] for name, images in made.items()}
    assert digests == RECORDED


def test_a_damaged_cache_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTDAAE_CACHE", str(tmp_path / "cache"))
    made = []

    def make() -> np.ndarray:
        made.append(1)
        return IMAGES[:10]

    def kept() -> None:
        np.testing.assert_array_equal(cache.kept("some", (IMAGES[:4], IMAGES[4:10]), make), IMAGES[:10])

    kept()
    (path,) = (tmp_path / "cache").iterdir()
    whole = path.read_bytes()
    kept()
    assert len(made) == 1 and path.name.startswith("some-")
    flipped = whole[:100] + bytes([whole[100] ^ 1]) + whole[101:]
    for number, damage in enumerate((b"", whole[:-1], whole + b"\0", flipped, bytes(len(whole))), start=2):
        path.write_bytes(damage)
        kept()
        assert len(made) == number and path.read_bytes() == whole
    cache.kept("some", (IMAGES[1:5], IMAGES[4:10]), make)  # of other originals
    assert len(made) == 7 and len(list((tmp_path / "cache").iterdir())) == 2


def test_where_no_cache_can_be_written_the_images_are_only_made(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FASTDAAE_CACHE", str(tmp_path / "file" / "below"))
    np.testing.assert_array_equal(cache.kept("some", (IMAGES[:3],), lambda: IMAGES[:3]), IMAGES[:3])
    monkeypatch.setenv("FASTDAAE_CACHE", str(tmp_path))
    cache.kept("some", (IMAGES[:3],), lambda: IMAGES[:3])
    (path,) = tmp_path.glob("some-*")
    path.unlink()
    path.mkdir()  # a folder in the file's place
    np.testing.assert_array_equal(cache.kept("some", (IMAGES[:3],), lambda: IMAGES[:3]), IMAGES[:3])
    assert path.is_dir()


@pytest.mark.parametrize(
    ("own", "shared", "home", "expected"),
    [
        ("/own", "/shared", "/home", "/own"),
        ("~/own", "", "/home", "/home/own"),
        ("", "/shared", "/home", "/shared/fastdaae"),
        ("", "relative", "/home", "/home/.cache/fastdaae"),
        ("", "", "/home", "/home/.cache/fastdaae"),
    ],
)
def test_where_the_cache_is(monkeypatch, own, shared, home, expected):
    for name, value in (("FASTDAAE_CACHE", own), ("XDG_CACHE_HOME", shared), ("HOME", home)):
        monkeypatch.setenv(name, value)
    assert str(cache.folder()) == expected


@pytest.mark.slow
def test_a_variant_has_the_split_and_the_labels_of_mnist(tmp_path, monkeypatch):
    write_mnist(tmp_path)
    monkeypatch.setenv("FASTDAAE_CACHE", str(tmp_path / "cache"))
    dataset, original = data.load("mnist-bg-rand", tmp_path), data.load("mnist", tmp_path)
    assert dataset.name == "mnist-bg-rand" and dataset.classes == original.classes
    for part, other in zip(dataset[:3], original[:3], strict=True):
        assert part.images.shape == other.images.shape and torch.equal(part.labels, other.labels)
        assert part.images.float().mean().item() == pytest.approx(127.5, abs=0.1)
    assert [path.name.rpartition("-")[0] for path in (tmp_path / "cache").iterdir()] == ["mnist-bg-rand"]


@pytest.mark.needs_data
def test_turned_digits_keep_their_light():
    digits = data.load("mnist").test.images[:600].numpy()
    assert variants.varied("mnist-rot", digits).mean() == pytest.approx(digits.mean(), rel=0.01)
