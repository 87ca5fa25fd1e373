"""Checks of the Triton kernels on a machine without a GPU, each in a process of its own.

`run_interpreted` runs a file of test cases under Triton's interpreter. `compile_offline` calls the real launchers of an
operator on tensors that are never read, with a driver that only names an architecture: what the launchers would start
is compiled for sm_80, sm_90 and sm_100 and its resources are read from the machine code. An operator lists its launches
in `tests/interpreted/<operator>_launches.py`: `launches() -> {case: function without arguments}`.

`python -m tests.gpu_free corrupt corrupted_linear` writes results/offline/<operator>.json.
"""

import contextlib
import importlib
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ARCHITECTURES = (80, 90, 100)
_TIMEOUT = 600


def _child(arguments: list[str], **environment: str) -> subprocess.CompletedProcess:
    kept = {k: v for k, v in os.environ.items() if k not in ("TRITON_INTERPRET", "FASTDAAE_BACKEND")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=kept | {"OMP_NUM_THREADS": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
    )


def run_interpreted(name: str) -> None:
    """Runs tests/interpreted/<name>.py under pytest and Triton's interpreter; fails with the child's output."""
    version = importlib.metadata.version("triton")
    if tuple(int(part) for part in version.split(".")[:2]) < (3, 9):
        pytest.skip(f"the interpreter of triton {version} does not run these kernels; 3.9 does")
    path = f"tests/interpreted/{name}.py"
    done = _child(["-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=3", path], TRITON_INTERPRET="1")
    assert done.returncode == 0, f"{path}:\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}"
    # nobody would see a skip in here
    assert "skipped" not in done.stdout, f"{path}:\n{done.stdout[-6000:]}"


def compile_offline(operator: str) -> dict[str, dict]:
    """{case: {"sm_90": [{kernel, registers, spills, shared, warps}, ...], ...}} of an operator's launches."""
    done = _child(["-m", "tests.gpu_free", "--print", operator])
    assert done.returncode == 0, done.stderr[-6000:]
    return json.loads(done.stdout)[operator]


def assert_compiles_without_spills(operator: str) -> None:
    """Every launch compiles, no kernel spills, and the stored results list exactly these launches and kernels."""
    found = compile_offline(operator)
    for case, by_architecture in found.items():
        for architecture, kernels in by_architecture.items():
            assert kernels, f"{case} launched nothing on {architecture}"
            assert all(kernel["spills"] == 0 for kernel in kernels), (case, architecture, kernels)
    stored = json.loads((ROOT / "results" / "offline" / f"{operator}.json").read_text())["cases"]
    assert _names(stored) == _names(found), f"run: python -m tests.gpu_free {operator}"


def _names(cases: dict[str, dict]) -> dict:
    return {
        case: {architecture: [kernel["kernel"] for kernel in kernels] for architecture, kernels in found.items()}
        for case, found in cases.items()
    }


class _NamedArchitecture:
    """A Triton driver without a device: enough for the JIT to specialise and compile."""

    def __init__(self, architecture: int):
        from triton.backends.compiler import GPUTarget

        self.target = GPUTarget("cuda", architecture, 32)

    class utils:
        @staticmethod
        def get_device_properties(device):
            return {"max_shared_mem": 232448, "multiprocessor_count": 132, "max_num_regs": 65536, "warpSize": 32}

    def get_current_target(self):
        return self.target

    def get_current_device(self):
        return self.target.arch  # keys the JIT's cache: one entry an architecture

    def get_current_stream(self, device=None):
        return 0

    def map_python_to_cpp_type(self, kind):
        return kind


@contextlib.contextmanager
def _compiling_for(architecture: int):
    """Launches compile instead of running; yields the list that receives (kernel name, compiled kernel)."""
    from triton.runtime import driver
    from triton.runtime.jit import JITFunction

    from fastdaae.kernels.triton.jit import configs

    compiled, launch, of_device = [], JITFunction.__getitem__, configs.architecture

    def compile_instead(kernel, grid):
        def call(*arguments, **options):
            compiled.append((kernel.__name__, kernel.warmup(*arguments, grid=grid, **options)))

        return call

    driver.set_active(_NamedArchitecture(architecture))
    JITFunction.__getitem__, configs.architecture = compile_instead, lambda device: architecture
    try:
        yield compiled
    finally:
        JITFunction.__getitem__, configs.architecture = launch, of_device


def _resources(name: str, kernel) -> dict:
    """Registers a thread, spill instructions, shared memory in bytes."""
    import triton

    tool = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(kernel.asm["cubin"])
        file.flush()
        usage, code = (
            subprocess.run([tool, option, file.name], capture_output=True, text=True, check=True).stdout
            for option in ("--dump-resource-usage", "-sass")
        )
    return {
        "kernel": name,
        "registers": int(re.search(r"REG:(\d+)", usage).group(1)),
        "spills": len(re.findall(r"\b(?:STL|LDL)\b", code)),
        "shared": kernel.metadata.shared,
        "warps": kernel.metadata.num_warps,
    }


def _compile_all(operator: str) -> dict[str, dict]:
    launches = importlib.import_module(f"tests.interpreted.{operator}_launches").launches()
    found: dict[str, dict] = {case: {} for case in launches}
    for architecture in ARCHITECTURES:
        for case, launch in launches.items():
            with _compiling_for(architecture) as compiled:
                launch()
            found[case][f"sm_{architecture}"] = [_resources(name, kernel) for name, kernel in compiled]
    return found


def _store(operator: str, cases: dict[str, dict]) -> None:
    import triton

    path = ROOT / "results" / "offline" / f"{operator}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"triton": triton.__version__, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    only_print = "--print" in sys.argv
    everything = {operator: _compile_all(operator) for operator in sys.argv[1:] if operator != "--print"}
    if only_print:
        json.dump(everything, sys.stdout)
    else:
        for operator, cases in everything.items():
            _store(operator, cases)
