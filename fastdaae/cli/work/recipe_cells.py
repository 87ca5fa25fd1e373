"""`fastdaae train --config RECIPE/CELL`: a cell's training as a run of its own."""

from pathlib import Path

from typer import Context

import fastdaae as fd
from fastdaae import experiments
from fastdaae.cli.work.typed import typed
from fastdaae.experiments.rehearsing import first_training
from fastdaae.training.run import Epoch

_PLACES = ("out", "config", "root")


def train_cell(
    out: Path, config: str, root: Path | None, context: Context | None, free: tuple[str, ...], notes: dict
) -> list[Epoch]:
    """Train what "recipe/cell" trains, with those of the `free` options that were typed in the place of its own.

    Raises ValueError for another recipe or cell, and for a typed option that the cell decides.
    """
    name, _, cell = config.partition("/")
    if name not in experiments.names():
        known = ", ".join(experiments.names())
        raise ValueError(f"--config must be a file *.toml, or recipe/cell with a recipe of {known}, got {config!r}")
    recipe = experiments.find(name)
    given = typed(context)
    decided = [option for option in given if option not in (*free, *_PLACES)]
    if decided:
        option = decided[0].replace("_", "-")
        raise ValueError(f"--{option} is decided by --config {config}; leave one of them out")
    seed = given.get("seed", 0)
    found = first_training(recipe, cell or _only(recipe), seed=seed, root=root)
    how = {**found.trainer, "seed": seed, **{option: given[option] for option in free if option in given}}
    noted = {**found.notes, **notes}
    if found.layerwise:
        return fd.training.pretrain(found.model, found.dataset, run_dir=out, notes=noted, **how)[-1]
    return fd.Trainer(found.model, run_dir=out, **how).fit(found.dataset, notes=noted)


def _only(recipe: experiments.Recipe) -> str:
    """The cell of a recipe that has one."""
    if len(recipe.cells) > 1:
        listed = ", ".join(f"{recipe.name}/{cell.name}" for cell in recipe.cells)
        raise ValueError(f"--config must name a cell of {recipe.name}: one of {listed}")
    return recipe.cells[0].name
