"""Every operator over random shapes, strides, dtypes, backends, instruction sets, threads and process defaults.

A failing case names its number: `run("corrupt", 17)` repeats it.
"""

import pytest

from tests.differential import images, layers, whole
from tests.differential.draw import Draw

OPERATORS = {
    "corrupt": layers.corrupt,
    "corrupt images": images.corrupt,
    "corrupted_linear": layers.corrupted_linear,
    "linear_mean": layers.linear_mean,
    "linear_sigmoid_corrupt": layers.linear_sigmoid_corrupt,
    "encode_mean": whole.encode_mean,
    "sample_chain": whole.sample_chain,
    "parzen_log_density": whole.parzen_log_density,
    "nearest_neighbors": whole.nearest_neighbors,
}


def run(operator: str, number: int) -> None:
    try:
        OPERATORS[operator](Draw(operator, number))
    except Exception as error:
        raise AssertionError(f'run("{operator}", {number}): {error}') from error


@pytest.mark.needs_cpp
@pytest.mark.parametrize("operator", OPERATORS)
def test_some_cases(operator):
    for number in range(40):
        run(operator, number)


@pytest.mark.needs_cpp
@pytest.mark.exhaustive
@pytest.mark.parametrize("operator", OPERATORS)
def test_ten_thousand_cases(operator):
    """1,250 cases for each of eight operators, and as many of images."""
    for number in range(1250):
        run(operator, number)
