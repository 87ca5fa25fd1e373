"""`fastdaae reproduce --list`: the recipes, a few lines each."""

from pathlib import Path

from fastdaae import experiments
from fastdaae.cli.console import lines, say
from fastdaae.data.present import is_here
from fastdaae.experiments.recipe import Budget, Recipe
from fastdaae.output import duration

_UNKNOWN = "not measured"


def list_recipes(root: Path | None) -> None:
    """Show every recipe: its title, what it makes of which paper, the data it needs, and how long a budget takes."""
    for name in experiments.names():
        recipe = experiments.find(name)
        say((name, "bold"))
        lines(recipe.title, indent=2)
        lines(f"makes: {recipe.tables}; of: {recipe.source}", indent=2)
        absent = [one for one in recipe.data if not is_here(one, root)]
        lines(_data(recipe, absent), "yellow" if absent else "green", indent=2)
        lines(_times(recipe), indent=2)


def _data(recipe: Recipe, absent: list[str]) -> str:
    """The data sets that a recipe needs, each with whether its files are here."""
    states = {True: "absent, left out", False: "absent"}
    told = (f"{name} ({states[name in recipe.optional] if name in absent else 'here'})" for name in recipe.data)
    return f"data: {', '.join(told)}"


def _times(recipe: Recipe) -> str:
    times = {name: _time(recipe.budgets[name]) for name in experiments.BUDGETS}
    if set(times.values()) == {_UNKNOWN}:
        return f"time: {_UNKNOWN}"
    return f"time: {', '.join(f'{name} {time}' for name, time in times.items())}"


def _time(budget: Budget) -> str:
    return _UNKNOWN if budget.minutes is None else f"{duration(60 * budget.minutes)} on {budget.machine}"
