"""The command line's processes, killed at moments drawn by a seed, and what two finished folders must agree on."""

import base64
import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fastdaae import run_folder
from tests.runs.small import require_same_run

COMMANDS = {
    "train": "train --out RUN --data digits --model idaae --copies 2 --hidden 16 --code 4 --epochs 60 --lr 1e-3",
    "sample": "sample RUN --n 300 --steps 2",
    "evaluate": "evaluate RUN --samples 200 --k 10 --steps 2",
    "report": "report RUN",
}
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "TERM": "dumb", "COLUMNS": "200"}
_ENTRY = [sys.executable, "-c", "from fastdaae.cli import main; main()"]


def start(command: str, run: Path) -> subprocess.Popen:
    arguments = [str(run) if part == "RUN" else part for part in COMMANDS[command].split()]
    return subprocess.Popen(
        _ENTRY + arguments, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


class Duration(NamedTuple):
    """Seconds from a command's start, and from its first file, to its end."""

    whole: float
    after_first_file: float


def finish(command: str, run: Path) -> Duration:
    """Run a command to its end."""
    started, before = time.monotonic(), _written(run)
    process = start(command, run)
    first = _first_file(process, run, before)
    printed, _ = process.communicate(timeout=600)
    assert process.returncode == 0, printed
    return Duration(time.monotonic() - started, time.monotonic() - first)


def _first_file(process: subprocess.Popen, run: Path, before: dict) -> float:
    """The time at which a process has written something, or has ended."""
    while process.poll() is None and _written(run) == before:
        time.sleep(0.002)
    return time.monotonic()


class Killer:
    """Kills processes at moments drawn by a seed, and counts where the kills landed.

    By turns a moment of the first second, of the whole command, and twice of the time after its first file.
    """

    def __init__(self, seed: int):
        self._random = random.Random(seed)
        self._turn = itertools.cycle(("first second", "whole", "after first file", "after first file"))
        self.landed: Counter = Counter()

    def kill(self, command: str, run: Path, duration: Duration) -> bool:
        """Start a command and kill it; False where it had ended by then."""
        before, turn = _written(run), next(self._turn)
        with start(command, run) as process:
            if turn == "after first file":
                _first_file(process, run, before)
                time.sleep(self._random.uniform(0, duration.after_first_file))
            else:
                time.sleep(self._random.uniform(0, 1 if turn == "first second" else duration.whole))
            process.kill()
            printed, _ = process.communicate(timeout=600)
        if process.returncode != -signal.SIGKILL:
            assert process.returncode == 0, printed
            return False
        self.landed[command, _stage(command, run, before)] += 1
        return True

    def table(self) -> str:
        """The kills that landed, by command and stage, one line each."""
        lines = [f"{command:9}{stage:34}{count:4}" for (command, stage), count in sorted(self.landed.items())]
        return "\n".join([*lines, f"{'':9}{'together':34}{sum(self.landed.values()):4}"])


def _written(run: Path) -> dict[str, int]:
    written = {}
    for path in run.rglob("*"):
        with suppress(FileNotFoundError):  # a partial file that has found its place meanwhile
            written[str(path)] = path.stat().st_mtime_ns
    written.pop(str(run / run_folder.LOCK), None)
    return written


def _stage(command: str, run: Path, before: dict) -> str:
    new = {path for path, written in _written(run).items() if before.get(path) != written}
    if any(path.endswith(".partial") for path in new):
        return "in the middle of a file"
    if not new:
        return "before its first file"
    if command == "train" and (run / run_folder.CHECKPOINT).exists():
        tens = run_folder.checkpoint_state(run).epoch // 20 * 20
        return f"after {tens}..{tens + 19} epochs"
    return "after its first file"


def require_same_end(run: Path, other: Path) -> None:
    """Two folders hold the same run, samples, evaluation and report, bit for bit apart from times and ids."""
    require_same_run(run, other)
    with np.load(run / run_folder.SAMPLES) as samples, np.load(other / run_folder.SAMPLES) as expected:
        assert samples.files == expected.files
        assert all(np.array_equal(samples[name], expected[name]) for name in samples.files)
    assert _evaluation(run) == _evaluation(other)
    files = [sorted(path.relative_to(root).as_posix() for path in root.rglob("*")) for root in (run, other)]
    assert files[0] == files[1] and not any(".partial" in name for name in files[0])
    for name in files[0]:
        if name.endswith((".png", ".svg", ".pdf")):
            assert (run / name).read_bytes() == (other / name).read_bytes(), name
    assert _page(run) == _page(other)


def _evaluation(run: Path) -> dict:
    result = json.loads((run / run_folder.EVALUATION).read_text())
    return {key: value for key, value in result.items() if key not in ("checkpoint",)}


def _page(run: Path) -> str:
    text = (run / "report" / "report.html").read_text()
    for image in re.findall(r"base64,([A-Za-z0-9+/=]+)", text):
        assert base64.b64decode(image, validate=True).startswith((b"\x89PNG", b"RIFF"))
    config = json.loads((run / run_folder.CONFIG).read_text())
    return re.sub(r"[\d.,]+ s\b", "TIME", text).replace(config["run_id"], "RUN").replace(str(run), "FOLDER")
