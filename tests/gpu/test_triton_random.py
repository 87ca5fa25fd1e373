"""Addressed draws in Triton on a machine without a GPU."""

import pytest

from tests.gpu_free import assert_compiles_without_spills, run_interpreted

pytestmark = pytest.mark.needs_triton


def test_interpreted():
    run_interpreted("random_cases")


def test_offline_compilation():
    assert_compiles_without_spills("random")
