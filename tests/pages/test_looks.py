"""Charts in every look: no text is cut or covered, colours stand out from both grounds, and vectors keep their text."""

import base64
import dataclasses
import io
import itertools
import re

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from fastdaae.reporting import figures
from fastdaae.reporting.figures import files, pictures
from fastdaae.reporting.figures.looks import DARK, DARK_WIDE, LIGHT, NARROW, WIDE
from tests.models.reported import made_up

RANDOM = np.random.default_rng(0)
Panel = figures.training.Panel
ADVERSARIAL = [("discriminator", [1.0, 1.25]), ("encoder", [0.7, np.nan])]
LOSSES = [
    Panel("Reconstruction loss", "nats per pixel", [("train", [0.5, 0.25]), ("validation", [0.5, 0.5])]),
    Panel("Adversarial losses", "nats", ADVERSARIAL, (1.386, "2 ln 2 = 1.386")),
]
ACCURACY = [
    Panel("Classification loss", "nats", [("train", [2.3, 0.0001]), ("validation", [2.0, 1.5])]),
    Panel("Accuracy", "share of images", [("validation", [0.5, 0.98])]),
]
SIGMA = 0.4 + RANDOM.exponential(0.05, 900)
OF = {"x(0)": "x(0) of a model whose name is long", "x(5)": "x(5)"}
NAMED = [dataclasses.replace(one, of=OF.get(one.of, one.of)) for one in made_up()]
LIKELIHOODS = [one for one in NAMED if one.name == "log-likelihood"]
DIMENSIONS = [one for one in NAMED if one.name == "intrinsic dimension"]
PLANE = RANDOM.normal(size=(60, 2))
CODES = {name: RANDOM.normal(size=(500, 2)) for name in ("prior", "clean", "corrupted")}
CLASSES = ("5$ or $\\frac$", *(f"class {i} with a name that never ends" for i in range(1, 12)))
TITLE = "t-SNE of the 64-D codes of 2,000 validation images"
CHARTS = {
    "losses": lambda look: figures.training.losses([1, 2], LOSSES, look),
    "accuracy": lambda look: figures.training.losses([1, 2], ACCURACY, look),
    "sigma": lambda look: figures.distributions.histogram(
        SIGMA, {"mean": SIGMA.mean(), "floor": 0.4}, title="Noise of 900 validation images", x_label="σ", look=look
    ),
    "confusion": lambda look: figures.matrices.confusion(
        RANDOM.integers(0, 90, (10, 10)), CLASSES[:10], title="Per cent of each label", look=look
    ),
    "many classes": lambda look: figures.matrices.confusion(
        RANDOM.integers(0, 9, (200, 200)), [str(i) for i in range(200)], title="Labels and answers", look=look
    ),
    "histograms": lambda look: figures.codes.code_histograms(
        {name: codes[:, :1] for name, codes in CODES.items()},
        "Codes of 10,000 validation images beside the prior",
        look,
    ),
    "plane of codes": lambda look: figures.codes.code_histograms(
        CODES, "Codes of 10,000 validation images beside the prior", look
    ),
    "classes": lambda look: figures.codes.code_plane(
        PLANE, np.arange(60) % 12, title=TITLE, axis_names=None, classes=CLASSES, look=look
    ),
    "digits": lambda look: figures.codes.code_plane(PLANE, np.arange(60) % 10, title=TITLE, axis_names=None, look=look),
    "ring": lambda look: figures.codes.code_plane(
        PLANE, np.arange(60) % 4, title=TITLE, axis_names=("code 1", "code 2"), classes=CLASSES, look=look
    ),
    "no labels": lambda look: figures.codes.code_plane(PLANE, None, title=TITLE, axis_names=None, look=look),
    "labels": lambda look: figures.codes.code_plane(
        PLANE, np.arange(60) % 30, title=TITLE, axis_names=("code 1", "code 2"), look=look
    ),
    "likelihood": lambda look: figures.measures.likelihood_curves(LIKELIHOODS, look),
    "dimension": lambda look: figures.measures.dimension_curves(DIMENSIONS, look),
}


def texts_of(figure):
    """The titles, labels and legends of a drawn figure."""
    for axes in figure.axes:
        legend = axes.get_legend()
        yield axes.title if axes.title.get_text() else axes._left_title
        yield from (axes.xaxis.label, axes.yaxis.label, *axes.texts, *(legend.get_texts() if legend else ()))
    yield from figure.texts


@pytest.mark.parametrize("look", [WIDE, NARROW, DARK_WIDE], ids=["wide", "narrow", "dark"])
@pytest.mark.parametrize("chart", CHARTS)
def test_no_text_is_cut_or_covered(chart, look):
    figure = CHARTS[chart](look)
    FigureCanvasAgg(figure).draw()
    # names on the points may stand close to each other
    boxes = {
        text: text.get_window_extent() for text in texts_of(figure) if text.get_text() and not text.get_bbox_patch()
    }
    assert boxes
    whole = figure.bbox.padded(1)
    for text, box in boxes.items():
        assert whole.containsx(box.x0) and whole.containsx(box.x1), text
        assert whole.containsy(box.y0) and whole.containsy(box.y1), text
    for (text, box), (other, other_box) in itertools.combinations(boxes.items(), 2):
        assert not box.padded(-2).overlaps(other_box.padded(-2)), (text, other)


def luminance(color: str) -> float:
    values = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(values <= 0.03928, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_stand_out_from_their_ground(palette):
    for color in (palette.ink, palette.muted, *palette.series):
        assert contrast(color, palette.ground) >= 4.5, color
    for color in palette.classes:
        assert contrast(color, palette.ground) >= 3, color
    for color in (palette.ink, palette.muted):
        assert contrast(color, palette.shade) >= 4.5, color
    assert len(set(palette.series)) == 5 and len(set(palette.classes)) == 10


def test_vectors_keep_text_as_text_and_have_no_date():
    figure = CHARTS["losses"](WIDE)
    files.picture_of(figure)
    svg, pdf = (files.vector_bytes(figure, kind) for kind in ("svg", "pdf"))
    assert b">Reconstruction loss</text>" in svg and b"<dc:date>" not in svg
    assert b"/CIDFontType2" in pdf and b"/FontFile2" in pdf and b"Date" not in pdf
    again = CHARTS["losses"](WIDE)
    files.picture_of(again)
    assert [files.vector_bytes(again, kind) for kind in ("svg", "pdf")] == [svg, pdf]


def test_vectors_hold_the_pictures_themselves():
    samples = RANDOM.integers(0, 256, (60, 8, 8, 3)) / 255
    figure = figures.samples.figure_of(figures.samples.sample_grids([("x(0)", samples)], "title"))
    files.picture_of(figure)
    (embedded,) = re.findall(rb"data:image/png;base64,([^\"]+)", files.vector_bytes(figure, "svg"))
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(embedded))).convert("RGBA"))
    assert np.array_equal(image, pictures.grid(samples, 10))
