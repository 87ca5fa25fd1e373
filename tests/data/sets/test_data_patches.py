"""Natural patches: the whitening filter, disjoint parts, and what a linear model with squared errors does with them."""

import numpy as np
import pytest
import torch
from scipy import io as matlab
from sklearn.datasets import load_sample_images

import fastdaae as fd
from fastdaae import data
from fastdaae.data.sets import patches
from tests.data.small_sets import refuses

RNG = np.random.default_rng(8)


def test_two_photographs_are_the_default(monkeypatch):
    monkeypatch.delenv("FASTDAAE_DATA", raising=False)
    dataset = data.load("patches")
    assert [len(part.images) for part in dataset[:3]] == [50_000, 5_000, 5_000]
    assert dataset.name == "patches (two photographs)" and dataset.train.labels is None
    images = dataset.train.images
    assert images.dtype == torch.float32 and images.shape[1:] == (12, 12) and images.isfinite().all()
    assert abs(images.mean().item()) < 0.01 and images.var().item() == pytest.approx(0.1, rel=0.2)


def test_whitened_photographs_have_a_flatter_spectrum():
    """From 1 / 12 to 3 / 12 cycles a pixel, along both axes."""

    def falls(images: list[np.ndarray]) -> list[float]:
        views = [np.lib.stride_tricks.sliding_window_view(image[4:-4, 4:-4], (12, 12))[::6, ::6] for image in images]
        power = sum((abs(np.fft.fft2(view.reshape(-1, 12, 12))) ** 2).mean(0) for view in views)
        return [power[0, 1] / power[0, 3], power[1, 0] / power[3, 0]]

    grey = [np.asarray(image, np.float64).mean(-1) for image in load_sample_images().images]
    assert min(falls(grey)) > 5 and max(falls(patches.photographs())) < 2.5


def test_whitening_is_olshausen_and_field_s_filter():
    """A wave comes out as one, f exp(-(f / 0.4)^4) times as high, and any image with variance 0.1."""
    rows, columns = np.indices((50, 80))
    waves = {f: np.cos(2 * np.pi * f * columns) for f in (0.1, 0.2, 0.45)}
    together = patches.whitened(sum(waves.values()))
    heights = {f: (together * wave).mean() / (wave * wave).mean() for f, wave in waves.items()}
    gain = {f: f * np.exp(-((f / 0.4) ** 4)) for f in waves}
    for f in waves:
        assert heights[f] / heights[0.1] == pytest.approx(gain[f] / gain[0.1])
    white = patches.whitened(RNG.random((40, 30)) * 255 + 7)
    assert white.var() == pytest.approx(0.1) and abs(white.mean()) < 1e-12


def images_mat(root, images: np.ndarray, name: str = "IMAGES") -> None:
    (root / "patches").mkdir(exist_ok=True)
    matlab.savemat(root / "patches" / "IMAGES.mat", {name: images})


def test_published_images_are_cut_as_they_are(tmp_path):
    """Every pixel says where it is from: no patch reaches a border, and no part reaches into another."""
    rows, columns, numbers = np.indices((200, 300, 3), dtype=np.float64)
    images_mat(tmp_path, rows * 1_000 + columns + numbers * 1_000_000)
    dataset = data.load_patches(tmp_path, count=3_000)
    assert dataset.name == "patches (Olshausen and Field)"
    assert [len(part.images) for part in dataset[:3]] == [3_000, 300, 300]
    for part, (low, high) in zip(dataset[:3], ((4, 240), (240, 270), (270, 296)), strict=True):
        first = part.images[:, 0, 0].long()
        expected = first[:, None, None] + 1_000 * torch.arange(12)[:, None] + torch.arange(12)
        assert torch.equal(part.images, expected.float())
        assert set((first // 1_000_000).tolist()) == {0, 1, 2}
        row, column = first // 1_000 % 1_000, first % 1_000
        assert row.min() >= 4 and row.max() == 200 - 4 - 12
        assert column.min() == low and column.max() == high - 12


def test_equal_seeds_draw_equal_patches():
    one, same, other, fewer = (data.load_patches(count=n, seed=s) for n, s in ((200, 1), (200, 1), (200, 2), (100, 1)))
    assert torch.equal(one.train.images, same.train.images) and torch.equal(one.test.images, same.test.images)
    assert not torch.equal(one.train.images, other.train.images)
    assert torch.equal(one.train.images[:100], fewer.train.images)


DAMAGED = {
    "name": (lambda root: images_mat(root, np.zeros((99, 99, 2)), "images"), "KeyError 'no variable IMAGES'"),
    "flat": (lambda root: images_mat(root, np.zeros((99, 99))), "must hold IMAGES, whitened images [512, 512, 10]"),
    "small": (lambda root: images_mat(root, np.zeros((99, 400, 2))), "of finite numbers, got [99, 400, 2]"),
    "nan": (lambda root: images_mat(root, np.full((300, 400, 2), np.nan)), "of finite numbers, got [300, 400, 2]"),
    "complex": (lambda root: images_mat(root, np.full((300, 400, 2), 1j)), "a matrix of real numbers expected"),
    "no mat": (
        lambda root: ((root / "patches").mkdir(), (root / "patches" / "IMAGES.mat").write_bytes(b"<html>" * 99)),
        "IMAGES.mat cannot be read as .mat: ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_files(tmp_path, case):
    damage, told = DAMAGED[case]
    damage(tmp_path)
    refuses(lambda: data.load("patches", tmp_path), told)


@pytest.mark.parametrize(
    ("options", "told", "kind"),
    [
        ({"count": 9}, "count must be a whole number >= 10, got 9", ValueError),
        ({"seed": -1}, "seed must be a whole number >= 0, got -1", ValueError),
        ({"count": 1.5}, "count must be a whole number >= 10, got 1.5", TypeError),
    ],
)
def test_options(options, told, kind):
    refuses(lambda: data.load_patches(**options), told, kind)


def test_a_linear_model_trains_on_patches(tmp_path):
    dataset = data.load_patches(count=500)
    encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(144, 20), torch.nn.Sigmoid())
    noise, linear = fd.corruptions.Gaussian(0.4), torch.nn.Linear(20, 144)
    model = fd.models.Autoencoder(encoder, linear, corruption=noise, loss="mse", decoder_output="linear")
    history = fd.Trainer(model, epochs=2, lr=0.01, batch_size=50).fit(dataset)
    assert history[-1]["validation"]["reconstruction"] < dataset.validation.images.var().item() * 1.5
