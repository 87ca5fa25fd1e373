"""Experiments of the papers, made again: recipes, what runs them, and what came out beside what was printed."""

from fastdaae.experiments.catalogue import find, names
from fastdaae.experiments.recipe import BUDGETS, Budget, Cell, Figure, Order, Place, Recipe, across, printed
from fastdaae.experiments.result import Result
from fastdaae.experiments.running import reproduce

__all__ = [
    "BUDGETS",
    "Budget",
    "Cell",
    "Figure",
    "Order",
    "Place",
    "Recipe",
    "Result",
    "across",
    "find",
    "names",
    "printed",
    "reproduce",
]
