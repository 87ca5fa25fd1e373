"""A small run to be edited, and how an edit is refused."""

import copy
from pathlib import Path

import pytest

import fastdaae as fd


def train(folder: Path, epochs: int = 1) -> Path:
    """A run of an iDAAE on the digits, new or resumed; returns its folder."""
    mlp = fd.networks.mlp
    parts = mlp([64, 16, 3]), mlp([3, 16, 64], output="sigmoid"), mlp([3, 16, 1])
    model = fd.IDAAE(*parts, prior=fd.priors.Normal(3), corruption=fd.corruptions.Gaussian(0.5), copies=2)
    fd.Trainer(model, epochs=epochs, batch_size=256, run_dir=folder).fit(fd.data.load("digits"), progress=False)
    return folder


def changed(value, path: str, new=None, *, drop: bool = False):
    """A copy of a JSON value with the item at a dotted path replaced or dropped."""
    value = copy.deepcopy(value)
    *parents, last = (int(part) if part.isdecimal() else part for part in path.split("."))
    inner = value
    for part in parents:
        inner = inner[part]
    if drop:
        del inner[last]
    else:
        inner[last] = new
    return value


def refused(call, *words: str) -> None:
    with pytest.raises(ValueError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message and all(word in message for word in words), message
