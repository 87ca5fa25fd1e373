"""Every .cu file compiles for every architecture that is shipped, and no kernel spills registers.

`python -m tests.gpu.test_cuda_compile` writes the registers of each kernel to results/offline/cuda.json.
"""

import json
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests import tools

ROOT = Path(__file__).resolve().parents[2]
STORED = ROOT / "results" / "offline" / "cuda.json"
SOURCES = sorted((ROOT / "csrc" / "cuda").glob("*.cu"))
ARCHITECTURES = ("80", "90", "100")
KERNELS = {
    "intrinsic_dimension.cu": {"combine", "summarize<float>", "summarize<double>"},
    "nearest_neighbors.cu": {"screen", "rank<float>", "rank<double>"},
    "runtime.cu": set(),
}
REPORT = re.compile(
    r"Compiling entry function '(?P<mangled>\w+)' for '(?P<architecture>sm_\d+)'.*?"
    r"(?P<stores>\d+) bytes spill stores, (?P<loads>\d+) bytes spill loads.*?Used (?P<registers>\d+) registers",
    flags=re.S,
)


def kernel_name(mangled: str) -> str:
    """`rank<float>` of its mangled name, in which a name follows its own length."""
    names = [name for name in ("screen", "rank", "summarize", "combine") if f"{len(name)}{name}" in mangled]
    assert len(names) == 1, mangled
    value = {"IfE": "<float>", "IdE": "<double>"}
    return names[0] + value.get(mangled.split(names[0])[1][:3], "")


def compiled(nvcc: str, source: Path, output: Path) -> dict[str, dict[str, dict[str, int]]]:
    """{architecture: {kernel: {registers, spilled_bytes}}} of one file."""
    codes = [f"-gencode=arch=compute_{one},code=sm_{one}" for one in ARCHITECTURES]
    flags = ["-O3", "-std=c++17", "--threads", "3", "-Xptxas", "-v", "-Werror", "all-warnings"]
    done = subprocess.run([nvcc, *flags, *codes, "-c", source, "-o", output], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = {f"sm_{one}": {} for one in ARCHITECTURES}
    for match in REPORT.finditer(done.stderr):
        used = {"registers": int(match["registers"]), "spilled_bytes": int(match["stores"]) + int(match["loads"])}
        found[match["architecture"]][kernel_name(match["mangled"])] = used
    return found


def test_every_file_is_listed():
    assert {path.name for path in SOURCES} == set(KERNELS)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_kernels_compile_without_spills(source, tmp_path):
    for architecture, kernels in compiled(tools.nvcc(), source, tmp_path / "object.o").items():
        assert set(kernels) == KERNELS[source.name], architecture
        for name, used in kernels.items():
            # 256 threads a block, two blocks on a multiprocessor
            assert used["spilled_bytes"] == 0 and used["registers"] <= 128, (architecture, name, used)


def test_stored_results_name_the_kernels():
    stored = json.loads(STORED.read_text())["kernels"]
    assert set(stored) == {f"sm_{one}" for one in ARCHITECTURES}, "run: python -m tests.gpu.test_cuda_compile"
    for kernels in stored.values():
        assert set(kernels) == set.union(*KERNELS.values())


def test_sources_know_neither_torch_nor_python():
    for path in (ROOT / "csrc" / "cuda").iterdir():
        included = re.findall(r'#include [<"](.*?)[>"]', path.read_text())
        assert not [name for name in included if re.search("torch|ATen|c10|pybind|Python", name)], path


def write() -> None:
    nvcc = tools.nvcc()
    version = re.search(r"release ([\d.]+)", subprocess.run([nvcc, "--version"], capture_output=True, text=True).stdout)
    kernels = {f"sm_{one}": {} for one in ARCHITECTURES}
    with tempfile.TemporaryDirectory() as folder:
        for source in SOURCES:
            for architecture, found in compiled(nvcc, source, Path(folder) / "object.o").items():
                kernels[architecture] |= found
    STORED.write_text(json.dumps({"nvcc": version[1], "kernels": kernels}, indent=1) + "\n")


if __name__ == "__main__":
    write()
