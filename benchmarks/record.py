"""Keeps what matters of a pytest-benchmark JSON file: `python benchmarks/record.py RAW.json results/MACHINE`.

A folder gets a file for every bench_*.py that was run (chain.json of bench_chain.py), and other files there stay; a
target that ends in .json gets all rows.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FMA = "fma_ceiling_gflops"


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


def machine_line(raw: dict) -> dict:
    """Commit, date, processor, instruction set, threads, data and versions; the ceiling's median and range."""
    ceilings = [value for entry in raw["benchmarks"] for value in entry["extra_info"].get(FMA, ())]
    line = {"commit": commit(), "taken": raw["datetime"][:10], **raw["machine_info"].get("fastdaae", {})}
    if ceilings:
        low, high = min(ceilings), max(ceilings)
        line[FMA] = {"median": round(statistics.median(ceilings), 1), "min": low, "max": high}
    return line


def row_line(entry: dict) -> dict:
    """A row's group and name, its seconds a call over the rounds, and its extra_info."""
    times = {name: float(f"{entry['stats'][name]:.4g}") for name in ("median", "q1", "q3", "min", "max")}
    # "test_row[group | row]"
    name = entry["name"].removeprefix("test_row[").removesuffix("]").removeprefix(f"{entry['group']} | ")
    return {"group": entry["group"], "row": name, **times, "rounds": entry["stats"]["rounds"], **entry["extra_info"]}


def module_of(entry: dict) -> str:
    """ "chain" of a row of bench_chain.py."""
    return Path(entry["fullname"].partition("::")[0]).stem.removeprefix("bench_")


def write_record(source: Path, target: Path) -> list[Path]:
    """Write the records of `source`, a line for each row; the files written."""
    raw = json.loads(source.read_text())
    modules = list(dict.fromkeys(map(module_of, raw["benchmarks"])))
    whole = target.suffix == ".json"
    written = []
    for path in [target] if whole else [target / f"{module}.json" for module in modules]:
        rows = [row_line(entry) for entry in raw["benchmarks"] if whole or module_of(entry) == path.stem]
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = ",\n  ".join(json.dumps(row) for row in rows)
        path.write_text(json.dumps(machine_line(raw))[:-1] + ',\n "rows": [\n  ' + lines + "\n ]}\n")
        written.append(path)
    return written


if __name__ == "__main__":
    print(*write_record(Path(sys.argv[1]), Path(sys.argv[2])), sep="\n")
