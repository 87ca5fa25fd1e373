"""The command line's processes, killed at moments drawn by a seed, and what two finished folders must agree on."""

import base64
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

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
_EARLY = 4  # every fourth kill falls into the first second


def start(command: str, run: Path) -> subprocess.Popen:
    arguments = [str(run) if part == "RUN" else part for part in COMMANDS[command].split()]
    return subprocess.Popen(
        _ENTRY + arguments, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(command: str, run: Path) -> float:
    """Run a command to its end; returns the seconds that it took."""
    started = time.monotonic()
    process = start(command, run)
    printed, _ = process.communicate(timeout=600)
    assert process.returncode == 0, printed
    return time.monotonic() - started


@dataclass
class Killer:
    """Kills processes at moments drawn by a seed, and counts where the kills landed."""

    seconds: dict[str, float]
    seed: int = 0
    landed: Counter = field(default_factory=Counter)

    def __post_init__(self):
        self._random = random.Random(self.seed)

    def kill(self, command: str, run: Path) -> bool:
        """Start a command and kill it; False where it had ended by then."""
        early = sum(self.landed.values()) % _EARLY == 0
        moment = self._random.uniform(0, 1 if early else self.seconds[command])
        before = _written(run)
        with start(command, run) as process:
            try:
                printed, _ = process.communicate(timeout=moment)
                assert process.returncode == 0, printed
                return False
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        if process.returncode != -signal.SIGKILL:
            return False
        self.landed[command, _stage(moment, before, _written(run))] += 1
        return True

    def table(self) -> str:
        """The kills that landed, by command and stage, one line each."""
        lines = [f"{command:9}{stage:34}{count:4}" for (command, stage), count in sorted(self.landed.items())]
        return "\n".join([*lines, f"{'':9}{'together':34}{sum(self.landed.values()):4}"])


def _written(run: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in run.rglob("*") if path.name != run_folder.LOCK}


def _stage(moment: float, before: dict, after: dict) -> str:
    new = {path for path, written in after.items() if before.get(path) != written}
    if any(path.endswith(".partial") for path in new):
        return "while a file was written"
    if new:
        return "between two files"
    return "before its first file, first second" if moment < 1 else "before its first file, later"


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
        if name.endswith(".png"):
            assert (run / name).read_bytes() == (other / name).read_bytes(), name
    assert _page(run) == _page(other)


def _evaluation(run: Path) -> dict:
    result = json.loads((run / run_folder.EVALUATION).read_text())
    return {key: value for key, value in result.items() if key not in ("checkpoint",)}


def _page(run: Path) -> str:
    text = (run / "report" / "report.html").read_text()
    for image in re.findall(r"base64,([A-Za-z0-9+/=]+)", text):
        assert base64.b64decode(image, validate=True).startswith(b"\x89PNG")
    config = json.loads((run / run_folder.CONFIG).read_text())
    return re.sub(r"[\d.,]+ s\b", "TIME", text).replace(config["run_id"], "RUN").replace(str(run), "FOLDER")
