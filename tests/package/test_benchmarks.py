"""The benchmarks' measuring: rows take turns, a gate that fails costs its row alone, and what moved is said."""

import argparse
import importlib
import json
import os
import subprocess
import sys

import ceilings
import compare
import interleaved
import pytest
import record
from interleaved import Group, Ready, Row, Unavailable

from tests import tools

MODULES = sorted(path.stem for path in (tools.ROOT / "benchmarks").glob("bench_*.py"))


@pytest.fixture(autouse=True)
def _known_ceilings(monkeypatch):
    rates = iter(range(100, 200, 30))
    monkeypatch.setattr(interleaved, "ceilings", lambda names, moved: dict.fromkeys(names, next(rates)))


def _logged(name: str, log: list[str], seconds: float = 0.0) -> Row:
    def call():
        log.append(name)
        interleaved.time.sleep(seconds)

    return Row(name, lambda: Ready(call))


def test_rows_take_turns():
    log: list[str] = []
    rows = tuple(_logged(name, log) for name in ("ours", "peer", "other"))
    measured = interleaved.measure(Group("group", rows), rows, budget=0.1, aim=0.0)
    turns = [name for name, before in zip(log, [None, *log], strict=False) if name != before][3:]  # after preparation
    rounds = len(measured.rows["ours"].seconds)
    assert rounds >= 3 and turns == ["ours", "peer", "other"] * rounds
    assert all(len(timed.seconds) == rounds for timed in measured.rows.values())


def test_a_slot_times_as_many_calls_as_fit():
    with_slots = interleaved.prepared(_logged("ours", [], seconds=0.01), aim=0.1)
    assert 2 <= with_slots.calls <= 10 and with_slots.slot() >= 0.01
    assert interleaved.prepared(_logged("ours", []), aim=10.0).calls == 1000


def test_a_row_that_fails_its_gate_costs_itself_alone():
    def refuses():
        raise AssertionError("wrong")

    def lacks():
        raise Unavailable("not here")

    rows = (_logged("ours", []), Row("wrong", refuses), Row("absent", lacks))
    measured = interleaved.measure(Group("group", rows), rows, budget=0.0)
    assert isinstance(measured.rows["wrong"], AssertionError) and isinstance(measured.rows["absent"], Unavailable)
    assert len(measured.rows["ours"].seconds) == 3
    assert measured.ceiling_moved  # 100, then 130


def test_a_ceiling_that_moved_by_a_tenth_is_seen():
    assert not ceilings.has_moved({"a": 100.0}, {"a": 91.0})
    assert ceilings.has_moved({"a": 100.0}, {"a": 89.0}) and ceilings.has_moved({"a": 1, "b": 89}, {"a": 1, "b": 100})


def test_ratios_are_taken_round_by_round():
    drifting = [1.0, 2.0, 4.0, 8.0]
    assert interleaved.ratio_quartiles([2 * s for s in drifting], drifting) == [2.0, 2.0, 2.0]
    assert interleaved.ratio_quartiles([1.0, 2.0, 3.0, 4.0, 5.0], [1.0] * 5) == [2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    "ratios, verdict",
    [
        ([1.0, 1.01, 1.02, 0.99], "same"),
        ([1.05, 1.06, 1.5, 1.05], "SLOWER"),
        ([0.9, 0.91, 0.9, 0.95], "faster"),
        ([0.7, 1.0, 1.3, 1.5], "noisy"),
    ],
)
def test_verdicts(ratios, verdict):
    assert compare.Pair([1.0] * 4, ratios).verdict == verdict


class _Side:
    def __init__(self, name: str, log: list[str], prepared: dict, seconds: float = 1.0):
        self.name, self.log, self.prepared, self.seconds = name, log, prepared, seconds

    def ask(self, do: str, **_) -> dict:
        if do == "slot":
            self.log.append(self.name)
        return self.prepared if do == "prepare" else {"seconds": self.seconds}


OPTIONS = argparse.Namespace(slot=0.0, seconds=1.0, rounds=6)


def test_two_checkouts_take_turns_in_alternating_order():
    log: list[str] = []
    sides = (_Side("old", log, {"length": 0.1}), _Side("new", log, {"length": 0.1}, 1.1))
    pair = compare.run_row(sides, "row", OPTIONS)
    assert log == ["old", "new", "new", "old"] * 2 + ["old", "new"] and pair.verdict == "SLOWER"
    assert pair.quartiles == pytest.approx([1.1] * 3)


@pytest.mark.parametrize(
    "old, new, fails",
    [
        ({"length": 1}, {"failed": "wrong"}, True),
        ({"unavailable": "no"}, {"failed": "wrong"}, True),
        ({"length": 1}, {"unavailable": "gone"}, True),
        ({"unavailable": "no"}, {"length": 1}, False),
        ({"unavailable": "no"}, {"unavailable": "no"}, False),
    ],
)
def test_what_the_new_checkout_lost_counts(old, new, fails):
    pair = compare.run_row((_Side("old", [], old), _Side("new", [], new)), "row", OPTIONS)
    assert pair.fails == fails and pair.verdict == pair.problem != ""


def test_what_seems_slower_is_run_again(monkeypatch):
    passes = iter([{"a": 1.1, "b": 1.0, "c": 1.1}, {"a": 1.0, "c": 1.1}])

    def run_rows(options, rows):
        ratios = next(passes)
        assert list(ratios) == rows
        return {row: compare.Pair([1.0] * 4, [ratio] * 4) for row, ratio in ratios.items()}

    monkeypatch.setattr(compare, "run_rows", run_rows)
    found = compare.run_until_clear(OPTIONS, ["a", "b", "c"])
    assert {row: pair.verdict for row, pair in found.items()} == {"a": "same", "b": "same", "c": "SLOWER"}


@pytest.mark.parametrize("module", MODULES)
def test_groups_have_peers_and_rows_names_of_their_own(module):
    groups = importlib.import_module(module).GROUPS
    names = [(group.name, row.name) for group in groups for row in group.rows]
    assert len(names) == len(set(names))
    for group in groups:
        assert any(row.by is None for row in group.rows) and any(row.by for row in group.rows)


def test_rows_are_shown_and_recorded(tmp_path):
    pytest.importorskip("pytest_benchmark")
    raw = tmp_path / "raw.json"
    command = [sys.executable, "-m", "pytest", "benchmarks/bench_overhead.py", "-k", "corrupt"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    options = ["--benchmark-only", f"--benchmark-json={raw}", "-p", "no:cacheprovider"]
    ran = subprocess.run([*command, *options], cwd=tools.ROOT, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
    assert "rows beside their peers" in ran.stdout and "2 passed" in ran.stdout
    entries = {entry["params"]["case"]: entry for entry in json.loads(raw.read_text())["benchmarks"]}
    ours, peer = entries["corrupt 4 x 8 | ours"], entries["corrupt 4 x 8 | torch"]
    assert ours["options"]["timer"] == "recorded_seconds" and ours["stats"]["min"] > 0
    assert ours["stats"]["rounds"] == peer["stats"]["rounds"] >= 3
    expected = interleaved.ratio_quartiles(peer["stats"]["data"], ours["stats"]["data"])
    assert ours["extra_info"]["ratio_quartiles"]["torch"] == pytest.approx(expected, rel=1e-3)
    assert ours["extra_info"]["best_peer"] == "torch"
    assert ours["extra_info"]["ratio_to_best"] == ours["extra_info"]["ratio_quartiles"]["torch"][1]
    before, after = ours["extra_info"][ceilings.FMA]
    assert ours["extra_info"]["ceiling_moved"] == (abs(before - after) > 0.1 * max(before, after))
    [written] = record.write_record(raw, tmp_path / "results")
    kept = json.loads(written.read_text())
    assert written.name == "overhead.json" and kept["threads"] == 1 and kept["versions"]["torch"]
    assert [row["row"] for row in kept["rows"]] == ["ours", "torch"]
    assert kept["rows"][0]["median"] == pytest.approx(ours["stats"]["median"], rel=1e-3)
