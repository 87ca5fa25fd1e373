"""The page of a recipe's result: the paper's numbers beside ours, verdicts, pictures, and what is missing."""

import json
import re

import pytest

from fastdaae import reporting
from fastdaae.reporting.reproduced import charts, pictures, tables
from fastdaae.reporting.reproduced.models import subjects
from fastdaae.reporting.reproduced.result import read_result
from tests.models.test_report import Page
from tests.reports.results import EVIL, facts, trained, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("result"))


@pytest.fixture(scope="module")
def page(folder):
    path = reporting.reproduction(folder)
    assert path == folder / "report.html"
    return Page(path.read_text())


def test_the_papers_numbers_stand_beside_ours(page):
    start = page.rows.index(["of", "ours", "the paper", "measured with"])
    assert page.rows[start + 1 : start + 8] == [
        ["reconstruction MSE, pixel², corrupted input, Table IV of the paper 100 test images"],
        ["AE", "0.0200 ± 0.0050", "0.0170 ± 0.0010", "2 seeds"],
        [EVIL, "0.0300 ± 0.0010 s.e.", "0.0230", ""],
        ["log-likelihood, nats, x(0), Table V of the paper 100 test images"],
        ["AE", "200.0 ± 0.0", "529.0", "2 seeds"],
        [EVIL, "210.0 ± 0.0 s.e.", "", ""],
        ["real training images", "241.2 ± 1.5 s.e.", "", ""],
    ]
    assert ["AE", "not measured", "", "the samples are equal"] in page.rows


def test_verdicts_failures_settings_and_notes_are_told(page):
    assert ["AE <= DAE", "does not hold", "the paper: holds; −0.25 ± 0.12"] in page.rows
    assert ["DAE >= AE", "holds", "the paper: not printed"] in page.rows
    for told in (
        "Of 2 claims of the paper, 1 does not hold, 1 holds.",
        f"{EVIL}, seed 1, failed: the codes hold NaN",
        "Late: 0 of 2 seeds were run so far.",
        "A note of the recipe.",
        "Theis et al. 2016",
    ):
        assert told in page.text, told
    assert ["epochs", "1"] in page.rows and ["machine", "two cores"] in page.rows
    assert ["time of all cells", "4 min 6 s"] in page.rows and "Generated images" not in page.text


def test_reports_are_linked_where_they_are(page, folder):
    links = [address for address in page.addresses if not address.startswith("data:")]
    assert links == ["cells/ae/seed-0/report/report.html"] and (folder / links[0]).exists()
    assert [
        "AE",
        "seed 0: finished after 1 min 2 s, cells/ae/seed-0seed 1: finished after 1 min 2 s, cells/ae/seed-1",
    ] in page.rows
    assert page.tags.isdisjoint({"script", "link", "iframe", "b" * 2})


def test_each_table_has_a_chart_and_each_kind_of_picture_its_models(page, folder):
    names = {path.stem for path in (folder / "figures").iterdir()}
    assert names == {"table-iv", "table-v", "reconstructions-digits", "filters", "top-down"}
    assert len(page.images) == 2 * 4 + 2 + 2 + 1
    result = read_result(folder)
    iv, v = charts.charts(result)
    (axes,) = iv.figure.axes
    points = {tuple(line.get_xydata()[0]) for line in axes.lines if len(line.get_xydata()) == 1}
    assert {x for x, _ in points} >= {0.02, 0.03, 0.017, 0.023}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["AE", EVIL]
    assert "dashed" not in iv.caption and "dashed line is what real" in v.caption
    titled = subjects(result)
    assert [title for title, _ in titled] == ["AE", EVIL]
    shown = {one.name: one for one in pictures.pictures(titled)}
    rebuilt = shown["reconstructions-digits"].gallery.blocks[0]
    assert rebuilt.rows == ("images", "AE", EVIL) and len(rebuilt.pictures) < 500
    assert [block.title for block in shown["filters"].gallery.blocks] == ["AE", EVIL]


def test_equal_folders_give_equal_pages_and_generated_images_are_owned_up_to(folder, tmp_path):
    first = (reporting.reproduction(folder)).read_bytes()
    assert reporting.reproduction(folder).read_bytes() == first and len(first) < 1_000_000
    without_runs = reporting.reproduction(write(tmp_path, stand_in=64, verdicts=[], notes=[])).read_text()
    assert "Generated images stand in for the data" in without_runs and "claims" not in without_runs


def _broken(**changes) -> dict:
    return {**facts(), **changes}


WRONG = {
    "seeds must be a list": _broken(seeds=3),
    "title is missing": {key: value for key, value in facts().items() if key != "title"},
    "folder must be inside the result's, got '../other'": _broken(
        cells=[{**facts()["cells"][0], "runs": [{**facts()["cells"][0]["runs"][0], "folder": "../other"}]}]
    ),
    r"cells\[0\].measures": _broken(cells=[{**facts()["cells"][0], "measures": [{"name": 3}]}]),
    "figures.*value must be a number": _broken(figures=[{**facts()["figures"][0], "value": "high"}]),
}


@pytest.mark.parametrize("told", WRONG)
def test_what_is_no_result_is_refused_in_one_line(told, tmp_path):
    (tmp_path / "result.json").write_text(json.dumps(WRONG[told]))
    with pytest.raises(ValueError, match=told) as raised:
        reporting.reproduction(tmp_path)
    assert (
        "\n" not in str(raised.value) and "result.json" in str(raised.value) and not (tmp_path / "report.html").exists()
    )


def test_a_folder_without_a_result_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=re.escape("result.json does not exist")):
        reporting.reproduction(tmp_path)


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        (["holds"], "1 holds."),
        (["holds", "holds"], "2 hold."),
        (["not measured", "odd"], "1 was not measured, 1 is “odd”."),
    ],
)
def test_claims_are_counted(verdicts, told, tmp_path):
    claims = [{"claim": "a", "verdict": verdict} for verdict in verdicts]
    assert tables.tally(read_result(write(tmp_path, verdicts=claims))).endswith(told)
