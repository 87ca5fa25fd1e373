"""The Triton kernels of the Parzen window without a GPU: interpreted, and compiled for three architectures."""

import pytest

from tests.gpu_free import assert_compiles_without_spills, run_interpreted

pytestmark = pytest.mark.needs_triton


def test_under_the_interpreter():
    run_interpreted("parzen_cases")


def test_compiles_without_spills():
    assert_compiles_without_spills("parzen")
