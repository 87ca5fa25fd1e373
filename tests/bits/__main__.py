"""Results to the bit: `python -m tests.bits OUT.json` records them, `python -m tests.bits --compare A.json B.json`
lists what differs between two records and exits with 1 where anything does.

A record holds the dtype, the shape, the norm and a hash of every result of `operators.py`, `networks.py`, `points.py`
and `whole.py`: for "cpp" with every instruction set of this processor, and for "reference", each in a process of its
own with two OpenMP threads.
Fixed seeds and public names alone, so that other versions can be recorded too:

    python -m tests.bits OUT.json --package FOLDER      # the fastdaae that lies in FOLDER
    python -m tests.bits OUT.json --only "encode_mean"  # cases whose name contains these words

Two records are of one processor and one PyTorch, or their bits mean nothing.
"""

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BACKENDS = ("cpp", "reference")
THREADS = "2"


def record(out: Path, package: Path, only: str) -> None:
    """Writes {"backend, isa: case: result": {"hash", "dtype", "shape", "norm"}} of the fastdaae in a folder."""
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor() as pool:
        parts = {backend: Path(folder) / backend for backend in BACKENDS}
        list(pool.map(lambda backend: _work(backend, parts[backend], package, only), BACKENDS))
        found = {key: kept for part in parts.values() for key, kept in json.loads(part.read_text()).items()}
    out.write_text(json.dumps(found, indent=0, sort_keys=True) + "\n")
    print(f"{len(found)} results in {out}")


def _work(backend: str, out: Path, package: Path, only: str) -> None:
    environment = {**os.environ, "FASTDAAE_BACKEND": backend, "OMP_NUM_THREADS": THREADS, "OMP_WAIT_POLICY": "passive"}
    environment.pop("FASTDAAE_ISA", None)
    command = [sys.executable, "-m", "tests.bits.worker", backend, str(package), str(out), only]
    if subprocess.run(command, cwd=ROOT, env=environment).returncode:
        raise SystemExit(f"the record of {backend} failed")


def compare(first: Path, second: Path) -> list[str]:
    """What differs between two records, a line each."""
    before, after = json.loads(first.read_text()), json.loads(second.read_text())
    lines = [f"only in {first}: {key}" for key in before.keys() - after.keys()]
    lines += [f"only in {second}: {key}" for key in after.keys() - before.keys()]
    for key in before.keys() & after.keys():
        one, other = before[key], after[key]
        if one["hash"] != other["hash"]:
            lines.append(f"{key}: {_words(one)} became {_words(other)}")
    return sorted(lines)


def _words(kept: dict) -> str:
    return f"{kept['dtype']} {kept['shape']} of norm {kept['norm']:.9g}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bits", description=__doc__.split("\n\n")[0])
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--package", type=Path, default=ROOT)
    parser.add_argument("--only", default="")
    parser.add_argument("--compare", type=Path, nargs=2, metavar=("A", "B"))
    given = parser.parse_args()
    if given.compare:
        lines = compare(*given.compare)
        print("\n".join([*lines, f"{len(lines)} differ"]))
        return int(bool(lines))
    if given.out is None:
        parser.error("name the file to write, or --compare two")
    record(given.out.resolve(), given.package.resolve(), given.only)
    return 0


if __name__ == "__main__":
    sys.exit(main())
