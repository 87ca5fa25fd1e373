"""What holds of every Triton operator, on a machine without a GPU."""

import pytest

from tests.gpu_free import run_interpreted

pytestmark = pytest.mark.needs_triton


def test_interpreted():
    run_interpreted("law_cases")
