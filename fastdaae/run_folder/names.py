"""The names of a run's files, which no other output may take."""

import os
from pathlib import Path

CONFIG = "config.json"
METRICS = "metrics.jsonl"
CHECKPOINT = "checkpoint.safetensors"
EVALUATION = "evaluation.json"
SAMPLES = "samples.npz"
LOCK = "lock"
_OWN = (CHECKPOINT, CONFIG, METRICS, EVALUATION, LOCK)


def refuse_own_files(path: str | Path, run_dir: str | Path) -> None:
    """Raise ValueError where an output `path` is one of the files that make a run, of this one or of another."""
    path = Path(path)
    beside = path.resolve().parent
    folders = [Path(run_dir), *([beside] if (beside / CONFIG).exists() else [])]
    for own in (folder / name for folder in folders for name in _OWN):
        if path.resolve() == own.resolve() or (path.exists() and own.exists() and os.path.samefile(path, own)):
            raise ValueError(f"out must not be a run's own file, got {path}; choose another name, such as {SAMPLES}")
