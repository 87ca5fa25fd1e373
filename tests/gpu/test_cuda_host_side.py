"""What surrounds the CUDA kernels on the host: reasons, checks and the estimator's path for tensors on a device."""

import numpy as np
import pytest
import torch
from sklearn.utils.validation import validate_data

import fastdaae as fd
from fastdaae.evaluation.estimators import points
from fastdaae.evaluation.estimators.rows import _first_of_equals, _first_of_equals_on_device
from fastdaae.kernels import compiled
from fastdaae.kernels.cuda import device, neighbors


def test_named_backend_gives_the_reason():
    with pytest.raises(
        RuntimeError, match="'cuda' cannot run nearest_neighbors: it runs on a CUDA device, and its input"
    ):
        fd.ops.nearest_neighbors(torch.rand(9, 2), 3, backend="cuda")


class OnDevice:
    """A stand-in for a tensor on a CUDA device."""

    is_cuda, device, shape = True, torch.device("cuda", 0), (9, 2)


def test_reasons_of_a_build_and_a_device(monkeypatch):
    class Module:
        words = ""

        def cuda_problem(self, device):
            return self.words

    monkeypatch.setattr(compiled, "load", Module)
    monkeypatch.setattr(device, "BUILT_PROBLEM", "the CUDA build failed")
    assert device.problem(OnDevice()) == "the CUDA build failed"
    monkeypatch.setattr(device, "BUILT_PROBLEM", None)
    assert device.problem(OnDevice()) is None
    monkeypatch.setattr(Module, "words", "no kernel image is available")
    assert "cannot run on cuda:0 (no kernel image is available)" in device.problem(OnDevice())


def test_what_the_kernels_cannot_hold_is_named():
    assert neighbors.problem(OnDevice(), 2049) == "it keeps at most 2048 neighbours, and k is 2049"
    wide = OnDevice()
    wide.shape = (9, 2**20 + 1)
    assert neighbors.problem(wide, 3) == "it takes at most 1048576 columns, and points have 1048577"


@pytest.mark.needs_cuda_build
def test_numbers_out_of_range_reach_no_kernel():
    module = compiled.load()
    pointers = [0] * 6
    for k, message in ((0, r"k must be in 1\.\.2048, got 0"), (100, r"k must be in 1\.\.99, got 100")):
        with pytest.raises(ValueError, match=message):
            module.nearest_neighbors_cuda(0, 0, *pointers, False, True, 100, 100, 5, k, 0, 128, 512, 0, 0, 0)
    with pytest.raises(ValueError, match="capacity must be that of neighbor_layout, got 256"):
        module.nearest_neighbors_cuda(0, 0, *pointers, False, True, 100, 100, 5, 9, 0, 128, 256, 0, 0, 0)
    with pytest.raises(ValueError, match=r"k must be in 1\.\.2048, got 9000000000"):
        module.neighbor_layout(9_000_000_000)
    with pytest.raises(ValueError, match="k must be in 2"):
        module.intrinsic_dimension_cuda(0, 0, 0, False, 5, 1, 0, 0, 0)


@pytest.mark.needs_cuda_build
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_driver_errors_are_python_s():
    module = compiled.load()
    assert module.device_count() == 0
    assert module.cuda_problem(0)
    with pytest.raises(RuntimeError, match="CUDA reports: "):
        module.intrinsic_dimension_cuda(0, 0, 0, False, 5, 3, 0, 0, 0)


def test_the_first_of_equal_rows():
    rows = torch.randint(0, 3, (400, 4)).float() - 1
    found = _first_of_equals_on_device(rows).sort().values
    assert torch.equal(found, _first_of_equals(rows).sort().values)
    distinct = {tuple(row) for row in rows.tolist()}
    assert len(found) == len(distinct) == len({tuple(row) for row in rows[found].tolist()})


def checked(X, estimator=None):
    return points._checked_in_place(estimator or fd.IntrinsicDimension(), X, reset=estimator is None)


def test_points_on_a_device_are_checked_as_scikit_learn_does():
    estimator = fd.IntrinsicDimension()
    points._checked_in_place(estimator, torch.rand(5, 3), reset=True)
    assert estimator.n_features_in_ == 3
    bad = {
        "nan": torch.full((3, 2), torch.nan),
        "1-D": torch.rand(3),
        "empty": torch.rand(0, 2),
        "5-D": torch.rand(2, 2, 2, 2, 2),
    }
    words = {"nan": "contains NaN"}
    for name, X in bad.items():
        with pytest.raises(ValueError) as theirs:
            validate_data(fd.IntrinsicDimension(), X.numpy(), dtype=[np.float64, np.float32])
        with pytest.raises(ValueError, match=words.get(name, str(theirs.value)[:20].replace("(", r"\("))):
            checked(X)
    with pytest.raises(ValueError, match="X has 2 features, but IntrinsicDimension is expecting 3"):
        checked(torch.rand(4, 2), estimator)


def test_points_on_a_device_stay_bytes_or_become_floats():
    pixels = torch.randint(0, 256, (4, 3), dtype=torch.uint8)
    assert checked(pixels).dtype == torch.uint8 and torch.equal(checked(pixels), pixels)
    for given, expected in (
        (torch.float64, torch.float64),
        (torch.float16, torch.float32),
        (torch.int64, torch.float64),
    ):
        assert checked(torch.ones(4, 3, dtype=given)).dtype == expected
    assert checked(torch.rand(3, 4).T).is_contiguous()
    assert checked(pixels.reshape(4, 1, 3)).shape == (4, 3)
