"""Pictures and figures by themselves: each pixel and each curve in its place."""

import dataclasses
import io
import math
import tracemalloc

import numpy as np
import pytest
import torch
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.colors import to_rgba
from PIL import Image

from fastdaae import reporting
from fastdaae.reporting import captions, figures
from fastdaae.reporting.figures import files, pictures, style
from fastdaae.reporting.figures.looks import WIDE
from fastdaae.reporting.figures.projection import codes_in_a_plane
from tests.models.reported import made_up


def png_array(figure) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(files.png_bytes(files.picture_of(figure)))))


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


# {what is seen and what to do: (images, shape)}
REFUSED = {
    r"must hold at least one image": (torch.zeros(0, 8, 8), None),
    r"at least 2 dimensions": (torch.zeros(64), None),
    r"channels last; use images.transpose\(0, 3, 1, 2\)": (np.zeros((4, 16, 12, 3), np.uint8), None),
    r"channels last; use images.permute\(0, 3, 1, 2\)": (torch.zeros(4, 16, 12, 3), None),
    r"got 0..1; multiply by 255 \(images \* 255\)": (torch.ones(4, 8, 8, dtype=torch.uint8), None),
    r"flat \[5, 192\], .* 8 x 8 colour pictures; use images.reshape\(5, 3, 8, 8\) or pass shape=\(3, 8, 8\)": (
        *(torch.rand(5, 192), None),
    ),
    r"flat \[2, 12288\], .* use images.reshape\(2, 3, 64, 64\)": (np.zeros((2, 12288), np.float32), None),
    r"shape must be that of one image, of 64 pixels as in images \[5, 64\], got \[9, 9\] of 81": (
        *(torch.rand(5, 64), (9, 9)),
    ),
}


@pytest.mark.parametrize("told", REFUSED)
def test_image_grid_says_what_it_sees_and_what_to_do(told, tmp_path):
    images, shape = REFUSED[told]
    with pytest.raises(ValueError, match=told) as raised:
        reporting.image_grid(images, tmp_path / "x.png", shape=shape)
    assert "\n" not in str(raised.value) and not (tmp_path / "x.png").exists()


def test_colour_rows_become_colour_pictures(tmp_path):
    images = torch.randint(0, 256, (5, 3, 8, 8), dtype=torch.uint8)
    path = reporting.image_grid(images.reshape(5, 192), tmp_path / "grid.png", columns=5, shape=(3, 8, 8))
    assert path.read_bytes() == reporting.image_grid(images, tmp_path / "same.png", columns=5).read_bytes()
    pixels = np.asarray(Image.open(path))
    cell = 8 * 11
    seen = pixels[:cell:11, 2 * (cell + pictures.GUTTER) :][:, :cell:11]
    assert np.array_equal(seen, images[2].permute(1, 2, 0))


def test_a_grid_of_long_rows_needs_no_more_than_its_pixels(tmp_path):
    images = np.random.default_rng(0).random((100, 12_290), dtype=np.float32)
    tracemalloc.start()
    path = reporting.image_grid(images, tmp_path / "rows.png")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    width, height = Image.open(path).size
    assert width < 1000 and height < 1000 and peak < 16 * images.nbytes


def test_image_grid_refuses_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="columns must be >= 1, got 0"):
        reporting.image_grid(torch.zeros(3, 8, 8), tmp_path / "x.png", columns=0)


def test_any_layout_becomes_pictures():
    flat = torch.rand(5, 64)
    assert np.array_equal(pictures.as_pictures(flat), flat.reshape(5, 8, 8).numpy())
    assert np.array_equal(pictures.as_pictures(flat, (1, 8, 8)), flat.reshape(5, 8, 8).numpy())
    strip = pictures.as_pictures(flat[:, :50])
    assert np.array_equal(strip, flat[:, None, :50])
    drawn = pictures.grid(strip, 5, 50)
    assert drawn.shape == (37, 5 * 54 - 4, 4) and (np.ptp(drawn[:, :50], axis=0) == 0).all()
    colour = torch.rand(5, 3, 4, 6)
    assert np.array_equal(pictures.as_pictures(colour)[2, 1, 5], colour[2, :, 1, 5].numpy())
    grey = torch.randint(0, 256, (5, 4, 6), dtype=torch.uint8)
    assert np.allclose(pictures.as_pictures(grey), grey.numpy() / 255, atol=1e-7)
    assert pictures.as_pictures(torch.tensor([[[-3.0, 0.25, 9.0, math.nan]]])).tolist() == [[[0.0, 0.25, 1.0, 0.0]]]


def test_pictures_are_repeated_or_averaged_to_fit():
    small = np.arange(4.0).reshape(1, 2, 2)
    grey = pictures.grid(small / 255, 1, 6)
    assert np.array_equal(grey[..., 0], np.kron(small[0], np.ones((3, 3)))) and (grey[..., 3] == 255).all()
    large = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)) / 255
    halved = pictures.grid(large, 1, 4)
    assert halved.shape == (4 + pictures.GUTTER + 4, 4, 4) and (halved[4:8] == 0).all()
    assert np.array_equal(halved[10, 3, :3], np.round(large[1, 4:6, 6:8].mean(axis=(0, 1)) * 255))
    tall = pictures.grid(np.zeros((1, 400, 2)), 1)
    assert tall.shape[0] <= 100


def test_figures_of_images_are_exact_to_the_pixel():
    random = np.random.default_rng(0)
    chains = random.integers(0, 256, (10, 8, 28, 28)) / 255
    figure = figures.samples.figure_of(figures.samples.film_strip(chains, "title"))
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
    gallery = figures.samples.sample_grids([("x(0)", first), ("x(5)", last)], "title")
    left, right = figures.samples.figure_of(gallery).axes
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
    panel = figures.training.Panel("Reconstruction loss", "pixel²", [("train", [0.5, 0.25])])
    (axes,) = figures.training.losses([1, 2], [panel]).axes
    assert axes.get_ylabel() == "pixel²"
    assert [text.get_text() for text in axes.texts] == ["train 0.250"]


def test_likelihood_marks_each_chosen_bandwidth():
    measures = made_up("log-likelihood")
    measures[1].curve["validation"][0] = None
    whole, peaks = figures.measures.likelihood_curves(measures).axes
    assert whole.get_xscale() == peaks.get_xscale() == "log" and not whole.containers
    for place, measure in enumerate(measures):
        mark = peaks.lines[2 * place + 1]
        assert mark.get_xdata() == [measure.settings["bandwidth"]]
        assert mark.get_ydata() == [measure.curve["validation"][3]]
    low, high = peaks.get_xlim()
    shown = [low <= bandwidth <= high for bandwidth in measures[0].curve["bandwidths"]]
    assert shown == [False] + [True] * 5 + [False] * 4


def test_likelihood_has_error_bars_and_bands_over_seeds():
    measures = [
        dataclasses.replace(one, curve={**one.curve, "standard_error": [3.0] * 10, "seed_deviation": [7.0] * 10})
        for one in made_up("log-likelihood")
    ]
    for axes in figures.measures.likelihood_curves(measures).axes:
        assert len(axes.containers) == 3
        for container, measure in zip(axes.containers, measures, strict=True):
            (bars,) = container.lines[2]
            ends = np.array(bars.get_segments())[:, :, 1]
            assert np.allclose(ends.mean(axis=1), measure.curve["validation"]) and np.allclose(np.ptp(ends, axis=1), 6)
        bands = [part for part in axes.collections if isinstance(part, FillBetweenPolyCollection)]
        for band, measure in zip(bands, measures, strict=True):
            heights = band.get_paths()[0].vertices[:, 1]
            assert heights.max() == max(measure.curve["validation"]) + 7
    low, high = axes.get_ylim()
    best = measures[1].curve["validation"][3]
    assert low < best - 7 and high > best + 7


# {the chosen place of a grid of ten: what the caption says of it}
CAPTIONS = {3: "All lie inside their grid", 0: "x(5) it is the least of its grid, 0.1,", 9: "greatest of its grid, 1,"}


@pytest.mark.parametrize("place", CAPTIONS)
def test_the_caption_tells_what_the_likelihood_shows(place):
    first, second, real = made_up("log-likelihood")
    settings = {**second.settings, "bandwidth": second.curve["bandwidths"][place]}
    told = captions.likelihood([first, dataclasses.replace(second, settings=settings), real])
    assert CAPTIONS[place] in told and ("wider grid" in told) == (place != 3) and ("inside" in told) == (place == 3)
    assert "Bars" not in told and "Bands" not in told
    curve = {**first.curve, "standard_error": [1.0] * 10, "seed_deviation": [1.0] * 10}
    told = captions.likelihood([dataclasses.replace(first, curve=curve, settings={**first.settings, "seeds": 4})])
    assert "Bars are standard errors" in told and "over 4 draws" in told


def test_first_neighbours_do_not_set_the_limits_of_the_dimension():
    (axes,) = figures.measures.dimension_curves(made_up("intrinsic dimension")).axes
    assert axes.get_title("left") == "Intrinsic dimension over neighbours, n = 1,000"
    assert axes.get_ylim() == pytest.approx((0, 1.12 * (8.0 + 500 / 8**4)))
    assert "real training images\n8.00 at k = 20" in [text.get_text() for text in axes.texts]


def test_histograms_are_densities_with_mean_and_deviation():
    random = np.random.default_rng(0)
    codes = {"prior": random.normal(size=(9000, 4)), "clean": random.normal(0.5, 2.0, size=(3000, 4))}
    (axes,) = figures.codes.code_histograms(codes, "title").axes
    for name, outline in zip(codes, axes.patches[1:], strict=True):
        density, edges, _ = outline.get_data()
        inside = np.mean((codes[name] >= edges[0]) & (codes[name] <= edges[-1]))
        assert (density * np.diff(edges)).sum() == pytest.approx(inside, abs=1e-12)
    pooled = codes["clean"].ravel()
    assert f"clean codes\nmean {pooled.mean():.2f}, std {pooled.std():.2f}" in [text.get_text() for text in axes.texts]


def test_clusters_are_named_at_their_medians():
    points = np.array([[0.0, 0.0], [1.0, 2.0], [50.0, 3.0], [5.0, 40.0], [5.0, 40.0]])
    figure = figures.codes.code_plane(points, np.array([7, 7, 7, 2, 2]), title="title", axis_names=None)
    named = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert named == {"7": (1.0, 2.0), "2": (5.0, 40.0)}
    points = np.array([[0.0, 0.0], [9.0, 9.0], [0.0, 0.0], [9.0, 0.0]])
    figure = figures.codes.code_plane(
        points, np.array([0, 0, 1, 1]), title="title", axis_names=None, classes=("a deer", "b")
    )
    places = [text.get_position() for text in figure.axes[0].texts]
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["a deer", "b"]
    assert np.abs(np.subtract(*places)).max() > 1


def test_a_thousand_labels_are_drawn_at_once():
    points, labels = np.arange(4000.0).reshape(2000, 2), np.arange(2000) % 964
    (dots,) = figures.codes.code_plane(points, labels, title="title", axis_names=None).axes[0].collections
    palette, order = WIDE.palette.classes, labels.argsort(kind="stable")
    assert (dots.get_offsets() == points[order]).all()
    expected = [to_rgba(palette[label % len(palette)], 0.8) for label in labels[order]]
    np.testing.assert_allclose(dots.get_facecolors(), expected)


@pytest.mark.parametrize(
    ("shape", "how"), [((30, 2), "Codes"), ((30, 1), "Codes"), ((30, 5), "t-SNE of the 5-D codes")]
)
def test_plane_of_any_dimension(shape, how):
    codes = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    points, names, told, method = codes_in_a_plane(codes, seed=0)
    assert ("perplexity 9.67, initialised by PCA, seed 0, 1,000 iterations" in method) == (shape[1] > 2)
    assert points.shape == (30, 2) and np.isfinite(points).all() and told == how
    assert (names is None) == (shape[1] > 2)
    if shape[1] < 3:
        assert np.array_equal(points[:, 0], codes[:, 0])
