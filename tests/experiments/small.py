"""A recipe whose cells take no time, and may be told to fail."""

from collections.abc import Callable

import torch

import fastdaae as fd
from fastdaae.evaluation import Measure
from fastdaae.experiments import Budget, Cell, Recipe
from fastdaae.experiments.context import Context


def train_and_measure(context: Context) -> list[Measure]:
    """An autoencoder of four numbers a digit, for as many epochs as the budget says."""
    digits = context.dataset("digits")
    model = fd.models.Autoencoder(fd.networks.mlp([64, 4]), fd.networks.mlp([4, 64], output="sigmoid"))
    context.train(model, digits, epochs=context.budget["epochs"], lr=1e-2, batch_size=32)
    return context.evaluate(model, digits, ("reconstruction",))


def constant(value: float) -> Callable[[Context], list[Measure]]:
    return lambda context: [Measure("number", "seed", value + context.seed), Measure("number", "draw", drawn())]


def drawn() -> float:
    """Of PyTorch's own generator, which a cell's parameters come from."""
    return float(torch.rand(()))


def failing(error: BaseException) -> Callable[[Context], list[Measure]]:
    def run(context: Context) -> list[Measure]:
        raise error

    return run


def recipe(*runs: Callable[[Context], list[Measure]], data: tuple[str, ...] = ("digits",), **more) -> Recipe:
    """A recipe of cells a, b, ...; its smoke budget takes two seeds."""
    budgets = {
        "smoke": Budget({"epochs": 2}, seeds=2, stand_in=64),
        "short": Budget({"epochs": 2}, seeds=1),
        "paper": Budget({"epochs": 3}, seeds=1),
    }
    cells = [Cell(name, name.upper(), run, data) for name, run in zip("abcdef", runs, strict=False)]
    return Recipe("small", "Small", "nobody", "no table", cells, budgets, **more)
