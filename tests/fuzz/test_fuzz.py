"""A few seconds of the fuzzer with a fixed seed; `make fuzz` runs it for minutes with another seed each time."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.fuzz import run, worker
from tests.fuzz.kinds import Kind, all_kinds

CASES = 8


@pytest.fixture(scope="module")
def kinds(tmp_path_factory) -> dict[str, Kind]:
    return all_kinds(tmp_path_factory.mktemp("fuzz"))


def test_whole_examples_are_read(kinds, tmp_path):
    """Otherwise the fuzzer would see nothing but the first refusal."""
    for name, kind in kinds.items():
        for example in kind.examples if name != "command line" else [b'["doctor"]']:
            kind.read(Path(tempfile.mkdtemp(dir=tmp_path)), example)


def test_a_case_is_a_function_of_its_name(kinds):
    for kind in kinds:
        cases = {worker.make_case(kinds, kind, 1, index) for index in range(20)}
        assert cases == {worker.make_case(kinds, kind, 1, index) for index in range(20)} and len(cases) > 10, kind


def test_outcomes_are_told_apart(tmp_path, monkeypatch):
    def read(place: Path, content: bytes) -> None:
        exec(content.decode(), {"place": place})

    kinds = {"code": Kind([], [], read)}
    monkeypatch.setattr(worker, "SECONDS", 0.2)
    for code, outcome in (
        ("pass", "accepted"),
        ("raise ValueError('one line')", "ValueError"),
        ("raise ValueError('two\\nlines')", "ValueError in several lines"),
        ("open(place / 'nothing')", "FileNotFoundError"),
        ("raise KeyError('x')", "FAILED: KeyError"),
        ("raise RuntimeError('x')", "FAILED: RuntimeError"),
        ("while True: pass", "FAILED: Hang"),
    ):
        found, trace = worker.run_case(kinds, "code", code.encode(), tmp_path)
        assert found == outcome and (trace is None) == (outcome in ("accepted", "ValueError", "FileNotFoundError"))


@pytest.mark.slow
def test_a_short_run_finds_nothing(tmp_path):
    command = [sys.executable, "-m", "tests.fuzz.run", "--seed", "0", "--cases", str(CASES), "--save", str(tmp_path)]
    done = subprocess.run(command, cwd=run.ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].endswith("cases, 0 failed") and not list(tmp_path.iterdir())
