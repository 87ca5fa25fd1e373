"""The C++ engine under the sanitisers; `make sanitize` runs the same."""

import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parents[1] / "sanitize" / "run.py"


@pytest.mark.needs_cpp
@pytest.mark.slow
def test_sanitizers_have_nothing_to_report(tmp_path):
    done = subprocess.run([sys.executable, RUN, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "portable: nothing to report" in done.stdout
