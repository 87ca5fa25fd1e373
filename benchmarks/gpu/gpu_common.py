"""What the GPU rows share: the timer, the floors of a row, and the eager peers' noise."""

import functools
import time

import pytest
import torch
from common import SIGMA, machine
from gates import Gate, require, wrong

import fastdaae as fd

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
DEVICE = "cuda"


def corruption() -> fd.corruptions.Gaussian:
    """The corruption of every row."""
    return fd.corruptions.Gaussian(SIGMA)


def noise() -> fd.Noise:
    """The noise of every row, on the device."""
    return fd.Noise(0, device=DEVICE)


def pixels(rows: int) -> torch.Tensor:
    """Random uint8 images [rows, 784] on the device."""
    generator = torch.Generator(DEVICE).manual_seed(0)
    return torch.randint(0, 256, (rows, 784), dtype=torch.uint8, device=DEVICE, generator=generator)


def eager_corrupt(x: torch.Tensor) -> torch.Tensor:
    """x + sigma n as PyTorch does it."""
    return x + SIGMA * torch.randn_like(x)


def _best_seconds(call, repeats: int) -> float:
    best = float("inf")
    for _ in range(5):
        torch.cuda.synchronize()
        started = time.perf_counter()
        for _ in range(repeats):
            call()
        torch.cuda.synchronize()
        best = min(best, (time.perf_counter() - started) / repeats)
    return best


@functools.cache
def copy_bandwidth() -> float:
    """GB/s, read and written, of the best copies of 1 GiB on this device."""
    source = torch.randn(1 << 28, device=DEVICE)  # equal numbers draw less power, and run faster
    target = torch.empty_like(source)
    return 2 * source.nbytes / _best_seconds(lambda: target.copy_(source), 5) / 1e9


@functools.cache
def product_rate(kind: str) -> float:
    """GFLOP/s of the best 8192^3 products: kind "bf16", "tf32" or "fp32"."""
    dtype = torch.bfloat16 if kind == "bf16" else torch.float32
    a, b = (torch.randn(8192, 8192, device=DEVICE).to(dtype) for _ in range(2))  # as in copy_bandwidth
    allowed = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = kind == "tf32"
    try:
        return 2 * 8192**3 / _best_seconds(lambda: a @ b, 3) / 1e9
    finally:
        torch.backends.cuda.matmul.allow_tf32 = allowed


def measure(
    benchmark,
    group: str,
    who: str,
    call,
    gates: tuple[Gate, ...],
    *,
    repeats: int,
    flops=0,
    moved=0,
    kind="fp32",
    rounds=7,
) -> None:
    """Time `repeats` calls between two synchronisations; the row's times are of all of them, per_call_us of one.

    `gates` are those of this row, of `who`: ours must pass them, and a peer that does not is marked "wrong by ...". The
    two floors stand beside the time: bytes over the measured copy bandwidth, operations over the measured rate.
    """
    if who == "ours":
        require(group, gates)

    def block() -> None:
        for _ in range(repeats):
            call()
        torch.cuda.synchronize()

    benchmark.group = group
    block()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call()
    torch.cuda.synchronize()
    peak = (torch.cuda.max_memory_allocated() - before) / 2**20
    benchmark.pedantic(block, rounds=rounds, iterations=1)
    seconds = benchmark.stats.stats.median / repeats
    info = benchmark.extra_info
    info.update(machine(), gpu=torch.cuda.get_device_name(), repeats=repeats, peak_memory_mib=round(peak, 1))
    info.update({gate.name: gate.error for gate in gates}, **({"wrong": wrong(gates)} if wrong(gates) else {}))
    info["per_call_us"] = round(seconds * 1e6, 2)
    if moved:
        info["bytes_floor_us"] = round(moved / copy_bandwidth() / 1e3, 2)
    if flops:
        info[f"{kind}_operations_floor_us"] = round(flops / product_rate(kind) / 1e3, 2)
        info["gflops"] = round(flops / seconds / 1e9, 1)
