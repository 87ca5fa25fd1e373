"""The recorder of bits: equal versions give equal records, and a record that differs is told, with exit code 1."""

import json

import pytest

from tests.bits import __main__ as bits

pytestmark = pytest.mark.needs_cpp


def test_records_of_one_version_are_equal_and_a_changed_one_is_told(tmp_path, monkeypatch, capsys):
    records = tmp_path / "a.json", tmp_path / "b.json"
    for out in records:
        bits.record(out, bits.ROOT, "priors")
    monkeypatch.setattr("sys.argv", ["bits", "--compare", *map(str, records)])
    assert bits.main() == 0
    changed = json.loads(records[1].read_text())
    key = next(key for key in changed if key.startswith("cpp"))
    changed[key]["hash"] = "0"
    del changed[next(key for key in changed if key.startswith("reference"))]
    records[1].write_text(json.dumps(changed))
    capsys.readouterr()
    assert bits.main() == 1
    told = capsys.readouterr().out
    assert f"{key}: float32" in told and f"only in {records[0]}: reference" in told and "2 differ" in told
