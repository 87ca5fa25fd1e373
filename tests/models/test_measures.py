"""Measures as records: what they refuse, what they are in a file, and how they are told."""

import json
import math

import numpy as np
import pytest

from fastdaae import run_folder
from fastdaae.evaluation import Measure, read_evaluation, telling, write_evaluation
from fastdaae.evaluation.attempt import attempt
from fastdaae.evaluation.measure import from_json, to_json
from tests.cli.edited_runs import changed, refused

TAKEN = Measure(
    "log-likelihood",
    "x(0)",
    -1234.56,
    0.449,
    "nats",
    digits=1,
    settings={"samples": 1000, "bandwidth": 0.21544, "ties": 0, "k": 20, "note": "at the end of its grid"},
    curve={"bandwidths": [0.1, 0.2], "validation": [-math.inf, 2.0]},
)
SEEDED = Measure(
    "log-likelihood",
    "x(5)",
    208.53,
    1.87,
    "nats",
    digits=1,
    settings={"samples": 1000, "seeds": 3},
    curve={"bandwidths": [0.1], "validation": [2.0], "standard_error": [math.nan], "seed_deviation": [0.5]},
    seed_deviation=0.72,
)
IMPOSSIBLE = Measure("log-likelihood", "x(5)", unit="nats", reason="it diverged")
FACTS = {"model": "IDAAE", "data": "digits", "seed": 3, "checkpoint": {"run_id": "a", "epoch": 2, "step": 40}}


def test_measures_are_the_same_after_json():
    written = json.loads(json.dumps(to_json([TAKEN, IMPOSSIBLE]), allow_nan=False))
    assert from_json(written) == [TAKEN, IMPOSSIBLE]
    assert written[1] == {"name": "log-likelihood", "of": "x(5)", "value": None, "unit": "nats", "digits": 2} | {
        "reason": "it diverged"
    }
    assert TAKEN.curve["validation"] == [None, 2.0]
    # a deviation over seeds is there where there are several, and earlier files have none
    assert "seed_deviation" not in written[0] and from_json(written)[0].seed_deviation is None
    seeded = json.loads(json.dumps(to_json([SEEDED]), allow_nan=False))
    assert from_json(seeded) == [SEEDED] and seeded[0]["seed_deviation"] == 0.72
    assert Measure("a", "b", 1.0, seed_deviation=math.nan).seed_deviation is None
    numpys = Measure("a", "b", 1.0, settings={"k": np.int64(3), "h": np.float32(0.5)}, curve={"k": [np.int64(2)]})
    assert json.loads(json.dumps(to_json([numpys])))[0]["settings"] == {"k": 3, "h": 0.5}


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ("value must be finite, got nan", {"value": math.nan}),
        ("value must be finite, got inf", {"value": math.inf}),
        ("reason must say why there is no value", {"value": None}),
        ("curve.b must be a list of 2 like a, got a list of 1", {"value": 1.0, "curve": {"a": [1, 2], "b": [1]}}),
        ("settings.h must be finite", {"value": 1.0, "settings": {"h": math.inf}}),
    ],
)
def test_a_measure_is_a_number_or_a_reason(message, fields):
    with pytest.raises(ValueError, match=message):
        Measure("a", "b", **fields)


def test_what_cannot_be_taken_or_is_not_finite_has_a_reason():
    def raises():
        raise ValueError("all points\nare equal")

    def kind(**fields):
        return Measure("dimension", **fields)

    assert attempt(kind, "x", raises) == Measure("dimension", "x", reason="all points are equal")
    assert attempt(kind, "x", lambda: {"value": -math.inf}).reason == "its value is -inf, which is no finite number"
    taken = attempt(kind, "x", lambda: {"value": 1.0, "standard_error": math.nan})
    assert taken == Measure("dimension", "x", 1.0)


def test_numbers_are_told_in_one_way():
    assert telling.rows([TAKEN, IMPOSSIBLE]) == [
        (
            "log-likelihood, nats",
            "x(0)",
            "−1,234.6 ± 0.4",
            "1,000 samples, bandwidth 0.2154, k = 20, at the end of its grid",
            False,
        ),
        ("log-likelihood, nats", "x(5)", "not measured", "it diverged", False),
    ]
    accuracy = Measure("test accuracy", "real training images", 0.95125, 0.01, "share", digits=1)
    assert telling.rows([accuracy])[0] == ("test accuracy", "real training images", "95.1% ± 1.0%", "", True)


def test_a_measure_of_several_seeds_tells_how_far_they_differ():
    told = "208.5 ± 1.9 (± 0.7 over 3 seeds)"
    assert telling.rows([SEEDED])[0].value == told
    assert str(SEEDED) == f"log-likelihood, nats: x(5) {told} (1,000 samples, 3 seeds)"
    assert telling.sentences([SEEDED]) == [f"Log-likelihood, nats (1,000 samples, 3 seeds): x(5) {told}."]
    share = Measure("test accuracy", "codes", 0.95, unit="share", digits=1, seed_deviation=0.01)
    assert telling.value_of(share) == "95.0% (± 1.0% over seeds)"
    assert str(IMPOSSIBLE) == "log-likelihood, nats: x(5) not measured (it diverged)"
    assert "validation" not in repr(TAKEN) and "value=-1234.56" in repr(TAKEN)


def test_sentences_tell_what_the_measures_share():
    other = Measure("log-likelihood", "real training images", 2.0, unit="nats", digits=1, settings={"samples": 1000})
    assert telling.sentences([TAKEN, IMPOSSIBLE, other, Measure("dimension", "x(0)", 3.0)]) == [
        "Log-likelihood, nats (1,000 samples): x(0) −1,234.6 ± 0.4, x(5) not measured, real training images 2.0.",
        "Dimension: x(0) 3.00.",
    ]
    assert telling.sentences([IMPOSSIBLE]) == ["Log-likelihood, nats: x(5) not measured."]


def test_an_evaluation_is_read_as_it_was_written(tmp_path):
    assert read_evaluation(tmp_path) is None
    write_evaluation(tmp_path, [TAKEN, IMPOSSIBLE], **FACTS)
    found = read_evaluation(tmp_path)
    assert found.measures == [TAKEN, IMPOSSIBLE] and found._asdict() == {**FACTS, "measures": found.measures}


@pytest.mark.parametrize(
    ("key", "new", "words"),
    [
        ("measures", [], "measures must be a list of at least 1 items, got a list of 0"),
        ("measures", {"likelihood": 3}, "measures must be a list of at least 1 items, got an object of 1"),
        ("measures.0", 3, "measures[0] must be an object, got 3"),
        ("measures.0.value", "low", "measures[0].value must be a number, got 'low'"),
        ("measures.0.value", float("inf"), "measures[0].value must be a finite number, got inf"),
        ("measures.0.value", None, "measures[0].reason must say why there is no value"),
        ("measures.0.seed_deviation", "1", "measures[0].seed_deviation must be a number, got '1'"),
        ("measures.0.standard_error", [1], "measures[0].standard_error must be a number, got a list of 1"),
        ("measures.0.name", None, "measures[0].name must be a text, got None"),
        ("measures.0.digits", -1, "measures[0].digits must be a whole number in 0..20, got -1"),
        ("measures.0.digit", 1, "measures[0].digit is unknown; known are name, of, value"),
        ("measures.0.settings.k", [2], "measures[0].settings.k must be a number, got a list of 1"),
        ("measures.0.settings", None, "measures[0].settings must be an object, got None"),
        ("measures.0.curve.bandwidths", [0.1], "measures[0].curve.validation must be a list of 1 like bandwidths"),
        ("measures.0.curve.validation.1", "x", "measures[0].curve.validation[1] must be a number, got 'x'"),
        ("measures.1.reason", 3, "measures[1].reason must be a text, got 3"),
        ("model", 3, "model must be a text, got 3"),
        ("checkpoint", {"epoch": "1"}, "checkpoint.epoch must be a whole number >= 0, got '1'"),
    ],
)
def test_wrong_values_of_an_evaluation(tmp_path, key, new, words):
    path = tmp_path / run_folder.EVALUATION
    write_evaluation(tmp_path, [TAKEN, IMPOSSIBLE], **FACTS)
    path.write_text(json.dumps(changed(json.loads(path.read_text()), key, new)))
    refused(lambda: read_evaluation(tmp_path), str(path), words, "evaluate again")


def test_an_evaluation_of_an_earlier_layout_is_to_be_made_again(tmp_path):
    former = {"model": "IDAAE", "data": "digits", "seed": 0, "reconstruction": {}, "likelihood": {}, "dimension": {}}
    run_folder.write_json(tmp_path / run_folder.EVALUATION, former)
    refused(lambda: read_evaluation(tmp_path), "layout of an earlier version; run fastdaae evaluate again")
