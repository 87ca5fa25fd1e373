"""The command that makes a paper's experiments again, as it is typed."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from fastdaae.cli.done_by import done_by
from fastdaae.cli.options import Device, Precision, Root


@done_by("reproducing")
def reproduce(
    name: Annotated[str | None, Argument(help="A recipe, as --list names them.")] = None,
    list_: Annotated[
        bool, Option("--list", help="Show the recipes, the data they need, and how long they take.")
    ] = False,
    budget: Annotated[
        str, Option(help="smoke (generated images, seconds), short, or paper (the paper's own settings).")
    ] = "short",
    out: Annotated[
        Path | None, Option(help="The result's folder; what is finished there is kept (default: runs/NAME-BUDGET).")
    ] = None,
    seeds: Annotated[int | None, Option(help="Run everything with this many seeds (default: the budget's).")] = None,
    precision: Precision = "fp32",
    device: Device = "auto",
    root: Root = None,
) -> None:
    """Make the tables of a paper again: train and measure what it did, and show its figures beside yours."""
