"""`corrupted_linear`, `linear_mean` and `encode_mean` in Triton on a machine without a GPU."""

import pytest

from tests.gpu_free import assert_compiles_without_spills, run_interpreted

pytestmark = pytest.mark.needs_triton


def test_interpreted():
    run_interpreted("encoding_cases")


@pytest.mark.parametrize("operator", ["corrupted_linear", "linear_mean"])
def test_offline_compilation(operator):
    assert_compiles_without_spills(operator)
