"""The report: a page that needs nothing else, numbers as given, pictures in their places."""

import base64
import io
import math
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from PIL import Image

import fastdaae as fd
from fastdaae import report
from fastdaae.data import Dataset, Split
from fastdaae.report import drawing, figures_codes, figures_measures, figures_samples, figures_training, pictures, style
from fastdaae.report.projection import codes_in_a_plane

SAMPLED = ["losses", "reconstructions", "samples", "chain", "code-histograms", "code-plane"]
MEASURED = ["likelihood", "dimension"]


class Page(HTMLParser):
    """The images, tables and addresses of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.images, self.rows, self.addresses, self.tags, self.text, self.in_cell = [], [], [], set(), "", False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        given = dict(attributes)
        self.addresses += [given[name] for name in ("src", "href", "srcset", "data") if name in given]
        if tag == "img":
            self.images.append(base64.b64decode(given["src"].removeprefix("data:image/png;base64,"), validate=True))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.in_cell = True

    def handle_data(self, data):
        self.text += data
        if self.in_cell:
            self.rows[-1][-1] += data

    def handle_endtag(self, tag):
        self.in_cell = self.in_cell and tag not in ("td", "th")


def networks(pixels: int, code: int):
    return (
        fd.networks.mlp([pixels, 16, code]),
        fd.networks.mlp([code, 16, pixels], output="sigmoid"),
        fd.networks.mlp([code, 16, 1]),
    )


def idaae(pixels: int = 64, code: int = 3, **choices):
    prior = fd.priors.Normal(code)
    return fd.IDAAE(*networks(pixels, code), prior=prior, corruption=fd.corruptions.Gaussian(0.3), copies=2, **choices)


def digits(name: str = "digits", labels: bool = True) -> Dataset:
    whole = fd.data.load("digits")
    parts = (Split(part.images[:60], part.labels[:60] if labels else None) for part in whole[:3])
    return Dataset(*parts, name)


def likelihood_row(name: str, best: float) -> dict:
    bandwidths = np.logspace(-1, 0, 10).tolist()
    validation = [best - 40 * (i - 3) ** 2 for i in range(10)]
    return dict(
        name=name,
        mean=best - 1,
        standard_error=1.25,
        bandwidth=bandwidths[3],
        bandwidths=bandwidths,
        validation=validation,
    )


def dimension_row(name: str, value: float) -> dict:
    k = list(range(2, 21))
    return dict(name=name, dimension=value, standard_error=0.125, k=k, per_k=[value + 500 / i**4 for i in k])


def made_up_evaluation() -> dict:
    names = ("x(0)", "x(5)", "real training images")
    return {
        "model": "IDAAE",
        "data": "digits",
        "seed": 0,
        "reconstruction": {
            "images": 1250,
            "corrupted_mse": {"mean": 0.02345, "standard_error": 0.00061},
            "clean_mse": {"mean": 0.01234, "standard_error": 0.00052},
        },
        "likelihood": {
            "samples": 1000,
            "queries": 250,
            "rows": [likelihood_row(name, best) for name, best in zip(names, (-1200.0, 30.0, 20.0), strict=True)],
        },
        "classification": {
            "training_images": 1297,
            "test_images": 250,
            "rows": [
                {"name": "SVM on codes", "dimension": 8, "accuracy": 0.9512},
                {"name": "SVM on PCA", "dimension": 8, "accuracy": 0.9473},
            ],
        },
        "dimension": {
            "k": 20,
            "images": 1000,
            "rows": [dimension_row(name, value) for name, value in zip(names, (6.5, 4.25, 8.0), strict=True)],
        },
    }


def png_array(figure) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(style.png_bytes(figure))).convert("RGB"))


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(0)
    model, dataset = idaae(), digits()
    return model, dataset, fd.Trainer(model, lr=1e-3, batch_size=20, epochs=2).fit(dataset, progress=False)


@pytest.fixture(scope="module")
def built(trained, tmp_path_factory):
    model, dataset, history = trained
    folder = tmp_path_factory.mktemp("report")
    path = report.build(model, dataset, history, made_up_evaluation(), folder, seed=3)
    return path, Page(path.read_text(encoding="utf-8"))


def test_page_is_self_contained(built):
    path, page = built
    assert path.name == "report.html"
    assert page.addresses and all(address.startswith("data:image/png;base64,") for address in page.addresses)
    assert page.tags.isdisjoint({"script", "link", "iframe", "object"})
    assert "url(" not in path.read_text() and "@import" not in path.read_text()


def test_every_figure_is_embedded_and_written(built):
    path, page = built
    files = sorted((path.parent / "figures").iterdir())
    assert [file.stem for file in files] == sorted(SAMPLED + MEASURED)
    written = {file.stem: file.read_bytes() for file in files}
    assert page.images == [written[name] for name in SAMPLED + MEASURED]
    for png in page.images:
        picture = Image.open(io.BytesIO(png))
        picture.load()
        assert picture.format == "PNG" and 1200 <= picture.width <= 2600 and 400 <= picture.height <= 1600
        assert np.asarray(picture.convert("L")).std() > 5


def test_table_holds_the_numbers_given(built):
    _, page = built
    window = "1,000 samples, bandwidth 0.2154, 250 test images"
    svm = "8 numbers an image, 1,297 training images, 250 test images"
    assert page.rows[:10] == [
        ["measure", "of", "value", "measured with"],
        ["reconstruction error, pixel²", "corrupted input", "0.0234 ± 0.0006", "1,250 test images"],
        ["clean input", "0.0123 ± 0.0005", "1,250 test images"],
        ["log-likelihood, nats", "x(0)", "−1,201.0 ± 1.2", window],
        ["x(5)", "29.0 ± 1.2", window],
        ["real training images", "19.0 ± 1.2", window],
        ["test accuracy", "SVM on codes", "95.12%", svm],
        ["SVM on PCA", "94.73%", svm],
        ["intrinsic dimension", "x(0)", "6.50 ± 0.12", "n = 1,000, k = 20"],
        ["x(5)", "4.25 ± 0.12", "n = 1,000, k = 20"],
    ]
    assert page.rows[10] == ["real training images", "8.00 ± 0.12", "n = 1,000, k = 20"]
    assert ["corruption", "Gaussian(sigma=0.3)"] in page.rows and ["epochs done", "2"] in page.rows
    assert "Theis et al. 2016" in page.text and "0.0234 (corrupted) and 0.0123 (clean)" in page.text


def test_real_rows_are_marked(built):
    path, _ = built
    assert path.read_text().count('<tr class="real">') == 2


def test_equal_seeds_give_equal_pages_and_the_model_keeps_its_mode(built, trained, tmp_path):
    model, dataset, history = trained
    model.train()
    again = report.build(model, dataset, history, made_up_evaluation(), tmp_path / "new" / "folder", seed=3)
    assert model.training and again.read_bytes() == built[0].read_bytes()


def test_without_evaluation(trained, tmp_path):
    model, dataset, history = trained
    config = {"model": model.config, "trainer": {"optimizer": "adam", "lr": 1e-3}, "data": "60x8x8", "made_with": {}}
    path = report.build(model, dataset, history[:1], None, str(tmp_path), config=config)
    page = Page(path.read_text())
    assert len(page.images) == len(SAMPLED) and "fastdaae evaluate" in page.text
    assert 'class="numbers"' not in path.read_text()
    assert ["learning rate", "0.001"] in page.rows and ["training data", "60x8x8"] in page.rows


def test_plane_codes_no_labels_no_corruption_no_history(tmp_path):
    model = fd.AAE(*networks(64, 2), prior=fd.priors.RingMixture())
    page = Page(report.build(model, digits(labels=False), [], None, tmp_path).read_text())
    assert len(page.images) == len(SAMPLED) - 1
    assert not (tmp_path / "figures" / "losses.png").exists()


def test_colour_images_from_a_flat_decoder(tmp_path):
    images = torch.randint(0, 256, (40, 3, 8, 8), dtype=torch.uint8)
    split = Split(images, None)
    report.build(idaae(192, 1), Dataset(split, None, None, "colour"), [], None, tmp_path)
    for name in ("reconstructions", "samples", "chain"):
        pixels = np.asarray(Image.open(tmp_path / "figures" / f"{name}.png").convert("RGB")).astype(int)
        assert (pixels.max(axis=2) - pixels.min(axis=2)).max() > 40, name


def test_text_from_outside_is_escaped(trained, tmp_path):
    model, _, history = trained
    evil = "<script>alert('&\"1')</script>"
    evaluation = made_up_evaluation()
    evaluation["likelihood"]["rows"][0]["name"] = evaluation["classification"]["rows"][0]["name"] = evil
    config = {"model": {"model": evil, evil: {"name": evil}}, "data": evil}
    path = report.build(model, digits(evil), history, evaluation, tmp_path, config=config)
    page = Page(path.read_text())
    assert "script" not in page.tags and evil not in path.read_text()
    assert page.text.count(evil) >= 8
    assert any(evil in row for row in page.rows)


def test_data_without_splits_is_refused(trained, tmp_path):
    with pytest.raises(TypeError, match="dataset must be a Dataset with a train split, got Tensor"):
        report.build(trained[0], torch.zeros(3, 64), [], None, tmp_path)


def test_corrupted_row_is_what_the_encoder_was_given(trained, monkeypatch):
    model, dataset, _ = trained
    shown, given = {}, []
    monkeypatch.setattr(figures_samples, "image_rows", lambda rows, title: shown.update(rows))
    monkeypatch.setattr(type(model), "encode", lambda self, x: given.append(x) or self.encoder(x))
    with torch.no_grad():
        drawing._reconstructions(model, dataset.test.images[:5], "test", fd.Noise(7))
    assert list(shown) == ["clean", "corrupted\nσ = 0.3", "reconstructed"]
    assert np.array_equal(shown["corrupted\nσ = 0.3"], given[0].clamp(0, 1).numpy().reshape(5, 8, 8))
    assert np.array_equal(shown["clean"], (dataset.test.images[:5] / 255).numpy())


def test_image_grid_puts_each_image_in_its_place(tmp_path):
    images = torch.arange(23, dtype=torch.uint8).mul(10)[:, None, None].expand(23, 8, 8)
    path = report.image_grid(images, tmp_path / "deep" / "grid.png", columns=5)
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
        report.image_grid(torch.zeros(3, 8, 8), tmp_path / "x.png", columns=0)
    with pytest.raises(ValueError, match=r"images must be \[N, ...\] with N >= 1, got \[0, 8, 8\]"):
        report.image_grid(torch.zeros(0, 8, 8), tmp_path / "x.png")


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


def test_one_epoch_is_seen_as_a_point_and_the_equilibrium_is_drawn(trained, monkeypatch):
    model, _, history = trained
    first, second = drawing._losses(model, history[:1], "nats per pixel").axes
    assert [line.get_markersize() > 0 for line in first.lines[:2]] == [True, True]
    assert [tick for tick in first.get_xticks() if 0.5 < tick < 1.5] == [1.0]
    assert first.lines[0].get_ydata().tolist() == [history[0]["losses"]["reconstruction"]]
    assert first.lines[1].get_ydata().tolist() == [history[0]["validation"]["reconstruction"]]
    assert "2 ln 2 = 1.386" in [text.get_text() for text in second.texts]
    assert any(np.allclose(line.get_ydata(), 2 * math.log(2)) for line in second.lines)
    released = drawing._losses(idaae(form="released"), history, "nats per pixel").axes[1]
    assert any(np.allclose(line.get_ydata(), math.log(2)) for line in released.lines)


def test_losses_without_validation_or_adversary():
    figure = figures_training.losses([1, 2], {"reconstruction": [0.5, 0.25]}, None, unit="pixel²")
    (axes,) = figure.axes
    assert axes.get_ylabel() == "pixel²"
    assert [text.get_text() for text in axes.texts] == ["train 0.250"]


def test_likelihood_marks_each_chosen_bandwidth():
    rows = made_up_evaluation()["likelihood"]["rows"]
    rows[1]["validation"][0] = -math.inf
    whole, peaks = figures_measures.likelihood_curves(rows, "title").axes
    assert whole.get_xscale() == peaks.get_xscale() == "log"
    for place, row in enumerate(rows):
        mark = peaks.lines[2 * place + 1]
        assert mark.get_xdata() == [row["bandwidth"]] and mark.get_ydata() == [row["validation"][3]]
    low, high = peaks.get_xlim()
    shown = [low <= bandwidth <= high for bandwidth in rows[0]["bandwidths"]]
    assert shown == [False] + [True] * 5 + [False] * 4


def test_first_neighbours_do_not_set_the_limits_of_the_dimension():
    rows = made_up_evaluation()["dimension"]["rows"]
    (axes,) = figures_measures.dimension_curves(rows, "title").axes
    assert axes.get_ylim() == pytest.approx((0, 1.12 * (8.0 + 500 / 8**4)))
    assert "real training images\n8.0 at k = 20" in [text.get_text() for text in axes.texts]


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
