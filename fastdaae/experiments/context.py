"""`Context`: what a cell trains and measures with: its data, its seed, its budget, and folders that go on."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from fastdaae import run_folder, training
from fastdaae.evaluation import Measure, evaluate, write_evaluation
from fastdaae.evaluation.estimators.parzen import GRID_END
from fastdaae.experiments.recipe import Budget
from fastdaae.experiments.sets import Sets

Model = TypeVar("Model", bound=nn.Module)


@dataclass
class Context:
    """One cell with one seed: `folder` is theirs, `out` the whole result's.

    `device` and `precision` are those of training and sampling, `progress` says whether a training shows its own, and
    `notes` go into the runs' configurations.
    """

    seed: int
    budget: Budget
    folder: Path
    out: Path
    sets: Sets
    device: torch.device
    precision: str
    progress: bool
    notes: dict[str, Any]
    _trained: dict[int, tuple[nn.Module, Path, list[Measure]]] = field(default_factory=dict)

    def dataset(self, name: str, **options: Any) -> Any:
        """The `Dataset` of a name, read with its loader's own options; at a budget with stand-ins one like it."""
        return self.sets.load(name, **options)

    def train(
        self, model: Model, dataset: Any, *, run: str | None = None, shared: str | None = None, **trainer: Any
    ) -> Model:
        """Train a model as `Trainer` does with the other arguments, resuming what is there; in evaluation mode then.

        Its run folder is the cell's and seed's own, one of its name `run` in there where a cell has several, or, of the
        name `shared`, one for all cells of a seed: the first trains it and the others find it trained.
        """
        place = self._place(run, shared)
        made = training.Trainer(model, run_dir=place, **self._how(trainer))
        made.fit(dataset, progress=self.progress, notes=self._notes(dataset))
        return self._kept(model, place)

    def pretrain(
        self, stack: Model, dataset: Any, *, run: str | None = None, shared: str | None = None, **trainer: Any
    ) -> Model:
        """Train a stack layer by layer, as `training.pretrain` does; otherwise as `train`."""
        place = self._place(run, shared)
        how = {"progress": self.progress, "notes": self._notes(dataset), **self._how(trainer)}
        training.pretrain(stack, dataset, run_dir=place, **how)
        return self._kept(stack, place)

    def evaluate(self, model: nn.Module, dataset: Any, measures: Sequence[str], **choices: Any) -> list[Measure]:
        """The measures of these names, as `evaluation.evaluate` takes them; the run of a trained model keeps them."""
        choices = {"seed": self.seed, "precision": self.precision, **choices}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", GRID_END, UserWarning)  # the measure's settings say it too
            found = evaluate(model, dataset, measures=tuple(measures), **choices)
        if id(model) in self._trained:
            _, place, kept = self._trained[id(model)]
            kept += found
            facts = {"model": type(model).__name__, "data": dataset.name, "seed": self.seed}
            write_evaluation(place, kept, **facts, checkpoint=run_folder.checkpoint_state(place)._asdict())
        return found

    def _place(self, run: str | None, shared: str | None) -> Path:
        if shared is not None:
            return self.out / "shared" / shared / f"seed-{self.seed}"
        return self.folder if run is None else self.folder / run

    def _how(self, trainer: dict[str, Any]) -> dict[str, Any]:
        return {"seed": self.seed, "device": self.device, "precision": self.precision, **trainer}

    def _notes(self, dataset: Any) -> dict[str, Any]:
        return {**self.sets.notes_of(dataset), **self.notes}

    def _kept(self, model: Model, place: Path) -> Model:
        self._trained[id(model)] = (model, place, [])
        return model.eval()
