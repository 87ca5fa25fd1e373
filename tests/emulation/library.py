"""The CUDA kernels compiled for the CPU under the emulation, behind the functions of the compiled extension."""

import contextlib
import ctypes
import subprocess
from pathlib import Path

from tests import tools

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
KERNELS = sorted((ROOT / "csrc" / "cuda").glob("*.cu"))
# fibers jump between stacks, which fortified longjmp takes for an error
FLAGS = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-U_FORTIFY_SOURCE", f"-I{HERE}"]


def compile_emulated(output: Path, *flags: str, entry: str, kernels: list[Path] = KERNELS) -> Path:
    """Compiles .cu files with an entry file of this folder; skips the test where there is no g++."""
    command = [tools.gxx(), *FLAGS, *flags, "-x", "c++", HERE / entry, *kernels, "-o", output]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return output


class EmulatedModule:
    """What `compiled.load()` gives, for kernels that run on host memory."""

    def __init__(self, path: Path):
        self._library = ctypes.CDLL(str(path))
        self._library.log_ratio_rows.restype = ctypes.c_int64
        self.capacity = None  # replaces the layout's own, to fill lists sooner

    def set_order_seed(self, seed: int) -> None:
        """The order of the threads between two barriers: 0 ascending, else drawn anew at each barrier."""
        self._library.set_order_seed(ctypes.c_uint(seed))

    def neighbor_layout(self, k: int) -> tuple[int, int, int]:
        layout = (ctypes.c_int64 * 3)()
        self._library.neighbor_layout(ctypes.c_int64(k), layout)
        return layout[0], layout[1], self.capacity or layout[2]

    def log_ratio_rows(self) -> int:
        return self._library.log_ratio_rows()

    def nearest_neighbors_cuda(self, *arguments: int) -> None:
        self._library.nearest_neighbors_cuda(*map(ctypes.c_int64, arguments))

    def intrinsic_dimension_cuda(self, *arguments: int) -> None:
        self._library.intrinsic_dimension_cuda(*map(ctypes.c_int64, arguments))


@contextlib.contextmanager
def on_host(_device):
    """In place of the launchers' device guard."""
    yield 0, 0
