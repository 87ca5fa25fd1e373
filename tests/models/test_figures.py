"""Pictures and figures by themselves: each pixel and each curve in its place."""

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image

from fastdaae import reporting
from fastdaae.reporting import figures_codes, figures_measures, figures_samples, figures_training, pictures, style
from fastdaae.reporting.projection import codes_in_a_plane
from tests.models.test_report import made_up


def png_array(figure) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(style.png_bytes(figure))).convert("RGB"))


def test_image_grid_puts_each_image_in_its_place(tmp_path):
    images = torch.arange(23, dtype=torch.uint8).mul(10)[:, None, None].expand(23, 8, 8)
    path = reporting.image_grid(images, tmp_path / "deep" / "grid.png", columns=5)
    pixels = np.asarray(Image.open(path))
    cell = 8 * 11
    assert pixels.shape == (5 * cell + 4 * pictures.GUTTER, 5 * cell + 4 * pictures.GUTTER)
    for i in range(23):
        top, left = (place * (cell + pictures.GUTTER) for place in divmod(i, 5))
        assert (pixels[top : top + cell, left : left + cell] == 10 * i).all()
        assert (pixels[top : top + cell, left + cell : left + cell + pictures.GUTTER] == 255).all()
    assert (pixels[-cell:, 3 * (cell + pictures.GUTTER) :] == 255).all()


def test_image_grid_refuses_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="columns must be >= 1, got 0"):
        reporting.image_grid(torch.zeros(3, 8, 8), tmp_path / "x.png", columns=0)
    with pytest.raises(ValueError, match=r"images must be \[N, ...\] with N >= 1, got \[0, 8, 8\]"):
        reporting.image_grid(torch.zeros(0, 8, 8), tmp_path / "x.png")


def test_any_layout_becomes_pictures():
    flat = torch.rand(5, 64)
    assert np.array_equal(pictures.as_pictures(flat), flat.reshape(5, 8, 8).numpy())
    assert np.array_equal(pictures.as_pictures(flat, (1, 8, 8)), flat.reshape(5, 8, 8).numpy())
    strip = pictures.as_pictures(flat[:, :50])
    assert strip.shape == (5, 37, 50) and np.array_equal(strip, np.broadcast_to(flat[:, None, :50], (5, 37, 50)))
    colour = torch.rand(5, 3, 4, 6)
    assert np.array_equal(pictures.as_pictures(colour)[2, 1, 5], colour[2, :, 1, 5].numpy())
    grey = torch.randint(0, 256, (5, 4, 6), dtype=torch.uint8)
    assert np.allclose(pictures.as_pictures(grey), grey.numpy() / 255, atol=1e-7)
    assert pictures.as_pictures(torch.tensor([[[-3.0, 0.25, 9.0, math.nan]]])).tolist() == [[[0.0, 0.25, 1.0, 0.0]]]
    with pytest.raises(ValueError, match=r"images must have 81 pixels for the shape \[9, 9\], got 64"):
        pictures.as_pictures(flat, (9, 9))


def test_pictures_are_repeated_or_averaged_to_fit():
    small = np.arange(4.0).reshape(1, 2, 2)
    assert np.array_equal(pictures.fit_width(small, 6), np.kron(small, np.ones((1, 3, 3))))
    large = np.random.default_rng(0).random((2, 8, 8, 3))
    halved = pictures.fit_width(large, 4)
    assert halved.shape == (2, 4, 4, 3) and np.allclose(halved[1, 2, 3], large[1, 4:6, 6:8].mean(axis=(0, 1)))


def test_figures_of_images_are_exact_to_the_pixel():
    random = np.random.default_rng(0)
    chains = random.integers(0, 256, (10, 8, 28, 28)) / 255
    figure = figures_samples.film_strip(chains, "title")
    shown = png_array(figure)
    cell, (left, bottom) = 28 * 5, figure.axes[0].get_position().min * figure.get_size_inches() * style.DPI
    height = 8 * cell + 7 * pictures.GUTTER
    left, top = round(left), shown.shape[0] - round(bottom) - height
    for step, chain in ((0, 0), (9, 0), (3, 5), (9, 7)):
        y, x = top + chain * (cell + pictures.GUTTER), left + step * (cell + pictures.GUTTER)
        seen = shown[y : y + cell, x : x + cell, 0]
        assert np.array_equal(seen, np.kron(np.round(chains[step, chain] * 255), np.ones((5, 5))))


def test_samples_stand_side_by_side():
    first, last = np.zeros((100, 8, 8)), np.full((100, 8, 8), 0.5)
    left, right = figures_samples.sample_grids([("x(0)", first), ("x(5)", last)], "title").axes
    assert left.get_position().x1 < right.get_position().x0 and left.get_position().y0 == right.get_position().y0
    assert left.images[0].get_array()[0, 0, 0] == 0 and right.images[0].get_array()[0, 0, 0] == 128


@pytest.mark.parametrize("positions", [[0.5, 0.5, 0.5], [0.98, 0.1, 1.0, 0.97], [0.3, 0.2]])
def test_labels_are_spread_in_order(positions):
    placed = style.spread(positions, 0.1)
    order = np.argsort(positions, kind="stable")
    assert (np.diff(np.array(placed)[order]) >= 0.1 - 1e-12).all()
    assert max(placed) <= 1.0
    assert style.spread([0.1, 0.9], 0.1) == [0.1, 0.9]


def test_losses_without_validation_or_adversary():
    figure = figures_training.losses([1, 2], {"reconstruction": [0.5, 0.25]}, None, unit="pixel²")
    (axes,) = figure.axes
    assert axes.get_ylabel() == "pixel²"
    assert [text.get_text() for text in axes.texts] == ["train 0.250"]


def test_likelihood_marks_each_chosen_bandwidth():
    measures = made_up("log-likelihood")
    measures[1].curve["validation"][0] = None
    whole, peaks = figures_measures.likelihood_curves(measures).axes
    assert whole.get_xscale() == peaks.get_xscale() == "log"
    for place, measure in enumerate(measures):
        mark = peaks.lines[2 * place + 1]
        assert mark.get_xdata() == [measure.settings["bandwidth"]]
        assert mark.get_ydata() == [measure.curve["validation"][3]]
    low, high = peaks.get_xlim()
    shown = [low <= bandwidth <= high for bandwidth in measures[0].curve["bandwidths"]]
    assert shown == [False] + [True] * 5 + [False] * 4


def test_first_neighbours_do_not_set_the_limits_of_the_dimension():
    (axes,) = figures_measures.dimension_curves(made_up("intrinsic dimension")).axes
    assert axes.get_title("left") == "Intrinsic dimension over neighbours, n = 1,000"
    assert axes.get_ylim() == pytest.approx((0, 1.12 * (8.0 + 500 / 8**4)))
    assert "real training images\n8.00 at k = 20" in [text.get_text() for text in axes.texts]


def test_histograms_are_densities_with_mean_and_deviation():
    random = np.random.default_rng(0)
    codes = {"prior": random.normal(size=(9000, 4)), "clean": random.normal(0.5, 2.0, size=(3000, 4))}
    (axes,) = figures_codes.code_histograms(codes, "title").axes
    for name, outline in zip(codes, axes.patches[1:], strict=True):
        density, edges, _ = outline.get_data()
        inside = np.mean((codes[name] >= edges[0]) & (codes[name] <= edges[-1]))
        assert (density * np.diff(edges)).sum() == pytest.approx(inside, abs=1e-12)
    pooled = codes["clean"].ravel()
    assert f"clean codes\nmean {pooled.mean():.2f}, std {pooled.std():.2f}" in [text.get_text() for text in axes.texts]


def test_clusters_are_named_at_their_medians():
    points = np.array([[0.0, 0.0], [1.0, 2.0], [50.0, 3.0], [5.0, 5.0], [5.0, 5.0]])
    figure = figures_codes.code_plane(points, np.array([7, 7, 7, 2, 2]), title="title", axis_names=None)
    named = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert named == {"7": (1.0, 2.0), "2": (5.0, 5.0)}


@pytest.mark.parametrize(
    ("shape", "how"), [((30, 2), "Codes"), ((30, 1), "Codes"), ((30, 5), "t-SNE of the 5-D codes")]
)
def test_plane_of_any_dimension(shape, how):
    codes = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    points, names, told = codes_in_a_plane(codes, seed=0)
    assert points.shape == (30, 2) and np.isfinite(points).all() and told == how
    assert (names is None) == (shape[1] > 2)
    if shape[1] < 3:
        assert np.array_equal(points[:, 0], codes[:, 0])
