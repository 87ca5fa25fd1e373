"""What the reference does with rows that do not exist: an index never wraps around."""

import pytest
import torch

import fastdaae as fd
from fastdaae import reference
from fastdaae.corruptions import Gaussian
from fastdaae.noise import Noise

X = {
    "float32": torch.rand(4, 3),
    "float64": torch.rand(4, 3, dtype=torch.float64),
    "half": torch.rand(4, 3).half(),
    "images": torch.randint(0, 256, (4, 2, 3), dtype=torch.uint8),
}


@pytest.mark.parametrize("kind", X)
@pytest.mark.parametrize("bad", [-1, -5, 4])
def test_an_index_outside_x_is_an_error(kind, bad):
    message = f"index must be in 0..3, the rows of x, got {bad} at position 2"
    with pytest.raises(IndexError, match=message):
        reference.corrupt(X[kind], Gaussian(0.1), Noise(0), index=torch.tensor([0, 3, bad, 9]))


def test_every_function_that_gathers_refuses_it():
    x, weight, index = X["float32"], torch.rand(2, 3), torch.tensor([1, -1])
    with pytest.raises(IndexError, match="got -1 at position 1"):
        reference.corrupted_linear(x, weight, None, Gaussian(0.1), Noise(0), index=index)
    with pytest.raises(IndexError, match="got -1 at position 1"):
        reference.encode_mean(torch.nn.Linear(3, 2), x, Gaussian(0.1), Noise(0), copies=2, index=index)
    for corrupt in (reference.corrupt, fd.ops.corrupt):
        with pytest.raises(IndexError, match="got -1 at position 1"):
            corrupt(x.double(), None, Noise(0), index=index)
        with pytest.raises(IndexError, match="got 0 at position 0"):
            corrupt(x[:0].double(), None, Noise(0), index=index * 0)


@pytest.mark.parametrize("kind", X)
def test_where_a_check_would_wait_for_the_device_such_rows_are_nan(kind):
    x, index = X[kind], torch.tensor([3, -1, 4, 0])
    gathered = reference.layers._gathered_or_nan(x, index)
    assert torch.equal(gathered[[0, 3]], reference.as_float(x[[3, 0]]))
    assert gathered[[1, 2]].isnan().all()


def test_traced_code_gives_nan_too():
    x = X["float64"]
    compiled = torch.compile(
        lambda index: reference.corrupt(x, Gaussian(0.1), Noise(0), index=index), fullgraph=True, backend="aot_eager"
    )
    assert compiled(torch.tensor([2, 0])).isfinite().all()
    assert compiled(torch.tensor([2, -1]))[0].isnan().all(1).tolist() == [False, True]


def test_half_precision_keeps_its_dtype():
    x, index = X["half"], torch.tensor([2, 0])
    assert torch.equal(reference.corrupt(x, None, Noise(0), index=index)[0], x[index])
