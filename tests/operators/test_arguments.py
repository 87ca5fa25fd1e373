"""Numbers and addresses that are given: NumPy's scalars, the limits of the counter, and what is no number."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae import noise as addressed
from fastdaae.corruptions import Gaussian, Masking, SaltAndPepper

BACKENDS = ["reference", pytest.param("cpp", marks=pytest.mark.needs_cpp)]
NOISE, X, LAST = fd.Noise(1), torch.rand(4, 6), 2**32 - 4


def networks() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    return fd.networks.mlp([6, 8, 6], output="sigmoid"), fd.networks.mlp([6, 8, 6])


# every operator that takes an address, with its rows
ADDRESSED = {
    "corrupt": lambda **how: fd.ops.corrupt(X, Gaussian(0.5), NOISE, **how),
    "corrupted_linear": lambda **how: fd.ops.corrupted_linear(X, X[:3].clone(), None, Gaussian(0.5), NOISE, **how),
    "encode_mean": lambda **how: fd.ops.encode_mean(networks()[1], X, Gaussian(0.5), NOISE, copies=2, **how),
    "linear_sigmoid_corrupt": lambda **how: fd.ops.linear_sigmoid_corrupt(X, X, None, Gaussian(0.5), NOISE, **how)[0],
    "sample_chain": lambda **how: fd.ops.sample_chain(*networks(), X, Gaussian(0.5), NOISE, steps=2, **how),
}
DRAWS = {
    "normal": lambda **how: addressed.normal(NOISE, 4, 6, **how),
    "uniform": lambda **how: addressed.uniform(NOISE, 4, 6, **how),
    "Normal": lambda **how: fd.priors.Normal(3).sample(4, NOISE, **how),
    "RingMixture": lambda **how: fd.priors.RingMixture().sample(4, NOISE, **how),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("call", ADDRESSED.values(), ids=ADDRESSED)
def test_rows_beyond_the_counter_are_refused(call, backend):
    call(row_offset=LAST, backend=backend)
    for outside in (LAST + 1, 2**32, 2**40):
        with pytest.raises(ValueError, match=rf"row_offset must be at most 2\^32 - rows = {LAST}, got {outside}"):
            call(row_offset=outside, backend=backend)
    with pytest.raises(ValueError, match="row_offset must be >= 0, got -1"):
        call(row_offset=-1, backend=backend)


@pytest.mark.parametrize("call", DRAWS.values(), ids=DRAWS)
def test_draws_beyond_the_counter_are_refused(call):
    call(row_offset=LAST)
    with pytest.raises(ValueError, match="row_offset must be at most"):
        call(row_offset=LAST + 1)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("call", ADDRESSED.values(), ids=ADDRESSED)
def test_numpy_s_numbers_are_addresses(call, backend):
    for kind in (np.int64, np.int32, np.uint8):
        ours = call(row_offset=kind(7), site=kind(100), backend=backend)
        assert torch.equal(ours, call(row_offset=7, site=100, backend=backend))
    for wrong in (True, 1.0, np.float32(1), "1", None):
        with pytest.raises(TypeError, match="row_offset must be a whole number, got"):
            call(row_offset=wrong, backend=backend)


@pytest.mark.parametrize("call", DRAWS.values(), ids=DRAWS)
def test_numpy_s_numbers_address_draws(call):
    assert torch.equal(call(row_offset=np.int32(7), site=np.uint8(200)), call(row_offset=7, site=200))


def test_numpy_s_numbers_are_counts():
    keep = np.array([0, 2])
    chain = fd.ops.sample_chain(*networks(), X, Gaussian(0.5), NOISE, steps=np.int64(2), keep=keep)
    assert torch.equal(chain, fd.ops.sample_chain(*networks(), X, Gaussian(0.5), NOISE, steps=2, keep=(0, 2)))
    assert torch.equal(fd.ops.corrupt(X, None, NOISE, copies=np.int16(3)), fd.ops.corrupt(X, None, NOISE, copies=3))
    noise = fd.Noise(np.int64(5), step=np.uint32(2))
    noise.advance(np.int64(3))
    assert (noise.seed, noise.step, noise.ahead(np.int8(1)).step) == (5, 5, 6)
    assert fd.Noise(np.uint64(2**64 - 1)).seed == 2**64 - 1


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("seed", lambda wrong: fd.Noise(wrong)),
        ("step", lambda wrong: fd.Noise(0, step=wrong)),
        ("copies", lambda wrong: fd.ops.corrupt(X, None, NOISE, copies=wrong)),
        ("copies", lambda wrong: fd.ops.encode_mean(networks()[1], X, None, NOISE, copies=wrong)),
        ("site", lambda wrong: fd.ops.corrupt(X, None, NOISE, site=wrong)),
        ("steps", lambda wrong: fd.ops.sample_chain(*networks(), X, None, NOISE, steps=wrong)),
        ("keep", lambda wrong: fd.ops.sample_chain(*networks(), X, None, NOISE, steps=2, keep=(wrong,))),
        ("dim", lambda wrong: fd.priors.Normal(wrong)),
        ("modes", lambda wrong: fd.priors.RingMixture(modes=wrong)),
    ],
)
def test_truth_values_and_fractions_are_no_whole_numbers(name, call):
    for wrong in (True, np.True_, 1.5, np.float64(1), torch.tensor(1)):
        with pytest.raises(TypeError, match=f"{name} must be a whole number.*, got"):
            call(wrong)


def test_parts_hold_python_s_numbers_and_fit_into_json():
    half = np.float32(0.5)
    parts = [
        (Gaussian(half, clip=np.array([0.0, 1.0], np.float32)), Gaussian(0.5, clip=(0, 1))),
        (Gaussian(np.int64(1)), Gaussian(1.0)),
        (Masking(np.float16(0.5)), Masking(0.5)),
        (SaltAndPepper(half, low=np.int32(-1), high=np.float64(2)), SaltAndPepper(0.5, -1, 2)),
        (fd.priors.Normal(np.int64(3)), fd.priors.Normal(3)),
        (fd.priors.RingMixture(np.uint8(4), half, np.int64(1)), fd.priors.RingMixture(4, 0.5, 1.0)),
    ]
    for ours, expected in parts:
        assert ours == expected and repr(ours) == repr(expected)
        assert json.dumps(asdict(ours)) == json.dumps(asdict(expected))


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("sigma must be a finite number >= 0, got True", lambda: Gaussian(True)),
        ("sigma must be a finite number >= 0, got '1'", lambda: Gaussian("1")),
        ("clip must be finite numbers with low < high", lambda: Gaussian(1.0, clip=(False, True))),
        ("clip must be .low, high. or None, got 1", lambda: Gaussian(1.0, clip=1)),
        ("drop must be a probability", lambda: Masking(np.True_)),
        ("p must be a probability", lambda: SaltAndPepper(True)),
        ("low, high must be finite numbers", lambda: SaltAndPepper(0.5, low="0")),
        ("radius must be a finite number > 0, got True", lambda: fd.priors.RingMixture(radius=True)),
    ],
)
def test_what_is_no_number_is_refused_by_name(message, call):
    with pytest.raises(ValueError, match=message):
        call()
