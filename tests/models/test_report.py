"""The report: a page that needs nothing else, numbers as given, pictures in their places."""

import base64
import io
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from PIL import Image

import fastdaae as fd
from fastdaae import reporting
from fastdaae.data import Dataset, Split
from fastdaae.evaluation import Measure
from fastdaae.reporting import drawing
from fastdaae.reporting.drawing import measured, training
from fastdaae.reporting.drawing.reconstructions import reconstructions
from fastdaae.reporting.figures.looks import WIDE
from tests.models.reported import WINDOW, accuracy, digits, dimension, idaae, likelihood, made_up, networks

SAMPLED = ["losses", "reconstructions", "robustness-pictures", "samples", "chain", "latent-grid", "interpolation"]
SAMPLED += ["code-histograms", "code-plane", "filters"]
MEASURED = ["likelihood", "dimension"]
# images of a figure on the page: a chart's four looks, a gallery's blocks
IMAGES = {"reconstructions": 2, "robustness-pictures": 2, "samples": 2, "chain": 1, "latent-grid": 1}
IMAGES |= {"interpolation": 1, "filters": 1}


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
            self.images.append(base64.b64decode(given["src"].removeprefix("data:image/webp;base64,"), validate=True))
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


def images_of(names: list[str]) -> int:
    return sum(IMAGES.get(name, 4) for name in names)


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(0)
    model, dataset = idaae(), digits()
    return model, dataset, fd.Trainer(model, lr=1e-3, batch_size=20, epochs=2).fit(dataset, progress=False)


@pytest.fixture(scope="module")
def built(trained, tmp_path_factory):
    model, dataset, history = trained
    folder = tmp_path_factory.mktemp("report")
    path = reporting.build(model, dataset, history, made_up(), folder, seed=3)
    return path, Page(path.read_text(encoding="utf-8"))


def test_page_is_self_contained(built):
    path, page = built
    assert path.name == "report.html"
    assert page.addresses and all(address.startswith("data:image/webp;base64,") for address in page.addresses)
    assert page.tags.isdisjoint({"script", "link", "iframe", "object"})
    assert path.read_text().count('<tr class="real">') == 2
    assert "url(" not in path.read_text() and "@import" not in path.read_text()


def test_every_figure_is_embedded_and_written(built):
    path, page = built
    names = SAMPLED + MEASURED
    written = {file.name: file for file in (path.parent / "figures").iterdir()}
    assert sorted(written) == sorted(f"{name}.{kind}" for name in names for kind in ("pdf", "png", "svg"))
    shown = [Image.open(io.BytesIO(image)) for image in page.images]
    assert len(shown) == images_of(names) and {picture.format for picture in shown} == {"WEBP"}
    for name in names:
        of_figure, shown = shown[: IMAGES.get(name, 4)], shown[IMAGES.get(name, 4) :]
        picture = Image.open(written[f"{name}.png"])
        assert 1200 <= picture.width <= 2600 and 400 <= picture.height <= 1600
        assert all(np.asarray(one.convert("L")).std() > 5 for one in (picture, *of_figure)), name
        if name not in IMAGES:
            wide, narrow, dark, dark_narrow = (np.asarray(one.convert("RGB")).astype(int) for one in of_figure)
            assert np.array_equal(wide, np.asarray(picture))
            assert narrow.shape == dark_narrow.shape and narrow.shape[1] < 900 and dark.shape == wide.shape
            assert wide[0, 0].min() == 255 and dark[0, 0].max() < 40


def test_table_holds_the_numbers_given(built):
    _, page = built
    window = "1,000 samples, bandwidth 0.2154, 250 test images"
    svm = "8 numbers an image, 1,297 training images, 250 test images"
    assert page.rows[:15] == [
        ["of", "value", "measured with"],
        ["reconstruction MSE, pixel²"],
        ["corrupted input", "0.0234 ± 0.0006", "1,250 test images"],
        ["clean input", "0.0123 ± 0.0005", "1,250 test images"],
        ["log-likelihood, nats"],
        ["x(0)", "−1,201.0 ± 1.2", window],
        ["x(5)", "29.0 ± 1.2", window],
        ["real training images", "19.0 ± 1.2", window],
        ["test accuracy"],
        ["SVM on codes", "95.12%", svm],
        ["SVM on PCA", "94.73%", svm],
        ["intrinsic dimension"],
        ["x(0)", "6.50 ± 0.12", "n = 1,000, k = 20"],
        ["x(5)", "4.25 ± 0.12", "n = 1,000, k = 20"],
        ["real training images", "8.00 ± 0.12", "n = 1,000, k = 20"],
    ]
    assert ["corruption", "Gaussian(sigma=0.3)"] in page.rows and ["epochs done", "2"] in page.rows
    assert "Theis et al. 2016" in page.text
    for sentence in (
        "Reconstruction MSE, pixel² (1,250 test images): corrupted input 0.0234 ± 0.0006, clean input 0.0123 ± 0.0005.",
        "Test accuracy (8 numbers an image, 1,297 training images, 250 test images): SVM on codes 95.12%, SVM on PCA",
        "Intrinsic dimension (n = 1,000, k = 20): x(0) 6.50 ± 0.12, x(5) 4.25 ± 0.12, real training images 8.00 ± 0.1",
    ):
        assert sentence in page.text


def test_equal_seeds_give_equal_pages_and_the_model_keeps_its_mode(built, trained, tmp_path):
    model, dataset, history = trained
    model.train()
    again = reporting.build(model, dataset, history, made_up(), tmp_path / "new" / "folder", seed=3)
    assert model.training and again.read_bytes() == built[0].read_bytes()
    for figure in (built[0].parent / "figures").iterdir():
        assert figure.read_bytes() == (again.parent / "figures" / figure.name).read_bytes(), figure.name


def test_without_evaluation(trained, tmp_path):
    model, dataset, history = trained
    config = {"model": model.config, "trainer": {"optimizer": "adam", "lr": 1e-3}, "data": "60x8x8", "made_with": {}}
    path = reporting.build(model, dataset, history[:1], None, str(tmp_path), config=config)
    page = Page(path.read_text())
    assert len(page.images) == images_of(SAMPLED) and "fastdaae evaluate" in page.text
    assert '<table class="numbers"' not in path.read_text()
    assert ["learning rate", "0.001"] in page.rows and ["training data", "60x8x8"] in page.rows


def test_plane_codes_no_labels_no_corruption_no_history(tmp_path):
    model = fd.AAE(*networks(64, 2), prior=fd.priors.RingMixture())
    page = Page(reporting.build(model, digits(labels=False), [], None, tmp_path).read_text())
    assert len(page.images) == images_of(SAMPLED[1:])
    assert not (tmp_path / "figures" / "losses.png").exists()


def test_colour_images_from_a_flat_decoder(tmp_path):
    images = torch.randint(0, 256, (40, 3, 8, 8), dtype=torch.uint8)
    split = Split(images, None)
    reporting.build(idaae(192, 1), Dataset(split, None, None, "colour"), [], None, tmp_path)
    for name in ("reconstructions", "samples", "chain"):
        pixels = np.asarray(Image.open(tmp_path / "figures" / f"{name}.png").convert("RGB")).astype(int)
        assert (pixels.max(axis=2) - pixels.min(axis=2)).max() > 40, name


def test_text_from_outside_is_escaped(trained, tmp_path):
    model, _, history = trained
    evil = "<script>alert('&\"1')</script>"
    measures = [likelihood(evil, 3.0), *made_up(), accuracy(evil, 0.5), Measure(evil, evil, 1.0, unit=evil)]
    config = {"model": {"model": evil, evil: {"name": evil}}, "data": evil}
    path = reporting.build(model, digits(evil), history, measures, tmp_path, config=config)
    page = Page(path.read_text())
    assert "script" not in page.tags and evil not in path.read_text()
    assert page.text.count(evil) >= 8
    assert any(evil in row for row in page.rows)


def test_data_without_splits_is_refused(trained, tmp_path):
    with pytest.raises(TypeError, match="dataset must be a Dataset with a train split, got Tensor"):
        reporting.build(trained[0], torch.zeros(3, 64), [], None, tmp_path)


@pytest.mark.parametrize("measures", [{}, {"likelihood": 3}, [], [{"name": "log-likelihood"}], "measures"])
def test_measures_of_another_making_are_refused(trained, measures, tmp_path):
    with pytest.raises(TypeError, match="measures must be a list of Measures as .*evaluate gives, got"):
        reporting.build(trained[0], digits(), [], measures, tmp_path)


@pytest.mark.parametrize("curve", [None, {"k": [1.0]}, {"bandwidths": [0.1], "other": [1.0]}])
@pytest.mark.parametrize("name", ["log-likelihood", "intrinsic dimension"])
def test_a_figure_without_its_curve_says_so(name, curve):
    (drawn,) = measured.draw_measures([Measure(name, "x(0)", 1.0, settings=WINDOW, curve=curve)])
    assert drawn.figure is None and re.search(f"the {name} of x.0. has no curve of .*evaluate again", drawn.caption)


@pytest.fixture
def undrawn(monkeypatch):
    monkeypatch.setattr(drawing, "draw", lambda *given, **options: iter(()))


@pytest.mark.usefixtures("undrawn")
def test_a_measure_of_a_new_kind_needs_nothing_else(trained, tmp_path):
    model, dataset, _ = trained
    measures = [*made_up(), Measure("relative diversity", "x(5)", 0.5, 0.25, settings={"pairs": 12_000})]
    page = Page(reporting.build(model, dataset, [], measures, tmp_path).read_text())
    assert page.rows[15:17] == [["relative diversity"], ["x(5)", "0.50 ± 0.25", "12,000 pairs"]]
    assert "Relative diversity (12,000 pairs): x(5) 0.50 ± 0.25." in page.text


def test_corrupted_row_is_what_the_encoder_was_given(trained, monkeypatch):
    model, dataset, _ = trained
    shown, given = {}, []
    monkeypatch.setattr("fastdaae.reporting.drawing.reconstructions.image_rows", lambda rows, _: shown.update(rows))
    monkeypatch.setattr(type(model), "encode", lambda self, x: given.append(x) or self.encoder(x / 1.0))
    with torch.no_grad():
        reconstructions(drawing.Subject(model, dataset, "test", [], [], "", 7))
    assert list(shown) == ["clean", "corrupted\nσ = 0.3", "reconstructed", "PCA of\n3 numbers"]
    assert np.array_equal(shown["corrupted\nσ = 0.3"], given[0].clamp(0, 1).numpy().reshape(12, 8, 8))
    assert np.array_equal(shown["clean"], (dataset.test.images[:12] / 255).numpy())
    assert np.abs(shown["PCA of\n3 numbers"] - shown["clean"]).mean() < 0.2


def test_one_epoch_is_seen_as_a_point_and_the_equilibrium_is_drawn(trained, monkeypatch):
    model, _, history = trained
    first, second = training.losses(model, history[:1], "nats per pixel")[1](WIDE).axes
    assert [line.get_markersize() > 0 for line in first.lines[:2]] == [True, True]
    assert [tick for tick in first.get_xticks() if 0.5 < tick < 1.5] == [1.0]
    assert first.lines[0].get_ydata().tolist() == [history[0]["losses"]["reconstruction"]]
    assert first.lines[1].get_ydata().tolist() == [history[0]["validation"]["reconstruction"]]
    assert "2 ln 2 = 1.386" in [text.get_text() for text in second.texts]
    assert any(np.allclose(line.get_ydata(), 2 * math.log(2)) for line in second.lines)
    released = training.losses(idaae(form="released"), history, "nats per pixel")[1](WIDE).axes[1]
    assert any(np.allclose(line.get_ydata(), math.log(2)) for line in released.lines)


@pytest.mark.usefixtures("undrawn")
def test_points_that_a_dimension_leaves_out_are_told(trained, tmp_path):
    model, dataset, _ = trained
    measures = [dimension("x(0)", 3.0), dimension("x(5)", 4.25, duplicates_left_out=12, tied_points_left_out=3)]
    page = Page(reporting.build(model, dataset, [], measures, tmp_path).read_text())
    told = "n = 1,000, k = 20, 12 duplicates left out, 3 tied points left out"
    assert ["x(5)", "4.25 ± 0.12", told] in page.rows


@pytest.mark.usefixtures("undrawn")
def test_the_settings_tell_how_the_run_was_made(trained, tmp_path):
    model, dataset, history = trained
    notes = {
        "command": "fastdaae train --out runs/a",
        "networks": {"file": "/home/a/nets.py", "function": "make", "sha256": "c0ffee" * 10},
    }
    config = {"model": model.config, "notes": notes, "made_with": {"fastdaae": "0.0.9", "torch": "2.6"}}
    page = Page(reporting.build(model, dataset, history, None, tmp_path, config=config).read_text())
    assert ["command", "fastdaae train --out runs/a"] in page.rows
    assert ["networks", "/home/a/nets.py:make, SHA-256 c0ffeec0ffee…"] in page.rows
    assert ["made with", "fastdaae 0.0.9, torch 2.6"] in page.rows
    assert f"Made with fastdaae {fd.__version__}" in page.text
