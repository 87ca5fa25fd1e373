"""Keeps what matters of a pytest-benchmark JSON file: `python benchmarks/record.py RAW.json results/MACHINE/X.json`."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def commit() -> str:
    """The commit of this checkout, or of FASTDAAE_COMMIT where the checkout came without its history."""
    stated = os.environ.get("FASTDAAE_COMMIT", "unknown")
    if not (ROOT / ".git").exists():  # git would answer for a repository around this folder
        return stated
    try:
        found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT)
    except OSError:
        return stated
    return found.stdout.strip() or stated


def record(raw: dict) -> dict:
    """Machine, versions, commit, and a line for each row: its group, its times in seconds and its extra_info."""
    rows = []
    shared: dict = {}
    for entry in raw["benchmarks"]:
        notes = dict(entry["extra_info"])
        shared = {name: notes.pop(name, None) for name in ("machine", "threads", "torch", "data", "engine")}
        times = {name: round(entry["stats"][name], 7) for name in ("median", "min", "max")}
        times["rounds"] = entry["stats"]["rounds"]
        rows.append({"group": entry["group"], "row": entry["name"], **times, **notes})
    python = raw["machine_info"]["python_version"]
    return {"commit": commit(), "taken": raw["datetime"][:10], "python": python, **shared, "rows": rows}


def write_record(source: Path, target: Path) -> None:
    """Write the record of `source` to `target`, a line for each row."""
    kept = record(json.loads(source.read_text()))
    target.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n  ".join(json.dumps(row) for row in kept.pop("rows"))
    target.write_text(json.dumps(kept)[:-1] + ',\n "rows": [\n  ' + lines + "\n ]}\n")


if __name__ == "__main__":
    write_record(Path(sys.argv[1]), Path(sys.argv[2]))
