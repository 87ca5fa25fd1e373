"""`python -m gpu_check [--out FOLDER] [--dry-run] [PART[=SECONDS] ...]`; see the package."""

import argparse
import datetime
import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

from record import commit

from gpu_check import groups
from gpu_check.runner import Records, run

_SECONDS_FOR_FACTS = 60  # the first import of PyTorch on a machine that has just started


def _part(text: str) -> tuple[str, float]:
    name, _, seconds = text.partition("=")
    if name not in groups.LIMITS:
        raise argparse.ArgumentTypeError(f"a part must be one of {', '.join(groups.LIMITS)}, got {name!r}")
    try:
        limit = float(seconds) if seconds else float(groups.LIMITS[name])
    except ValueError:
        raise argparse.ArgumentTypeError(f"a part's limit must be seconds, as in {name}=300, got {text!r}") from None
    return name, limit


def arguments(given: list[str]) -> argparse.Namespace:
    """The command line: parts is [(name, limit in seconds), ...]."""
    parser = argparse.ArgumentParser(prog="gpu-check", description="What only a machine with a GPU can show.")
    parser.add_argument("parts", nargs="*", type=_part, metavar="PART[=SECONDS]", help=", ".join(groups.LIMITS))
    parser.add_argument("--out", type=Path, help="folder of rows.jsonl and log.txt (default: results/<GPU>)")
    parser.add_argument("--dry-run", action="store_true", help="print the commands and their limits, run none")
    chosen = parser.parse_args(given)
    chosen.parts = chosen.parts or [_part(name) for name in groups.LIMITS]
    return chosen


def machine() -> dict:
    """The machine's line, asked in a process of its own: what breaks PyTorch does not break this."""
    command, folder = [sys.executable, "-m", "gpu_check.machine"], groups.ROOT / "benchmarks"
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, timeout=_SECONDS_FOR_FACTS, check=True)
    taken = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {"machine": json.loads(done.stdout.splitlines()[-1]), "commit": commit(), "taken": taken}


def run_part(part: list, limit: float, records: Records) -> list[str]:
    """Run a part's groups until its time is used up; their outcomes, "not started" for those left over."""
    outcomes, until = [], time.monotonic() + limit
    for group in part:
        left = until - time.monotonic()
        if left <= 0:
            row = {"part": group.part, "group": group.name, "outcome": "not started", "limit": limit}
            records.append(row)
            outcomes.append("not started")
            continue
        print(f"\n+ {group.part}: {group.name}\n+ {shlex.join(group.command)}", flush=True)
        outcomes.append(run(group, min(left, group.limit), records, groups.ROOT, sys.stdout.buffer))
        print(f"+ {group.part}: {group.name}: {outcomes[-1]}", flush=True)
    return outcomes


def main(given: list[str]) -> int:
    """Run the parts; 0 where every group was ok or its tool is absent, 1 where one was not, 2 without a GPU."""
    chosen = arguments(given)
    if chosen.dry_run:
        _print_commands(chosen.parts)
        return 0
    found = machine()
    if found["machine"]["gpu"] is None:
        print("gpu-check needs a CUDA device, and PyTorch sees none here; `make test` checks the kernels without one")
        return 2
    folder = chosen.out or groups.ROOT / "results" / found["machine"]["gpu"].lower().replace(" ", "-")
    records = Records(folder.resolve())
    records.append(found)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the group in hand is ended too
    outcomes = []
    for part, limit in chosen.parts:
        made = [_with_rows(group, records) for group in groups.of_part(part, found["machine"])]
        outcomes += run_part(made, limit, records)
    summary = {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)}
    print(f"{json.dumps(summary)} in {records.rows}")
    return 0 if set(outcomes) <= {"ok", "absent"} else 1


def _with_rows(group, records: Records):
    return group._replace(environment={**group.environment, "FASTDAAE_GPU_ROWS": str(records.rows)})


def _print_commands(parts: list[tuple[str, float]]) -> None:
    for part, limit in parts:
        print(f"{part}: at most {limit:g} s")
        for group in groups.of_part(part, {"architecture": "<this GPU's>"}):
            note = f"   # {group.absent}" if group.absent else ""
            print(f"  {group.name} ({min(limit, group.limit):g} s): {shlex.join(group.command)}{note}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
