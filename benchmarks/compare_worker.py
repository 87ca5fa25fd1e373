"""One side of compare.py: times rows of ours on request, a line of JSON each way over standard input and output.

Requests: {"do": "rows"}, {"do": "prepare", "row": ..., "aim": seconds}, {"do": "slot"}, {"do": "ceiling"}. The rows
are those of the benchmarks beside this file; `fastdaae` is whatever PYTHONPATH names.
"""

import importlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from ceilings import FMA, ceiling
from common import machine
from interleaved import Group, Row, Slots, Unavailable, prepared

import fastdaae

HERE = Path(__file__).resolve().parent


def all_groups() -> Iterator[Group]:
    """The groups of every bench_*.py beside this file."""
    for path in sorted(HERE.glob("bench_*.py")):
        yield from importlib.import_module(path.stem).GROUPS


def our_rows() -> dict[str, Row]:
    """{group | row: the row} of everything of ours."""
    return {f"{group.name} | {row.name}": row for group in all_groups() for row in group.rows if row.by is None}


class Worker:
    """Answers requests; holds the one row that is prepared."""

    def __init__(self):
        self.rows, self.slots = our_rows(), None

    def answer(self, request: dict) -> dict:
        """What a request gives, ready for JSON."""
        if request["do"] == "rows":
            return {"rows": list(self.rows), "package": fastdaae.__file__, **machine()}
        if request["do"] == "prepare":
            return self._prepare(self.rows[request["row"]], request["aim"])
        return {"seconds": self.slots.slot(min)} if request["do"] == "slot" else {"ceiling": ceiling(FMA)}

    def _prepare(self, row: Row, aim: float) -> dict:
        self.slots: Slots | None = None  # the row before gives its memory back first
        try:
            with torch.random.fork_rng(devices=[]):
                self.slots = prepared(row, aim)
        except Unavailable as reason:
            return {"unavailable": str(reason)}
        except Exception as error:  # the other rows are compared all the same
            return {"failed": f"{type(error).__name__}: {error}".splitlines()[0]}
        return {"length": self.slots.length, "calls": self.slots.calls}


def main() -> None:
    """Answer until standard input ends; what a row prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    worker = Worker()
    for line in sys.stdin:
        print(json.dumps(worker.answer(json.loads(line))), file=answers)


if __name__ == "__main__":
    main()
