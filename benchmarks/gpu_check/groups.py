"""The commands of every part, group by group, and their limits in seconds."""

import importlib.util
import math
import os
import re
import shutil
import sys
from pathlib import Path

from gpu_check.runner import Group

ROOT = Path(__file__).resolve().parents[2]
# three commands of less than ten minutes: facts, build and test; bench; profile and sanitize
LIMITS = {"facts": 20, "build": 150, "test": 390, "bench": 560, "profile": 220, "sanitize": 340}
_WORKERS = 10  # processes that compile kernels at once, on as many processors
_SECONDS_A_TEST = 150
OPERATIONS = (
    "draws",
    "corrupt",
    "corrupted_linear",
    "wide_corrupted_linear",
    "linear_mean",
    "linear_sigmoid_corrupt",
    "parzen",
    "neighbors",
    "log_ratio_moments",
)
# how the names of our kernels begin, as the profiler's pattern: PyTorch's own are left out
_TRITON = "draw|corrupt|stationary|tiled|weight_gradient|linear|input_gradient|stream|direct"
_CUDA = "screen|rank|summarize|combine"
KERNELS = f"^_?({_TRITON}|{_CUDA})"
SECTIONS = ("SpeedOfLight", "Occupancy", "LaunchStats")
UNCACHED = {"PYTORCH_NO_CUDA_MEMORY_CACHING": "1"}  # an overrun inside a cached block would not be seen


def _python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def facts() -> list[Group]:
    """The state of the GPU and the packages, in words."""
    smi = "" if shutil.which("nvidia-smi") else "no nvidia-smi here"
    return [
        Group("facts", "gpu", ["nvidia-smi", "-q"], 10, absent=smi),
        Group("facts", "packages", _python("-m", "pip", "list"), 15),
    ]


def build(machine: dict) -> list[Group]:
    """Install from this checkout with the packages that are there, and ask the result for its CUDA kernels."""
    options = ["--no-build-isolation", "--no-deps", "-v", "-e", "."]
    wanted = {"FASTDAAE_CUDA_ARCHS": os.environ.get("FASTDAAE_CUDA_ARCHS") or machine["architecture"]}
    libraries = [*_cuda_libraries(), *filter(None, [os.environ.get("LIBRARY_PATH")])]
    wanted |= {"LIBRARY_PATH": ":".join(libraries)} if libraries else {}
    asked = "from fastdaae import backend; raise SystemExit(backend.cuda_build_problem())"
    return [
        Group("build", "install", _python("-m", "pip", "install", *options), math.inf, wanted),
        Group("build", "cuda_built", _python("-c", asked), 30),
    ]


def _cuda_libraries() -> list[str]:
    """The library folders of the CUDA wheels, where PyTorch brought any: the static runtime may be there alone."""
    found = importlib.util.find_spec("nvidia")
    folders = [Path(place) for place in (found.submodule_search_locations or [])] if found else []
    return [str(path) for folder in folders for path in sorted(folder.glob("cu*/lib"))]


def _plugin(module: str, *options: str) -> list[str]:
    """A pytest plugin's options where this interpreter has it; it is named, in case plugins do not load themselves."""
    name = module.removeprefix("pytest_")
    return ["-p", name, *options] if importlib.util.find_spec(module) else []


def _pytest(*arguments: str) -> list[str]:
    return _python("-m", "pytest", "-q", "-p", "gpu_check.rows", *arguments)


def tests() -> list[Group]:
    """Every test that needs a GPU, a group for each file, with skips forbidden."""
    marked = re.compile(r"mark\.needs_cuda(_build)?\b")
    files = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if marked.search(path.read_text())]
    command = _pytest(
        "-m", "needs_cuda or needs_cuda_build", *_plugin("pytest_timeout", "--timeout", str(_SECONDS_A_TEST))
    )
    required = {"FASTDAAE_REQUIRE": "cuda,triton,cpp"}
    found = []
    for path in files:
        compiles = "needs_triton" in path.read_text()  # for minutes, one kernel after the other
        workers = _plugin("xdist", "-n", str(min(_WORKERS, os.cpu_count() or 1))) if compiles else []
        found.append(Group("test", path.stem, [*command, *workers, str(path.relative_to(ROOT))], 150, required))
    return found


def bench() -> list[Group]:
    """The GPU rows beside their peers, a group for each function."""
    found = []
    for path in sorted((ROOT / "benchmarks" / "gpu").glob("bench_*.py")):
        for name in re.findall(r"^def (test_\w+)", path.read_text(), flags=re.MULTILINE):
            node = f"{path.relative_to(ROOT)}::{name}"
            found.append(Group("bench", name.removeprefix("test_"), _pytest("--benchmark-only", node), 150))
    return found


def _launch(operation: str, size: str) -> list[str]:
    return _python("-m", "gpu_check.launches", operation, size)


def profile() -> list[Group]:
    """Nsight Compute over one launch of every kernel; the clocks stay as they are."""
    tool = shutil.which("ncu")
    options = ["--profile-from-start", "off", "--clock-control", "none", "--kernel-name", f"regex:{KERNELS}"]
    options += [word for section in SECTIONS for word in ("--section", section)]
    absent = "" if tool else "no ncu here"
    return [
        Group("profile", name, [tool or "ncu", *options, *_launch(name, "full")], 60, absent=absent)
        for name in OPERATIONS
    ]


def sanitize() -> list[Group]:
    """Every kernel on small, odd shapes under compute-sanitizer: accesses out of bounds, then races."""
    tool = shutil.which("compute-sanitizer")
    absent = "" if tool else "no compute-sanitizer here"
    found = []
    for check in ("memcheck", "racecheck"):
        command = [tool or "compute-sanitizer", "--tool", check, "--error-exitcode", "9"]
        found += [
            Group("sanitize", f"{check} {name}", [*command, *_launch(name, "small")], 60, UNCACHED, absent)
            for name in OPERATIONS
        ]
    return found


def of_part(part: str, machine: dict) -> list[Group]:
    """The groups of a part on this machine, with the paths that they import from."""
    makers = {"facts": facts, "test": tests, "bench": bench, "profile": profile, "sanitize": sanitize}
    groups = build(machine) if part == "build" else makers[part]()
    given = os.environ.get("PYTHONPATH")
    paths = ":".join([str(ROOT), str(ROOT / "benchmarks"), *([given] if given else [])])
    return [group._replace(environment={**group.environment, "PYTHONPATH": paths}) for group in groups]
