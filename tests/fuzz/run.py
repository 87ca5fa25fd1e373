"""Fuzzing of everything that reads a file, and of the command line: `make fuzz`, or `python -m tests.fuzz.run`.

Whole examples of config.json, metrics.jsonl, evaluation.json, checkpoints, .npy, .npz, .mat, idx and image files, of
archives and pickles of data sets, and command lines, are damaged at random (`mutations.py`) and given to what reads
them (`kinds.py`), in a process with limits on its memory and on each case's time (`worker.py`). A case passes if it is
read, or refused by a ValueError, TypeError or OSError of one line (a command: by exit code 2 and one line on stderr).
Everything else fails: other exceptions, hangs, crashes. Failing inputs are written to build/fuzz/ with the traceback
and the command that repeats them.

    python -m tests.fuzz.run --seconds 300              # a new seed each time, printed
    python -m tests.fuzz.run --seed 0 --cases 50        # a fixed number of cases of each kind
    python -m tests.fuzz.run --repeat npz build/fuzz/npz-7-123      # one input, with its traceback

Exits with 1 where a case failed. Failures that were found and mended are kept as ordinary tests beside their readers.
"""

import argparse
import json
import selectors
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from tests.fuzz import worker

ROOT = Path(__file__).resolve().parents[2]


class Worker:
    """A process that runs cases, and is replaced when it dies or no longer answers."""

    def __init__(self):
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        self._folder = tempfile.TemporaryDirectory()
        self.input = Path(self._folder.name) / "input"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.worker", self.input],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            cwd=ROOT,
        )
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)
        self.kinds = self._answer(300)
        if self.kinds is None:
            raise SystemExit(f"the fuzzer's worker did not start:\n{self._last_words()}")

    def run(self, kind: str, seed: int, index: int) -> tuple[str, str | None]:
        """(outcome, traceback) of a case; a worker that fails is dead afterwards (`alive`)."""
        self._process.stdin.write(json.dumps([kind, seed, index]).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._answer(3 * worker.SECONDS)
        if answer is not None:
            return tuple(answer)
        outcome = "FAILED: hang in native code" if self.alive else f"FAILED: crash, status {self._process.poll()}"
        self.stop()
        return outcome, self._last_words()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def _answer(self, seconds: float):
        line = self._process.stdout.readline() if self._selector.select(seconds) else b""
        if not line:
            # a crash closes the pipe a moment before the process has a status
            time.sleep(0.2)
        return json.loads(line) if line else None

    def _last_words(self) -> str:
        self._stderr.seek(0)
        return self._stderr.read()[-4000:].decode(errors="replace")


def fuzz(seed: int, seconds: float, cases: int | None, only: list[str], save: Path) -> dict[str, Counter]:
    """{kind: {outcome: count}} of as many cases as fit, with equal time for each kind; failures are saved."""
    running = Worker()
    kinds = [kind for kind in running.kinds if not only or kind in only]
    counts: dict[str, Counter] = defaultdict(Counter)
    spent = dict.fromkeys(kinds, 0.0)
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        waiting = [kind for kind in kinds if cases is None or counts[kind].total() < cases]
        if not waiting:
            break
        kind = min(waiting, key=spent.get)
        before, index = time.monotonic(), counts[kind].total()
        outcome, trace = running.run(kind, seed, index)
        spent[kind] += time.monotonic() - before
        counts[kind][outcome] += 1
        if trace is not None:
            _save(save, kind, f"{kind}-{seed}-{index}", running.input.read_bytes(), f"{outcome}\n{trace}")
        if not running.alive:
            running = Worker()
    running.stop()
    return counts


def _save(folder: Path, kind: str, name: str, content: bytes, told: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name.replace(" ", "-")
    path.write_bytes(content)
    repeat = f"python -m tests.fuzz.run --repeat '{kind}' {path}"
    path.with_suffix(".txt").write_text(f"{repeat}\n\n{told}", errors="backslashreplace")
    print(f"{told.splitlines()[0]}: {repeat}", flush=True)


def repeat(kind: str, path: Path) -> int:
    """Run one input in this process and print how it ended."""
    from tests.fuzz.kinds import all_kinds

    content = path.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        kinds = all_kinds(Path(folder))
        worker.limit_memory()
        outcome, trace = worker.run_case(kinds, kind, content, Path(folder))
    print(f"{content[:300]!r}\n{trace or ''}{outcome}")
    return int(trace is not None)


def table(counts: dict[str, Counter]) -> str:
    """The counts of each kind in a line: cases, accepted, then each error class."""
    lines = []
    for kind, outcomes in counts.items():
        others = ", ".join(f"{name} {count}" for name, count in outcomes.most_common() if name != "accepted")
        lines.append(f"{kind:15} {outcomes.total():6} cases, {outcomes['accepted']:5} accepted; {others}")
    return "\n".join(lines)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=300)
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--cases", type=int, help="of each kind, at most")
    options.add_argument("--kinds", nargs="*", default=[])
    options.add_argument("--repeat", nargs=2, metavar=("KIND", "FILE"))
    options.add_argument("--save", type=Path, default=ROOT / "build" / "fuzz")
    given = options.parse_args()
    if given.repeat:
        return repeat(given.repeat[0], Path(given.repeat[1]))
    print(f"seed {given.seed}, {given.seconds:g} s", flush=True)
    counts = fuzz(given.seed, given.seconds, given.cases, given.kinds, given.save)
    print(table(counts))
    failed = sum(count for outcomes in counts.values() for name, count in outcomes.items() if "FAILED" in name)
    failed += sum(count for outcomes in counts.values() for name, count in outcomes.items() if "several" in name)
    print(f"{sum(outcomes.total() for outcomes in counts.values())} cases, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
