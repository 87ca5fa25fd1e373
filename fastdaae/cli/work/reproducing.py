"""`fastdaae reproduce`."""

import warnings
from pathlib import Path

import fastdaae as fd
from fastdaae import experiments, reporting, run_config, run_folder
from fastdaae.cli.console import lines, say, working
from fastdaae.cli.work.places import require_folder
from fastdaae.cli.work.recipe_list import list_recipes
from fastdaae.cli.work.recipe_result import show_numbers, show_verdicts
from fastdaae.experiments.result import LEFT_OUT, RESULT, Result, folder_of


def reproduce(*, name, list_, budget, out, seeds, precision, device, root) -> None:
    """Run a recipe and show its numbers; or list what there is.

    Raises RuntimeError, after all that, where a cell failed.
    """
    if list_:
        list_recipes(root)
        return
    if name is None:
        raise ValueError(
            f"NAME must be one of {', '.join(experiments.names())}; `fastdaae reproduce --list` shows them"
        )
    recipe = experiments.find(name)
    out = out or Path("runs") / f"{name}-{budget}"
    require_folder(out, "--out")
    generated = budget in recipe.budgets and recipe.budgets[budget].stand_in is not None
    how = {"seeds": seeds, "device": device, "precision": precision, "root": root, "progress": not generated}
    result = experiments.reproduce(recipe, budget, out, tell=say, **how)
    show_numbers(result)
    show_verdicts(result)
    generated_note = ["generated images: these numbers show that it runs, and nothing else"] if generated else []
    for note in (*generated_note, *_left_out(result), *recipe.notes):
        lines(note)
    with working("drawing the reports"):
        _report_on_runs(out, result)
        page = reporting.reproduction(out)
    say(f"numbers in {out / RESULT}, page in {page}")
    failed = result.failed()
    if failed:
        listed = "; ".join(f"{cell}, seed {outcome.seed}: {outcome.reason}" for cell, outcome in failed)
        raise RuntimeError(f"{len(failed)} cells failed ({listed}); the same command tries them again")


def _report_on_runs(out: Path, result: Result) -> None:
    """The reports of the first seed's runs, which the page links to: of those whose data a later command finds too."""
    places = [folder_of(out, cell.name, 0) for cell in result.recipe.cells]
    for place in [*places, *sorted((out / "shared").glob("*/seed-0"))]:
        for run in sorted(
            path.parent for path in [*place.glob(run_folder.CHECKPOINT), *place.glob(f"*/{run_folder.CHECKPOINT}")]
        ):
            if "data" not in run_config.read_config(run, "a report")["notes"] or (run / "report").exists():
                continue
            try:
                fd.report(run)
            except ValueError as error:  # the numbers are there all the same
                warnings.warn(f"no report of {run}: {error}", stacklevel=2)


def _left_out(result: Result) -> list[str]:
    return [
        f"left out: {cell.title} ({outcomes[0].reason})"
        for cell in result.recipe.cells
        if (outcomes := result.outcomes.get(cell.name)) and outcomes[0].state == LEFT_OUT
    ]
