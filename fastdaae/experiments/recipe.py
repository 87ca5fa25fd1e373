"""A `Recipe`: what a paper trained and measured, the numbers that it printed, and what it claims of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from fastdaae.evaluation import Measure

if TYPE_CHECKING:
    from fastdaae.experiments.context import Context

BUDGETS = ("smoke", "short", "paper")


class Place(NamedTuple):
    """Where a number stands: a cell's, and the `name` and `of` of its Measure."""

    cell: str
    measure: str
    of: str


@dataclass(frozen=True)
class Figure:
    """A number that the paper printed: where ours stands, its value in that Measure's unit, and where theirs stands.

    A share is in [0, 1]; `table` is "Table III" or "figure 3".
    """

    cell: str
    measure: str
    of: str
    value: float
    table: str
    standard_error: float | None = None

    @property
    def place(self) -> Place:
        """Where ours stands."""
        return Place(self.cell, self.measure, self.of)


@dataclass(frozen=True)
class Order:
    """A claim: the number at each place is at least as good as that at the next; `lower` where less is better."""

    claim: str
    places: Sequence[Place]
    lower: bool = False


@dataclass(frozen=True)
class Budget:
    """How much is done: `settings` are what the recipe's cells read as budget["epochs"].

    `stand_in` is the number of generated training images that take the place of each data set, None for the real ones;
    `minutes` is how long all seeds took on `machine`, None where that was not measured.
    """

    settings: Mapping[str, Any]
    seeds: int = 3
    stand_in: int | None = None
    minutes: float | None = None
    machine: str | None = None

    def __getitem__(self, name: str) -> Any:
        return self.settings[name]


@dataclass(frozen=True)
class Cell:
    """A row of the paper's tables: `run` trains and measures it once, for one seed; `data` names the sets it needs."""

    name: str
    title: str
    run: Callable[["Context"], list[Measure]]
    data: tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """An experiment of a paper; `source` is that paper, `tables` what of it is made.

    `budgets` has "smoke" (stand-ins, seconds), "short" and "paper" (its own settings). `optional` names data sets whose
    cells are left out where they are absent; `notes` are sentences that stand under the result. Raises ValueError for a
    figure or an order of a cell that there is not, for two cells of one name and for other budgets.
    """

    name: str
    title: str
    source: str
    tables: str
    cells: Sequence[Cell]
    budgets: Mapping[str, Budget]
    figures: Sequence[Figure] = ()
    orders: Sequence[Order] = ()
    optional: tuple[str, ...] = ()
    notes: Sequence[str] = field(default=())

    def __post_init__(self):
        names = [cell.name for cell in self.cells]
        if len(set(names)) < len(names):
            raise ValueError(f"cells of {self.name} must have names of their own, got {', '.join(names)}")
        if tuple(self.budgets) != BUDGETS:
            raise ValueError(f"budgets of {self.name} must be {', '.join(BUDGETS)}, got {', '.join(self.budgets)}")
        for place in [*(figure.place for figure in self.figures), *(p for order in self.orders for p in order.places)]:
            if place.cell not in names:
                raise ValueError(f"figures and orders of {self.name} must be of its cells, got {place.cell!r}")

    @property
    def data(self) -> tuple[str, ...]:
        """The data sets that its cells need, each once."""
        return tuple(dict.fromkeys(name for cell in self.cells for name in cell.data))


def across(measure: str, of: str, *cells: str) -> tuple[Place, ...]:
    """The places of one measure in several cells, for an `Order`."""
    return tuple(Place(cell, measure, of) for cell in cells)


def printed(table: str, measure: str, of: str, values: Mapping[str, float], **more: float) -> list[Figure]:
    """A column of a paper's table as Figures, {cell: value}."""
    return [Figure(cell, measure, of, value, table, **more) for cell, value in values.items()]
