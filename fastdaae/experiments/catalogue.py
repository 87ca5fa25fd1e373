"""Finds a recipe by its name."""

import difflib
import importlib

from fastdaae.experiments.recipe import Recipe

# each has a module of its name in `recipes`, with underscores
_NAMES = (
    "daae-mnist",
    "daae-omniglot",
    "daae-sprites",
    "daae-faces",
    "sdae-filters",
    "sdae-mnist",
    "dvae-mnist",
    "manifold",
    "cdae",
    "dae-fashion",
)


def names() -> list[str]:
    """The names that `find` knows."""
    return list(_NAMES)


def find(name: str) -> Recipe:
    """The recipe of a name; raises ValueError, with the nearest, for another name."""
    if name not in _NAMES:
        close = difflib.get_close_matches(name.lower().replace("_", "-"), _NAMES, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"name must be one of {', '.join(_NAMES)}, got {name!r}{hint}")
    return importlib.import_module(f"fastdaae.experiments.recipes.{name.replace('-', '_')}").RECIPE
