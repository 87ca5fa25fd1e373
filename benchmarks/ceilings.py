"""The machine's measured ceilings, which a rate is a share of, and the memory that a call adds."""

import ctypes
import time
from collections.abc import Callable
from pathlib import Path

import torch
from checkout import compiled

FMA, BF16, BYTES = "fma_ceiling_gflops", "bf16_ceiling_gflops", "byte_ceiling_gops"
COPY = "copy_ceiling_gb_per_s"
MOVED = 0.1  # a ceiling that differs by more before and after a group says that the machine changed under it
_seen: dict[tuple[str, int], float] = {}
_IN_REGISTERS = {FMA: "multiply_add_ceiling", BF16: "bf16_product_ceiling", BYTES: "byte_product_ceiling"}


def ceiling(name: str, moved: int = 0) -> float:
    """GFLOP/s or GB/s, measured now: two operations for every product that is added, or `moved` bytes read and written.

    FMA is of float32 in registers (torch's product without the compiled module). BF16 and BYTES are the larger of what
    registers do and, for bf16, of torch's 2048^3 product: a processor may have a unit for such products alone. Where
    no instruction multiplies them they run as float32: never less than FMA.
    """
    if name == COPY:
        return _kept(name, moved, _copy_rate(moved))
    rates = [_rate_in_registers(name)] if name == FMA else [_rate_in_registers(name), ceiling(FMA)]
    if name == BF16 or (name == FMA and not rates[0]):
        rates.append(_product_rate(torch.bfloat16 if name == BF16 else torch.float32))
    return _kept(name, 0, max(rates))


def highest(name: str, moved: int = 0) -> float:
    """The highest that this process has measured, 0 before the first: what the machine can do when nothing disturbs."""
    return _seen.get((name, moved if name == COPY else 0), 0.0)


def _kept(name: str, moved: int, rate: float) -> float:
    _seen[name, moved] = max(rate, _seen.get((name, moved), 0.0))
    return rate


def ceilings(names: tuple[str, ...], moved: int = 0) -> dict[str, float]:
    """{name: `ceiling(name, moved)`}."""
    return {name: ceiling(name, moved) for name in names}


def has_moved(before: dict[str, float], after: dict[str, float]) -> bool:
    """Whether any ceiling differs by more than MOVED of its larger value."""
    return any(abs(before[name] - after[name]) > MOVED * max(before[name], after[name]) for name in before)


def _rate_in_registers(name: str) -> float:
    # an older checkout beside this one has the first of them alone
    measure = getattr(compiled(), _IN_REGISTERS[name], None)
    return 0.0 if measure is None else max(measure(0.1, torch.get_num_threads()) for _ in range(3))


def _product_rate(dtype: torch.dtype) -> float:
    a, b, out = (torch.ones(2048, 2048, dtype=dtype) for _ in range(3))
    return 2 * 2048**3 / _best_seconds(lambda: torch.mm(a, b, out=out)) / 1e9


def _copy_rate(moved: int) -> float:
    """Of as many bytes as a row moves, 512 MiB at most: what fits a cache is copied faster than memory allows."""
    source = torch.ones(min(moved, 1 << 29) // 8)  # half of the bytes are read, half written, four to a number
    target = torch.zeros_like(source)
    return 2 * source.nbytes / _best_seconds(lambda: target.copy_(source)) / 1e9


def _best_seconds(call: Callable[[], object]) -> float:
    times: list[float] = []
    while len(times) < 6 or sum(times) < 0.01:
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times)


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
