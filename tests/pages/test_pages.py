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
from tests.reports import family, results

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


def of_model(folder):
    torch.manual_seed(0)
    model, data = idaae(), fd.data.load("digits")
    dataset = Dataset(*(Split(part.images[:60], part.labels[:60]) for part in data[:3]), "digits", CLASSES)
    history = fd.Trainer(model, lr=1e-3, batch_size=20, epochs=2).fit(dataset, progress=False)
    measured = {"epoch": 1, "step": 3}
    config = {"model": model.config, "notes": NOTES, "data": "60x8x8"}
    return reporting.build(model, dataset, history, measures(), folder, config=config, measured_at=measured)


def of_classifier(folder):
    model, data = family.model("classifier"), family.digits(60)
    dataset = data._replace(classes=CLASSES)
    history = fd.Trainer(model, batch_size=20, epochs=2).fit(dataset, progress=False)
    return reporting.build(model, dataset, history, None, folder)


def of_noise(folder):
    model, dataset = family.model("noise transformer"), family.digits(60)
    history = fd.Trainer(model, batch_size=20, epochs=2).fit(dataset, progress=False)
    return reporting.build(model, dataset, history, None, folder)


def of_result(folder):
    return reporting.reproduction(results.trained(folder))


# {what makes a page: how many charts it has}
PAGES = {of_model: 5, of_classifier: 3, of_noise: 4, of_result: 2}


@pytest.fixture(scope="module", params=PAGES, ids=lambda make: make.__name__)
def page(request, tmp_path_factory):
    """(a page, the number of its charts)."""
    return request.param(tmp_path_factory.mktemp("page")), PAGES[request.param]


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_reader_sees_all_of_it(browser, page, width, scheme):
    seen = look_at(browser, page[0], width, scheme)
    assert seen.faults == {}
    assert seen.charts == [f"{scheme}-{WIDTHS[width]}"] * page[1]
    assert max(seen.ground) < 60 if scheme == "dark" else min(seen.ground) > 240


def test_a_page_is_of_a_size_to_send(page):
    assert page[0].stat().st_size < 2_500_000


def test_paper_is_light_and_whole(browser, page):
    a4 = 650  # CSS pixels between the margins
    seen = look_at(browser, page[0], a4, "dark", "print")
    assert seen.faults == {} and seen.charts == ["light-wide"] * page[1] and seen.ground == (255, 255, 255)
    tab = browser.new_page()
    tab.goto(page[0].as_uri())
    tab.emulate_media(media="print")
    style = "[...document.querySelectorAll('figure, table.numbers')].map(one => getComputedStyle(one).breakInside)"
    assert set(tab.evaluate(style)) == {"avoid"}
    assert tab.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") in range(2, 12)
    tab.close()
