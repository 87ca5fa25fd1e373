"""The C++ engine under the sanitisers; `make sanitize` runs the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ISAS

RUN = Path(__file__).resolve().parents[1] / "sanitize" / "run.py"


def driven(folder: Path, **environment: str) -> str:
    """What the driver prints of a build in a folder."""
    done = subprocess.run([sys.executable, RUN, folder], capture_output=True, text=True, env=os.environ | environment)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.needs_cpp
@pytest.mark.slow
def test_sanitizers_have_nothing_to_report_of_portable_kernels(tmp_path):
    printed = driven(tmp_path, FASTDAAE_PORTABLE="1")
    assert "portable: nothing to report" in printed and "products of bf16 numbers and of bytes: nothing" in printed


@pytest.mark.needs_cpp
@pytest.mark.exhaustive
def test_sanitizers_have_nothing_to_report(tmp_path):
    printed = driven(tmp_path)
    assert all(f"{isa}: nothing to report" in printed for isa in ISAS)
