"""Corruptions of regions as records, in models, and the one line about what does not fit."""

import numpy as np
import pytest
import torch

import fastdaae as fd
from fastdaae.corruptions import Patches, Shuffling
from fastdaae.corruptions.tokens import TokenMasking

X, N = torch.rand(4, 3, 6, 5), fd.Noise(0)
NETWORKS = torch.nn.Linear(2, 4), torch.nn.Linear(4, 2)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ValueError, r"size must be a whole number in 1\.\.65535, got 0", lambda: Patches(0, 1)),
        (ValueError, r"size must be a whole number in 1\.\.65535, got 65536", lambda: Patches((3, 65536), 1)),
        (TypeError, r"size must be a whole number in 1\.\.65535, got 2.5", lambda: Patches(2.5, 1)),
        (ValueError, r"size must be a side or \(height, width\) .* got \(1, 2, 3\)", lambda: Patches((1, 2, 3), 1)),
        (ValueError, r"count must be a whole number in 0\.\.65535, got -1", lambda: Patches(3, -1)),
        (ValueError, r"fill must be a finite number, got nan", lambda: Patches(3, 1, fill=float("nan"))),
        (ValueError, r"size must be a whole number in 1\.\.65535, got 0", lambda: Shuffling(0)),
        (TypeError, r"size must be a whole number", lambda: Shuffling((2, 2))),
        (
            ValueError,
            r"x must be images \[N, \.\.\., H, W\] for Patches, got samples .* \[90\]; use x.reshape\(len\(x\)",
            lambda: fd.ops.corrupt(X.flatten(1), Patches(2, 1), N),
        ),
        (ValueError, "x must be images .* for Shuffling", lambda: fd.ops.corrupt(X.flatten(1), Shuffling(2), N)),
        (ValueError, "size must be at most that .* 6 x 5, got 2 x 6", lambda: fd.ops.corrupt(X, Patches((2, 6), 1), N)),
        (
            TypeError,
            "corruption must be one of numbers, got TokenMasking of token ids; use fastdaae.ops.corrupt_tokens",
            lambda: fd.ops.corrupt(X, TokenMasking(0.5, 3), N),
        ),
        (
            ValueError,
            r"image_shape must be a shape of 4 numbers, as each sample has, got \[2, 3\]",
            lambda: fd.ops.sample_chain(
                *NETWORKS, X[0, 0, :, :2], Patches(1, 1), N, steps=1, image_shape=(2, 3)
            ),
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(error, message, call):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_records_are_plain_numbers_and_equal_by_value():
    patches = Patches([np.int64(3), 2], np.int32(4), np.float32(0.5))
    assert patches == Patches((3, 2), 4, 0.5) and (patches.height, patches.width) == (3, 2)
    assert repr(patches) == "Patches(size=(3, 2), count=4, fill=0.5)" and Patches(3, 1) == Patches((3, 3), 1)
    assert hash(Shuffling(np.int8(2))) == hash(Shuffling(2))


@pytest.mark.parametrize("corruption", [Patches(3, 2, fill=0.5), Shuffling(2)], ids=repr)
def test_models_train_resume_chain_and_load_with_them(corruption, tmp_path):
    def build():
        torch.manual_seed(0)
        parts = fd.networks.mlp([90, 16, 2]), fd.networks.mlp([2, 16, 90], output="sigmoid"), fd.networks.mlp([2, 8, 1])
        return fd.IDAAE(*parts, prior=fd.priors.Normal(2), corruption=corruption, copies=2)

    data = (torch.rand(64, 3, 6, 5) * 255).to(torch.uint8)
    whole, model = build(), build()
    fd.Trainer(whole, epochs=2, batch_size=32).fit(data, progress=False)
    for epochs in (1, 2):
        fd.Trainer(model, epochs=epochs, batch_size=32, run_dir=tmp_path).fit(data, progress=False)
        model = build()
    loaded = fd.load(tmp_path)
    assert loaded.corruption == corruption
    for name, value in whole.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    drawn = loaded.sample(6, steps=2, seed=1)
    assert drawn.shape == (6, 3, 6, 5) and torch.equal(drawn[:4], loaded.sample(4, steps=2, seed=1))
    assert not torch.equal(drawn, loaded.sample(6, steps=2, seed=1, corruption=None))
    assert not torch.equal(loaded.reconstruct(data[:3], fd.Noise(1)), loaded.reconstruct(data[:3]))
