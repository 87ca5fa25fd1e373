"""Everything that only a machine with a GPU can show, in one command and without a network: `make gpu-check`.

Builds the extension, runs every GPU test (a skip is a failure), compute-sanitizer over the CUDA kernels on small
shapes, and the benchmarks, and writes results/<gpu>/*.json with machine, versions, commit and outcome. Parts run alone:
`python benchmarks/gpu_check.py build tests sanitize bench`, or `make gpu-check PARTS="tests bench"`.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record import commit, write_record

ROOT = Path(__file__).resolve().parents[1]
LIMITS = {"build": 150, "tests": 150, "sanitize": 60, "bench": 170}  # seconds: nine minutes in all


def _run(command: list[str], limit: float, **environment: str) -> tuple[str, float, str]:
    """Run a part's command: ("ok", "failed" or "too slow", seconds, the end of what it printed)."""
    print("+", *command, flush=True)
    started = time.perf_counter()
    settings = {**os.environ, **environment}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=settings, timeout=limit, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        outcome, printed = ("ok" if done.returncode == 0 else "failed"), done.stdout
    except subprocess.TimeoutExpired as late:
        outcome, printed = "too slow", late.stdout or b""
    text = printed.decode(errors="replace")
    print(text, flush=True)
    return outcome, round(time.perf_counter() - started, 1), text[-2000:]


def build() -> tuple:
    """Install from this checkout with the packages that are there."""
    options = ["--no-build-isolation", "--no-deps", "--quiet", "-e", "."]
    return _run([sys.executable, "-m", "pip", "install", *options], LIMITS["build"])


def tests() -> tuple:
    """Every test that needs a GPU, with skips forbidden."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "needs_cuda", "tests"]
    return _run(command, LIMITS["tests"], FASTDAAE_REQUIRE="cuda,triton,cpp")


def sanitize() -> tuple:
    """The CUDA kernels on small shapes under compute-sanitizer's memory checker."""
    tool = shutil.which("compute-sanitizer")
    if tool is None:
        return "no compute-sanitizer here", 0.0, ""
    command = [tool, "--tool", "memcheck", "--error-exitcode", "9", "--launch-timeout", "60", sys.executable]
    small = "neighbors_are_those_of_brute_force or odd_shapes or log_ratio_moments"
    return _run([*command, "-m", "pytest", "-q", "-m", "needs_cuda", "-k", small, "tests"], LIMITS["sanitize"])


def bench(folder: Path) -> tuple:
    """The GPU rows beside their peers; the record goes to results/<gpu>/benchmarks.json."""
    with tempfile.TemporaryDirectory() as scratch:
        raw = Path(scratch) / "raw.json"
        options = ["--benchmark-only", "-q", f"--benchmark-json={raw}"]
        outcome = _run([sys.executable, "-m", "pytest", "benchmarks/gpu", *options], LIMITS["bench"])
        if raw.exists() and raw.stat().st_size:
            write_record(raw, folder / "benchmarks.json")
    return outcome


def _machine() -> dict:
    import torch

    name = torch.cuda.get_device_name() if torch.cuda.is_available() else "no CUDA device"
    versions = {"python": platform.python_version(), "torch": torch.__version__, "cuda": torch.version.cuda}
    try:
        import triton

        versions["triton"] = triton.__version__
    except ImportError:
        versions["triton"] = None
    return {"gpu": name, **versions, "commit": commit()}


def main(parts: list[str]) -> int:
    """Run the named parts (all by default), write results/<gpu>/check.json, and return the exit code."""
    unknown = [part for part in parts if part not in LIMITS]
    if unknown:
        print(f"a part must be one of {', '.join(LIMITS)}, got {unknown[0]!r}")
        return 2
    machine = _machine()
    if machine["gpu"] == "no CUDA device":
        print("gpu-check needs a CUDA device, and PyTorch sees none here; `make test` checks the kernels without one")
        return 2
    folder = ROOT / "results" / machine["gpu"].lower().replace(" ", "-")
    run = {"build": build, "tests": tests, "sanitize": sanitize, "bench": lambda: bench(folder)}
    outcomes = {}
    for part in parts or list(LIMITS):
        outcome, seconds, printed = run[part]()
        outcomes[part] = {"outcome": outcome, "seconds": seconds, "end": printed.splitlines()[-8:]}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "check.json").write_text(json.dumps({**machine, "parts": outcomes}, indent=1) + "\n")
    print(json.dumps({part: result["outcome"] for part, result in outcomes.items()}))
    return 0 if all(result["outcome"] in ("ok", "no compute-sanitizer here") for result in outcomes.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
