"""Small models and images for the tests of this folder."""

import torch
from torch import nn

import fastdaae as fd
from fastdaae.data import Dataset, Split

mlp = fd.networks.mlp


def vae(pixels: int = 20, code: int = 3, hidden: int = 16, **choices) -> fd.models.VAE:
    torch.manual_seed(3)
    output = "sigmoid" if choices.get("decoder_output") is None else None
    return fd.models.VAE(mlp([pixels, hidden, 2 * code]), mlp([code, hidden, pixels], output=output), **choices)


def images(count: int = 32, pixels: int = 20) -> torch.Tensor:
    return torch.randint(0, 256, (count, pixels), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def digits(count: int = 60) -> Dataset:
    parts = (Split(*(values[:count] for values in part[:2])) for part in fd.data.load("digits")[:3])
    return Dataset(*parts, "digits")


def train(model: nn.Module, x: torch.Tensor, steps: int = 3, **arguments) -> list[dict[str, float]]:
    """A loop of one's own over `compile_step`: the losses of each step."""
    optimizers = {name: torch.optim.Adam(group, lr=1e-2) for name, group in model.parameter_groups().items()}
    step = fd.compile_step(model, optimizers, **{"seed": 5, **arguments})
    return [{name: float(value) for name, value in step(x).items()} for _ in range(steps)]


def parameters(model: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def refused(call, *words: str) -> None:
    try:
        call()
    except (TypeError, ValueError) as error:
        message = str(error)
    else:
        raise AssertionError(f"nothing was raised where {words} was expected")
    assert "\n" not in message and all(word in message for word in words), message
