"""The report as its readers meet it: in a browser, on a telephone, a tablet and a desk, in the dark and on paper."""

import dataclasses

import pytest
import torch

import fastdaae as fd
from fastdaae import reporting
from fastdaae.data import Dataset, Split
from fastdaae.evaluation import Measure
from tests.models.reported import idaae, made_up
from tests.pages.browser import chromium, look_at

WIDTHS = {390: "narrow", 800: "wide", 1400: "wide"}
CLASSES = ("aeroplane", "automobile", *(f"animal number {i}" for i in range(2, 9)), "a_name_without_any_space_in_it")
LONG = "runs/" + "a-folder-of-a-very-long-name-" * 5
NOTES = {"command": f"fastdaae train --out {LONG}", "networks": {"file": f"/{LONG}/nets.py", "function": "make"}}


def measures() -> list[Measure]:
    """All kinds, over seeds, at the end of a grid, and one that could not be taken."""
    over_seeds = [
        dataclasses.replace(one, seed_deviation=12.5, settings={**one.settings, "seeds": 3, "note": "a note " * 12})
        if one.standard_error
        else one
        for one in made_up()
    ]
    return [*over_seeds, Measure("intrinsic dimension", "x(9)", reason="140 of 140 samples hold NaN " * 3)]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    torch.manual_seed(0)
    model, data = idaae(), fd.data.load("digits")
    dataset = Dataset(*(Split(part.images[:60], part.labels[:60]) for part in data[:3]), "digits", CLASSES)
    history = fd.Trainer(model, lr=1e-3, batch_size=20, epochs=2).fit(dataset, progress=False)
    measured = {"epoch": 1, "step": 3}
    config = {"model": model.config, "notes": NOTES, "data": "60x8x8"}
    folder = tmp_path_factory.mktemp("page")
    return reporting.build(model, dataset, history, measures(), folder, config=config, measured_at=measured)


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_reader_sees_all_of_it(browser, page, width, scheme):
    seen = look_at(browser, page, width, scheme)
    assert seen.faults == {}
    assert seen.charts == [f"{scheme}-{WIDTHS[width]}"] * 5
    assert max(seen.ground) < 60 if scheme == "dark" else min(seen.ground) > 240


def test_paper_is_light_and_whole(browser, page):
    a4 = 650  # CSS pixels between the margins
    seen = look_at(browser, page, a4, "dark", "print")
    assert seen.faults == {} and seen.charts == ["light-wide"] * 5 and seen.ground == (255, 255, 255)
    tab = browser.new_page()
    tab.goto(page.as_uri())
    tab.emulate_media(media="print")
    style = "[...document.querySelectorAll('figure, table.numbers')].map(one => getComputedStyle(one).breakInside)"
    assert set(tab.evaluate(style)) == {"avoid"}
    assert tab.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") in range(4, 10)
    tab.close()
