"""Stacks and classifiers of a few hundred parameters, their data, and what the tests of them ask again and again."""

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae.corruptions import Gaussian
from fastdaae.data import Dataset, Split

mlp = fd.networks.mlp
SIZES = (16, 8, 4)


def block(inputs: int, outputs: int, **choices) -> fd.models.Autoencoder:
    arguments = {"corruption": Gaussian(0.4), "loss": "mse", **choices}
    return fd.models.Autoencoder(mlp([inputs, outputs], "sigmoid"), mlp([outputs, inputs], "sigmoid"), **arguments)


def stack(seed: int = 0, sizes: tuple[int, ...] = SIZES, **choices) -> fd.models.StackedAutoencoder:
    torch.manual_seed(seed)
    pairs = zip(sizes[:-1], sizes[1:], strict=True)
    return fd.models.StackedAutoencoder([block(*pair, **choices) for pair in pairs])


def classifier(seed: int = 0, classes: int = 3, **choices) -> fd.models.Classifier:
    return fd.models.Classifier(stack(seed), mlp([SIZES[-1], 6, classes]), **choices)


def images(count: int = 96, seed: int = 1) -> torch.Tensor:
    return torch.randint(0, 256, (count, 4, 4), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def labels(count: int = 96, classes: int = 3) -> torch.Tensor:
    return torch.arange(count) % classes


def dataset() -> Dataset:
    train, validation = Split(images(), labels()), Split(images(40, 2), labels(40))
    return Dataset(train, validation, Split(images(40, 3), labels(40)), "random")


def refused(call, *words: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message and all(word in message for word in words), message


def state(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def moved(model: nn.Module, before: dict[str, torch.Tensor]) -> set[str]:
    """The names of the parameters that are not what they were."""
    return {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
