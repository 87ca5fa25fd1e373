"""A report says so where its numbers are of an earlier state of the run, or of another run."""

import json

import pytest

from fastdaae import run_folder
from fastdaae.cli import runs
from fastdaae.reporting import staleness

THEN = {"epoch": 2, "step": 40}


@pytest.mark.parametrize(
    ("recorded", "now", "told"),
    [
        (THEN, THEN, None),
        (THEN, {"epoch": 5, "step": 1100}, "measured at epoch 2, step 40, and the run is now at epoch 5, step 1,100"),
        ({**THEN, "run_id": "a"}, {**THEN, "run_id": "a"}, None),
        ({**THEN, "run_id": "a"}, {**THEN, "run_id": "b"}, "These numbers are of another run"),
        (THEN, {**THEN, "run_id": "b"}, None),
        ({**THEN, "run_id": "a"}, {"epoch": 3, "step": 60}, "the run is now at epoch 3, step 60"),
        (None, THEN, None),
        (THEN, None, None),
        ({**THEN, "run_id": None}, {**THEN, "run_id": "b"}, None),
    ],
)
def test_numbers_of_another_state_are_told_of(recorded, now, told):
    found = staleness.outdated(recorded, now)
    assert found is None if told is None else (told in found and "fastdaae evaluate" in found)


def test_a_run_trained_further_since_its_evaluation(tmp_path, capsys):
    small = {"hidden": "16", "code": 2, "batch_size": 600}
    runs.train(tmp_path, epochs=1, **small)
    runs.evaluate(tmp_path, samples=40, steps=1, k=5)
    assert json.loads((tmp_path / run_folder.EVALUATION).read_text())["checkpoint"]["epoch"] == 1
    page = tmp_path / "report" / "report.html"
    runs.report(tmp_path)
    assert "measured at" not in page.read_text()
    runs.train(tmp_path, epochs=3, **small)
    capsys.readouterr()
    runs.report(tmp_path)
    for text in (page.read_text(), " ".join(capsys.readouterr().out.split())):
        assert "measured at epoch 1, step 2, and the run is now at epoch 3, step 6: run fastdaae evaluate again" in text


def test_no_json_file_holds_nan(tmp_path):
    run_folder.write_json(tmp_path / "numbers.json", {"mean": 1.5})
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON"):
            run_folder.write_json(tmp_path / "numbers.json", {"mean": value})
    assert json.loads((tmp_path / "numbers.json").read_text()) == {"mean": 1.5}
