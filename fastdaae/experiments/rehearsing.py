"""What a recipe's cell would train: its model, its data and the arguments of its Trainer, asked without training."""

from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import torch
from torch import nn

from fastdaae.evaluation import Measure
from fastdaae.experiments.context import Context
from fastdaae.experiments.recipe import Recipe
from fastdaae.experiments.sets import Sets


class Training(NamedTuple):
    """A training: `layerwise` where it is that of a stack; `notes` say where its data are, if they have a name."""

    model: nn.Module
    dataset: Any
    trainer: dict[str, Any]
    layerwise: bool
    notes: dict[str, Any]


class _Found(Exception):
    """The first training of a cell, which goes no further."""

    def __init__(self, training: Training):
        self.training = training


class _Rehearsal(Context):
    def train(self, model: nn.Module, dataset: Any, *, run=None, shared=None, **trainer: Any) -> NoReturn:
        raise _Found(Training(model, dataset, trainer, False, self.sets.notes_of(dataset)))

    def pretrain(self, stack: nn.Module, dataset: Any, *, run=None, shared=None, **trainer: Any) -> NoReturn:
        raise _Found(Training(stack, dataset, trainer, True, self.sets.notes_of(dataset)))


def first_training(recipe: Recipe, cell: str, *, seed: int = 0, root: str | Path | None = None) -> Training:
    """The first training of a cell with the paper's own settings, its model initialised from `seed`.

    Raises ValueError for a cell that there is not, and for one that trains nothing; what the data set's loader raises.
    """
    names = [one.name for one in recipe.cells]
    if cell not in names:
        raise ValueError(f"a cell of {recipe.name} must be one of {', '.join(names)}, got {cell!r}")
    budget, sets = recipe.budgets["paper"], Sets(None if root is None else Path(root), None)
    torch.manual_seed(seed)
    nowhere, device = Path(), torch.device("cpu")
    rehearsal = _Rehearsal(seed, budget, nowhere, nowhere, sets, device, "fp32", False, {})
    try:
        measured: list[Measure] = recipe.cells[names.index(cell)].run(rehearsal)
    except _Found as found:
        return found.training
    raise ValueError(f"the cell {cell!r} of {recipe.name} trains nothing, and gives {len(measured)} measures of data")
