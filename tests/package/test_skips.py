"""Skips are counted at the end of a run, and are failures where FASTDAAE_REQUIRE names what is missing."""

import os
import subprocess
import sys

import pytest

from tests import tools

SOME = """
import pytest
@pytest.mark.needs_data
@pytest.mark.parametrize("number", range(3))
def test_of_data(number): raise RuntimeError("no data")
def test_by_hand(): pytest.skip("no such tool")
def test_that_runs(): pass
"""


@pytest.fixture
def run_some(tmp_path):
    """run_some(FASTDAAE_REQUIRE): the last lines of a run of SOME under this folder's hooks, without any data."""
    hooks = "pytest_collection_modifyitems, pytest_terminal_summary"
    (tmp_path / "conftest.py").write_text(f"from tests.conftest import {hooks}")
    (tmp_path / "test_some.py").write_text(SOME)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -ra\nmarkers = needs_data: data")

    def run(required: str) -> list[str]:
        environment = os.environ | {"FASTDAAE_REQUIRE": required, "PYTHONPATH": str(tools.ROOT)}
        environment.pop("FASTDAAE_DATA", None)
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(tmp_path)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        return done.stdout.strip().splitlines()

    return run


def test_the_last_lines_count_what_was_skipped_and_why(run_some):
    *before, title, data, by_hand, _ = run_some("")
    assert " skipped " in title and any("short test summary" in line for line in before)
    assert data.split(maxsplit=1) == ["3", "FASTDAAE_DATA is not set"]
    assert by_hand.split(maxsplit=1) == ["1", "no such tool"]


def test_what_is_required_fails_instead(run_some):
    printed = run_some("cuda,data")
    assert "3 failed, 1 passed, 1 skipped" in printed[-1] and printed[-2].split(maxsplit=1) == ["1", "no such tool"]
