"""`reproduce`: runs a recipe's cells with every seed, keeps what is finished, and goes on where it was stopped."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from fastdaae import run_folder
from fastdaae.arguments import whole_in
from fastdaae.device import choose_device
from fastdaae.experiments.context import Context
from fastdaae.experiments.recipe import Cell, Recipe
from fastdaae.experiments.result import (
    FAILED,
    FINISHED,
    LEFT_OUT,
    MEASURES,
    RESULT,
    Outcome,
    Result,
    as_json,
    folder_of,
    identity,
    read_outcome,
)
from fastdaae.experiments.sets import Sets
from fastdaae.machine import machine_line
from fastdaae.output import duration, print_line
from fastdaae.schema import printable
from fastdaae.settings import canonical, first_difference
from fastdaae.training.trainer import PRECISIONS

# what one cell may meet while the others go on: divergence, too little memory, data that do not fit its settings
_FAILURES = (RuntimeError, ArithmeticError, MemoryError, ValueError)

Work = Sequence[tuple[Cell, int]]


def reproduce(
    recipe: Recipe,
    budget: str,
    out: str | Path,
    *,
    seeds: int | None = None,
    device: str = "auto",
    precision: str = "fp32",
    root: str | Path | None = None,
    progress: bool = True,
    tell: Callable[[str], None] = print_line,
) -> Result:
    """Run a recipe at a budget into the folder `out`, and give its result, which out/result.json holds too.

    Each cell is run with the seeds 0..seeds - 1 (by default as many as the budget says). What `out` holds finished is
    not run again, an interrupted training is resumed, and a cell that failed is tried again. One that fails keeps its
    reason, and the others go on. `root` is the folder of data sets; `tell` is given a line a cell, and `progress` says
    whether trainings show theirs. Raises ValueError for another budget or precision, for a folder of another recipe,
    budget, precision or settings and for one that another process works in, FileNotFoundError where data are missing.
    """
    for name, given, choices in (("budget", budget, tuple(recipe.budgets)), ("precision", precision, PRECISIONS)):
        if given not in choices:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {given!r}")
    out, target, chosen = Path(out), choose_device(device), recipe.budgets[budget]
    count = chosen.seeds if seeds is None else whole_in("seeds", seeds, 1)
    known = identity(recipe, budget, precision)
    _require_same(out, known)
    sets = Sets(None if root is None else Path(root), chosen.stand_in)
    missing = _missing(recipe, sets)
    work = [(cell, seed) for seed in range(count) for cell in recipe.cells]
    facts = {**known, "title": recipe.title, "source": recipe.source, "seeds": list(range(count))}
    result = Result(recipe, budget, {**facts, "machine": machine_line(target)})
    with run_folder.training_lock(out):
        for name, reason in missing.items():
            tell(f"left out: what needs {name} ({reason})")
        left = _take_what_is_there(result, work, out, missing)
        run_folder.write_json(out / RESULT, result.as_json())
        for place, (cell, seed) in enumerate(left):
            tell(f"{place + 1} of {len(left)}: {cell.title}, seed {seed}{_time_left(result, left[place:])}")
            folder, notes = folder_of(out, cell.name, seed), {"recipe": recipe.name, "budget": budget}
            run = Context(seed, chosen, folder, out, sets, target, precision, progress, {**notes, "cell": cell.name})
            outcome = attempt(cell, run)
            if outcome.state == FAILED:
                tell(f"failed: {cell.title}, seed {seed}: {outcome.reason}")
            run_folder.write_json(folder / MEASURES, as_json(outcome))
            result.add(cell, outcome)
            run_folder.write_json(out / RESULT, result.as_json())
    return result


def attempt(cell: Cell, context: Context) -> Outcome:
    """What a cell gives: its measures, or why there are none."""
    started = time.monotonic()
    outcome = Outcome(context.seed, FINISHED, machine=machine_line(context.device)["machine"])
    devices = [context.device] if context.device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(context.seed)
            outcome = replace(outcome, measures=cell.run(context))
    except OSError:  # the disk, which all cells write to
        raise
    except _FAILURES as error:
        reason = printable(" ".join(str(error).split()) or type(error).__name__)
        outcome = replace(outcome, state=FAILED, reason=reason)
    return replace(outcome, seconds=time.monotonic() - started)


def _require_same(out: Path, known: dict[str, Any]) -> None:
    """Raises ValueError where the folder holds another recipe's result, or one with other settings."""
    path = out / RESULT
    if not path.exists():
        if (out / run_folder.CONFIG).exists():
            raise ValueError(f"out must not be the folder of a run, got {out}; choose another folder")
        return
    found = run_folder.read_json(path, "going on with a result")
    known = canonical("identity", known)
    differs = first_difference({key: found.get(key) for key in known}, known)
    if differs is not None:
        key, was, given = differs
        raise ValueError(f"{out} holds a result with {key}={was!r}, and this one has {given!r}; choose another folder")


def _missing(recipe: Recipe, sets: Sets) -> dict[str, str]:
    """Why data sets that the recipe can do without are absent.

    Raises FileNotFoundError, before any work, for one that it cannot do without.
    """
    missing = sets.missing(recipe.data)
    needed = {name: reason for name, reason in missing.items() if name not in recipe.optional}
    if needed:
        listed = "; ".join(f"{name}: {reason}" for name, reason in needed.items())
        raise FileNotFoundError(f"{recipe.name} needs data that are not here ({listed}); the budget smoke needs none")
    return missing


def _take_what_is_there(result: Result, work: Work, out: Path, missing: dict[str, str]) -> Work:
    """Put the finished cells, and those whose data are absent, into the result; what is left to do."""
    left = []
    for cell, seed in work:
        absent = [f"{name}: {missing[name]}" for name in cell.data if name in missing]
        found = read_outcome(folder_of(out, cell.name, seed), seed)
        if found is not None and found.state == FINISHED:
            result.add(cell, found)
        elif absent:
            result.add(cell, Outcome(seed, LEFT_OUT, reason="; ".join(absent)))
        else:
            left.append((cell, seed))
    return left


def _time_left(result: Result, left: Work) -> str:
    """How long what is left will take, by what the same cells took, or the mean of all; nothing before any is known."""
    known = {name: [one.seconds for one in some if one.seconds] for name, some in result.outcomes.items()}
    every = [seconds for some in known.values() for seconds in some]
    if not every:
        return ""
    expected = [known.get(cell.name) or every for cell, _ in left]
    return f" (about {duration(sum(sum(some) / len(some) for some in expected))} left)"
