"""Two checkouts in paired runs: `python benchmarks/compare.py --old ../old [--new .] [--rows PATTERN] [--rounds 15]`.

One worker process for each checkout runs the rows of these benchmarks that are ours. A round gives both a slot (see
interleaved.py), one after the other, the order alternating, so that a drift of the machine hits both; a slot's time is
that of its shortest call, and the ratio new / old is taken round by round. A row is SLOWER where the lower quartile of
its ratios is above 1.03, in these processes and once more in two new ones: where the memory of a process lies is worth
some per cent by itself. It is "noisy" where the quartiles are a fifth apart, three times: on a busy machine
OMP_NUM_THREADS=1 says more. The exit status is 1 where any row is slower, no longer passes its gate or no longer runs.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
SLOWER, FASTER = 1.03, 0.97  # of a quartile of the ratios
NOISY = 1.2  # between the quartiles
PASSES = 3
FEWEST = 5  # rounds, however long a row takes


class Ended(Exception):
    """A worker ended before it answered."""


class Side:
    """The worker of one checkout."""

    def __init__(self, checkout: Path):
        self.checkout = checkout
        given = os.environ.get("PYTHONPATH")
        paths = os.pathsep.join([str(checkout), *([given] if given else [])])
        command = [sys.executable, str(HERE / "compare_worker.py")]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": paths}, text=True, **pipes)
        self.facts = self.ask(do="rows")
        if checkout not in Path(self.facts["package"]).resolve().parents:
            raise SystemExit(f"{checkout} must hold the package fastdaae, got the one of {self.facts['package']}")

    def ask(self, **request) -> dict:
        """The worker's answer to a request."""
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise Ended(f"the worker of {self.checkout} ended with status {self.process.wait()}")
        return json.loads(answer)

    def close(self) -> None:
        """End the worker."""
        self.process.stdin.close()
        self.process.wait()


class Pair(NamedTuple):
    """The seconds a call of a row on both sides, round by round; or why there are none."""

    old: list[float]
    new: list[float]
    problem: str = ""
    fails: bool = False

    @property
    def quartiles(self) -> list[float]:
        """Lower quartile, median and upper quartile of new / old."""
        ratios = [new / old for old, new in zip(self.old, self.new, strict=True)]
        return statistics.quantiles(ratios, n=4, method="inclusive")

    @property
    def verdict(self) -> str:
        """One word, or the problem."""
        if self.problem:
            return self.problem
        low, _, up = self.quartiles
        if low > SLOWER:
            return "SLOWER"
        return "faster" if up < FASTER else "noisy" if up > NOISY * low else "same"


def run_row(sides: tuple[Side, Side], row: str, options: argparse.Namespace) -> Pair:
    """The rounds of one row, as many as fit into options.seconds, between FEWEST and options.rounds."""
    answers = [side.ask(do="prepare", row=row, aim=options.slot) for side in sides]
    problems = [("" if "length" in answer else " ".join(*answer.items())) for answer in answers]
    if any(problems):
        said = "; ".join(f"{name}: {why}" for name, why in zip(("old", "new"), problems, strict=True) if why)
        # what only the new one can do is no loss, what neither has is no news
        return Pair([], [], said, fails="failed" in answers[1] or bool(problems[1] and not problems[0]))
    length = sum(answer["length"] for answer in answers)
    seconds: tuple[list[float], list[float]] = ([], [])
    for place in range(min(max(FEWEST, int(options.seconds / length)), options.rounds)):
        for which in (0, 1) if place % 2 == 0 else (1, 0):
            seconds[which].append(sides[which].ask(do="slot")["seconds"])
    return Pair(*seconds)


def run_rows(options: argparse.Namespace, rows: list[str]) -> dict[str, Pair]:
    """{row: its pair}, printed as they come, in two new processes."""
    sides = (Side(options.old), Side(options.new))
    found = {}
    for row in rows:
        try:
            found[row] = run_row(sides, row, options)
        except Ended as end:
            found[row] = Pair([], [], str(end), fails=True)
            for side in sides:
                side.close()
            sides = (Side(options.old), Side(options.new))
        print(line_of(row, found[row]), flush=True)
    for side in sides:
        side.close()
    return found


def run_until_clear(options: argparse.Namespace, rows: list[str]) -> dict[str, Pair]:
    """{row: its last pair}; what seems slower must be so twice, and what is noisy has three tries."""
    passes: dict[str, list[Pair]] = {row: [] for row in rows}
    for attempt in range(PASSES):
        pending = [row for row, pairs in passes.items() if not _is_clear([pair.verdict for pair in pairs])]
        if pending:
            print(f"once more in new processes, {len(pending)} rows:" if attempt else "", flush=True)
            for row, pair in run_rows(options, pending).items():
                passes[row].append(pair)
    return {row: pairs[-1] for row, pairs in passes.items()}


def _is_clear(verdicts: list[str]) -> bool:
    return bool(verdicts) and (verdicts[-1] not in ("SLOWER", "noisy") or verdicts.count("SLOWER") > 1)


def line_of(row: str, pair: Pair) -> str:
    """A row of the table."""
    if pair.problem:
        return f"{row:66s} | {pair.problem}"
    old, new = (statistics.median(seconds) * 1e3 for seconds in (pair.old, pair.new))
    low, middle, up = pair.quartiles
    return f"{row:66s} | {old:10.4f} | {new:10.4f} | {middle:.3f} [{low:.3f}, {up:.3f}] | {pair.verdict}"


def as_json(pair: Pair) -> dict:
    """A row's record."""
    if pair.problem:
        return {"verdict": pair.problem}
    return {"verdict": pair.verdict, "old": pair.old, "new": pair.new, "ratio_quartiles": pair.quartiles}


def parsed() -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", type=Path, required=True, metavar="CHECKOUT")
    parser.add_argument("--new", type=Path, default=HERE.parent, metavar="CHECKOUT")
    parser.add_argument("--rows", default="", help="a regular expression that finds a row's 'group | name'")
    parser.add_argument("--rounds", type=int, default=15, help="at most so many, at least 5")
    parser.add_argument("--slot", type=float, default=0.05, help="seconds of calls that one slot times")
    parser.add_argument("--seconds", type=float, default=20, help="for the rounds of one row")
    parser.add_argument("--out", type=Path, help="a JSON file for the times")
    return parser.parse_args()


def main() -> int:
    """Compare, confirm what is slower, and say so; 1 where any row lost."""
    options = parsed()
    options.old, options.new = options.old.resolve(), options.new.resolve()
    options.rounds = max(options.rounds, FEWEST)
    probe = Side(options.new)
    rows = [row for row in probe.facts["rows"] if re.search(options.rows, row)]
    before = probe.ask(do="ceiling")["ceiling"]
    print(f"{probe.facts['machine']}, {probe.facts['cpp']}, data: {probe.facts['data']}")
    print("group | row | old ms | new ms | new / old, median [quartiles] | verdict")
    found = run_until_clear(options, rows)
    after = probe.ask(do="ceiling")["ceiling"]
    probe.close()
    lost = [row for row, pair in found.items() if pair.verdict == "SLOWER" or pair.fails]
    noisy = sum(pair.verdict == "noisy" for pair in found.values())
    print(f"\nmultiply-adds: {before:.0f} GFLOP/s before, {after:.0f} after")
    print(f"{len(found)} rows: {len(lost)} lost, {noisy} too noisy to say")
    print("".join(f"  {line_of(row, found[row])}\n" for row in lost), end="")
    if options.out is not None:
        record = {"old": str(options.old), "new": str(options.new), "ceilings": [before, after]}
        record["rows"] = {row: as_json(pair) for row, pair in found.items()}
        options.out.write_text(json.dumps(record, indent=1) + "\n")
    return int(bool(lost))


if __name__ == "__main__":
    sys.exit(main())
