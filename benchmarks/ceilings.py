"""The machine's measured ceilings, which a rate is a share of, and the memory that a call adds."""

import ctypes
import time
from collections.abc import Callable
from pathlib import Path

import torch
from checkout import compiled

FMA, BF16, COPY = "fma_ceiling_gflops", "bf16_gemm_ceiling_gflops", "copy_ceiling_gb_per_s"
MOVED = 0.1  # a ceiling that differs by more before and after a group says that the machine changed under it


def ceiling(name: str) -> float:
    """GFLOP/s or GB/s, measured now: FMA float32 multiply-adds in registers, BF16 torch's 2048^3 product, COPY of 256
    MiB, read and written. Without the compiled module FMA is torch's product too."""
    module = compiled()
    if name == COPY:
        return _copy_rate()
    if name == BF16 or module is None:
        return _product_rate(torch.bfloat16 if name == BF16 else torch.float32)
    return max(module.multiply_add_ceiling(0.1, torch.get_num_threads()) for _ in range(3))


def ceilings(names: tuple[str, ...]) -> dict[str, float]:
    """{name: `ceiling(name)`}."""
    return {name: ceiling(name) for name in names}


def has_moved(before: dict[str, float], after: dict[str, float]) -> bool:
    """Whether any ceiling differs by more than MOVED of its larger value."""
    return any(abs(before[name] - after[name]) > MOVED * max(before[name], after[name]) for name in before)


def _product_rate(dtype: torch.dtype) -> float:
    a, b, out = (torch.ones(2048, 2048, dtype=dtype) for _ in range(3))
    return 2 * 2048**3 / _best_seconds(lambda: torch.mm(a, b, out=out)) / 1e9


def _copy_rate() -> float:
    source = torch.ones(1 << 26)
    target = torch.zeros_like(source)
    return 2 * source.nbytes / _best_seconds(lambda: target.copy_(source)) / 1e9


def _best_seconds(call: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(6):
        started = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - started)
    return best


def peak_memory(call: Callable[[], object]) -> float | None:
    """MiB of resident memory that one call adds at its peak; None where the kernel cannot say (not Linux)."""
    try:
        # what earlier rows freed goes back first: reusing it would hide this call's own need
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
    except (OSError, AttributeError):
        call()
        return None
    before = _status_kib("VmRSS")
    call()
    return max(0, _status_kib("VmHWM") - before) / 1024


def _status_kib(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))
