"""Models after three steps and what they give, estimators, priors and a small run: the public words above operators."""

import itertools
from collections.abc import Callable, Iterator

import torch
from torch import nn

import fastdaae as fd
from tests.bits.operators import CORRUPTIONS, numbers

PIXELS, CODE, HIDDEN = 48, 3, {"narrow": 20, "wide": 160}
ROWS = 24


def networks(kind: str, code: int) -> list[nn.Module]:
    """Encoder, decoder and discriminator of narrow or wide layers, or of others than plain ones."""
    torch.manual_seed(2)
    h = HIDDEN.get(kind, 160)
    parts = [
        fd.networks.mlp([PIXELS, h, h, code]),
        fd.networks.mlp([code, h, h, PIXELS], output="sigmoid"),
        fd.networks.mlp([code, h, h, 1]),
    ]
    return parts if kind in HIDDEN else [_with_leaky(part) for part in parts]


def _with_leaky(network: nn.Sequential) -> nn.Sequential:
    return nn.Sequential(*[nn.LeakyReLU(0.2) if type(part) is nn.ReLU else part for part in network])


def build(model: str, width: str, **choices) -> nn.Module:
    arguments = {"prior": fd.priors.Normal(CODE), **choices}
    if model != "AAE":
        arguments.setdefault("corruption", CORRUPTIONS["gaussian"])
    return getattr(fd, model)(*networks(width, arguments["prior"].dim), **arguments)


def after_three_steps(model: str, width: str, dtype: torch.dtype, optimizer: Callable, **choices) -> Callable:
    def call(backend: str) -> dict:
        made = build(model, width, **choices)
        optimizers = {name: optimizer(group) for name, group in made.parameter_groups().items()}
        step, x = fd.compile_step(made, optimizers, seed=4), numbers(ROWS, PIXELS, dtype=dtype)
        losses = {f"{name} {k}": loss for k in range(3) for name, loss in step(x).items()}
        return {**losses, **dict(made.named_parameters()), **_uses(made, x)}

    return call


def _uses(model: nn.Module, x: torch.Tensor) -> dict:
    noise = fd.Noise(8)
    found = {
        "encode": model.encode(x),
        "reconstruct": model.reconstruct(x),
        "reconstruct corrupted": model.reconstruct(x, noise, row_offset=3),
        "sample": model.sample(11, seed=3),
        "chain": model.sample(11, steps=3, keep=(0, 2, 3), seed=3),
        "chain bf16": model.sample(11, steps=2, precision="bf16", corruption=CORRUPTIONS["masking"], seed=3),
    }
    validated = {f"validation {name}": loss for name, loss in model.validation_losses(x, noise).items()}
    return {**found, **validated}


def adam(group: list) -> torch.optim.Optimizer:
    return torch.optim.Adam(group, lr=1e-3)


def sgd(group: list) -> torch.optim.Optimizer:
    return torch.optim.SGD(group, lr=0.1)


def model_cases() -> Iterator[tuple[str, Callable]]:
    grid = itertools.product(("AAE", "DAAE", "IDAAE"), ("paper", "released"), ("bce", "mse"), ("narrow", "wide"))
    for model, form, loss, width in grid:
        choices = {"form": form, "loss": loss}
        yield f"{model} {form} {loss} {width}", after_three_steps(model, width, torch.float32, sgd, **choices)
    others = {
        "uint8": {"dtype": torch.uint8},
        "adam": {"optimizer": adam},
        "non-saturating": {"adversarial_loss": "non_saturating"},
        "ring": {"prior": fd.priors.RingMixture()},
        "leaky": {"width": "leaky"},
        "inputs": {"model": "IDAAE", "integration": "inputs"},
        "25 copies": {"model": "IDAAE", "copies": 25},
        "fresh": {"model": "DAAE", "fresh_corruption": True},
    }
    for name, given in others.items():
        given = {"model": "IDAAE", "width": "wide", "dtype": torch.float32, "optimizer": sgd, **given}
        yield f"{given['model']} {name}", after_three_steps(**given)
    for name, corruption in CORRUPTIONS.items():
        yield f"IDAAE {name}", after_three_steps("IDAAE", "wide", torch.uint8, sgd, corruption=corruption)


def priors(backend: str) -> dict:
    noise = fd.Noise(3, step=2)
    custom = fd.priors.Custom(lambda n, noise, row_offset: fd.priors.Normal(2).sample(n, noise, row_offset=row_offset))
    return {
        "normal": fd.priors.Normal(5).sample(41, noise, row_offset=7),
        "ring": fd.priors.RingMixture(modes=7).sample(41, noise, row_offset=7),
        "custom": custom.sample(41, noise),
    }


def window(dtype: torch.dtype) -> Callable:
    def call(backend: str) -> dict:
        data = numbers(150, 30, dtype=dtype)
        left_out = fd.ParzenWindow().fit(data)
        chosen = fd.ParzenWindow(bandwidths=[0.1, 0.5, 1.0]).fit(data[:100], validation=data[100:])
        fixed = fd.ParzenWindow(bandwidth=0.2).fit(data[:100])
        return {
            "leave one out": left_out.validation_log_likelihoods_,
            "bandwidth": left_out.bandwidth_,
            "validation": chosen.validation_log_likelihoods_,
            "scores": fixed.score_samples(data[100:]),
            "mean": fixed.mean_log_likelihood(data[100:])[1],
        }

    return call


def dimension(estimator: str, dtype: torch.dtype) -> Callable:
    def call(backend: str) -> dict:
        made = fd.IntrinsicDimension(k=20, estimator=estimator).fit(numbers(200, 10, dtype=dtype))
        names = ("dimension_", "standard_error_", "dimension_pw_", "dimension_per_k_", "ties_per_k_")
        return {name: getattr(made, name) for name in names}

    return call


def run(backend: str) -> dict:
    """Two epochs of the trainer, with batches that do not divide the data."""
    torch.manual_seed(1)
    model = build("IDAAE", "wide")
    trainer = fd.Trainer(model, epochs=2, batch_size=32, lr=1e-3, device="cpu", seed=9)
    history = trainer.fit(numbers(70, PIXELS, dtype=torch.uint8), progress=False)
    losses = {f"epoch {k} {name}": loss for k, line in enumerate(history) for name, loss in line["losses"].items()}
    return {**dict(model.named_parameters()), **losses}


def cases() -> Iterator[tuple[str, Callable]]:
    """(name, call) of every case of models, priors and estimators."""
    yield from model_cases()
    yield "priors", priors
    yield "run", run
    for dtype in (torch.float32, torch.float64, torch.uint8):
        yield f"ParzenWindow {dtype}", window(dtype)
        for estimator in ("mle", "mackay", "twonn"):
            yield f"IntrinsicDimension {estimator} {dtype}", dimension(estimator, dtype)
