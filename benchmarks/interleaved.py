"""Rows of a group timed in turn (ours, peer, peer, ours ...): a drift of the machine hits all of them alike.

A round gives each row one slot. A slot pauses, so that no other row's threads still spin, calls once untimed where a
call is short, so that nobody is timed in the caches that the row before left, and times `calls` calls one by one; the
row's time in this round is their median. Ratios are taken within a round.
"""

import gc
import importlib
import math
import statistics
import time
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import NamedTuple

import torch
from ceilings import BF16, BYTES, COPY, FMA, ceilings, has_moved, peak_memory
from checkout import backends_used
from gates import Gate, require, wrong

_PAUSE = 0.003  # seconds until OpenMP's waiting threads sleep
_SHORT = 0.1  # seconds: a longer call warms its caches itself


class Unavailable(Exception):
    """Why a row cannot run here."""


def peer_module(name: str) -> ModuleType:
    """A peer's module; raises Unavailable where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Unavailable(str(error)) from None


class Ready(NamedTuple):
    """What is timed, the gates of its results, whether the call needs autograd, and what else was seen."""

    call: Callable[[], object]
    gates: tuple[Gate, ...] = ()
    trains: bool = False
    notes: dict[str, float] = {}


class Row(NamedTuple):
    """`prepare` makes the data and the gates (or raises Unavailable); `by` is a peer's package, which ours lack.

    `dtype` is of the numbers that are multiplied, whose ceiling its rate is a share of. `flops` is its own arithmetic
    where that is another than the group's.
    """

    name: str
    prepare: Callable[[], Ready]
    by: str | None = None
    dtype: torch.dtype = torch.float32
    flops: int = 0


class Group(NamedTuple):
    """Rows that do the same; flops and moved (bytes) are what each of them does at least."""

    name: str
    rows: tuple[Row, ...]
    flops: int = 0
    moved: int = 0

    def ceilings_of(self, rows: Sequence[Row]) -> tuple[str, ...]:
        """The names of the ceilings beside these rows; the multiply-adds always, as they tell the machine's state."""
        dtypes = {row.dtype for row in rows}
        special = [name for dtype, name in ((torch.bfloat16, BF16), (torch.uint8, BYTES)) if dtype in dtypes]
        return (FMA, *((COPY,) if self.moved else ()), *special)


class Timed(NamedTuple):
    """A row's seconds a call in each round, the calls of a round, what the gates saw, its memory and its backends.

    `wrong` says by how much a peer fails the gate, which it may: ours is not timed then.
    """

    seconds: list[float]
    calls: int
    notes: dict[str, float]
    memory_mib: float | None
    backends: str
    wrong: str = ""


class Measured(NamedTuple):
    """A group: each row's times, or what its preparation raised; and the ceilings around the rounds."""

    rows: dict[str, Timed | Exception]
    before: dict[str, float]
    after: dict[str, float]

    @property
    def ceiling_moved(self) -> bool:
        """Whether the machine changed under the group."""
        return has_moved(self.before, self.after)


class Slots:
    """A prepared row on its way through the rounds: `slot()` gives its seconds a call."""

    def __init__(self, ready: Ready, aim: float):
        """One call for its memory and some for its length; a slot then times about `aim` seconds of calls."""
        self.ready = ready
        with self._mode():
            self.memory_mib = peak_memory(lambda: self._note(ready.call))
            estimate = self._shortest()
        self.calls = min(max(1, math.ceil(aim / estimate)), 1000)
        self.warms = estimate < _SHORT
        self.length = (self.calls + self.warms) * estimate + _PAUSE

    def slot(self, of: Callable[[list[float]], float] = statistics.median) -> float:
        """The median of the slot's calls, or what `of` makes of them, in seconds."""
        time.sleep(_PAUSE)
        with self._mode():
            if self.warms:
                self.ready.call()
            return of([self._once() for _ in range(self.calls)])

    def _mode(self) -> torch.inference_mode:
        return torch.inference_mode(not self.ready.trains)

    def _note(self, call: Callable[[], object]) -> None:
        self.backends = backends_used(call)

    def _shortest(self) -> float:
        # of up to five calls: an interrupted one would make the slots of a small row far too short
        times = [self._once()]
        while len(times) < 5 and sum(times) < _SHORT:
            times.append(self._once())
        return min(times)

    def _once(self) -> float:
        started = time.perf_counter()
        self.ready.call()
        return time.perf_counter() - started


def prepared(row: Row, aim: float) -> Slots:
    """A row after its gates, with PyTorch's generator as at every other preparation."""
    torch.manual_seed(0)
    ready = row.prepare()
    if row.by is None:
        require(row.name, ready.gates)
    return Slots(ready, aim)


def measure(group: Group, rows: Sequence[Row], *, budget: float, aim: float = 0.004) -> Measured:
    """Time some of a group's rows in turn, for as many rounds (3 to 40) as fit into `budget` seconds."""
    found: dict[str, Slots | Exception] = {}
    with torch.random.fork_rng(devices=[]):
        for row in rows:
            try:
                found[row.name] = prepared(row, aim)
            except Exception as error:  # the row's own test raises it: the others are timed
                found[row.name] = error
        running = {name: slots for name, slots in found.items() if isinstance(slots, Slots)}
        seconds: dict[str, list[float]] = {name: [] for name in running}
        gc.collect()
        names = group.ceilings_of(rows)
        before = ceilings(names, group.moved)
        length = sum(slots.length for slots in running.values())
        for _ in range(min(max(3, int(budget / length)), 40) if running else 0):
            for name, slots in running.items():
                seconds[name].append(slots.slot())
        after = ceilings(names, group.moved)
    for name, slots in running.items():
        gates = slots.ready.gates
        notes = {gate.name: gate.error for gate in gates} | slots.ready.notes
        found[name] = Timed(seconds[name], slots.calls, notes, slots.memory_mib, slots.backends, wrong(gates))
    return Measured(found, before, after)


def ratio_quartiles(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """The lower quartile, the median and the upper quartile of above / below, round by round."""
    ratios = [a / b for a, b in zip(above, below, strict=True)]
    return [round(q, 4) for q in statistics.quantiles(ratios, n=4, method="inclusive")]
