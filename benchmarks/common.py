"""What all benchmarks share: the data, the networks, the machine's measured ceilings, memory, and the gate."""

import ctypes
import functools
import os
import platform
import time
from pathlib import Path
from typing import NamedTuple

import torch  # before faiss, which then shares no OpenMP pool that spins against torch's
from torch import Tensor, nn

from fastdaae import backend, data, networks
from fastdaae.kernels import extension

LARGE = os.environ.get("FASTDAAE_BENCH") == "large"
DATA = "mnist" if os.environ.get("FASTDAAE_DATA") else "synthetic"
SIGMA = 0.5  # the paper's corruption of MNIST, in [0, 1] pixels
CODES = 10


@functools.cache
def images() -> Tensor:
    """60,000 training images, uint8 [N, 784]: MNIST where FASTDAAE_DATA is set, else sparse ones of dimension 10."""
    if DATA == "synthetic":
        return _synthetic(60_000, seed=0)
    mnist = data.load("mnist")
    return torch.cat((mnist.train.images, mnist.validation.images)).flatten(1)


@functools.cache
def held_out_images() -> Tensor:
    """10,000 images that are not in `images`, uint8 [N, 784]."""
    return _synthetic(10_000, seed=1) if DATA == "synthetic" else data.load("mnist").test.images.flatten(1)


def _synthetic(count: int, seed: int) -> Tensor:
    basis = torch.nn.functional.normalize(torch.randn(784, CODES, generator=torch.Generator().manual_seed(2)), dim=1)
    codes = torch.randn(count, CODES, generator=torch.Generator().manual_seed(seed))
    brightness = codes @ basis.T - 0.88  # a fifth of the pixels is lit, as in MNIST
    return (brightness * 180).clamp_(0, 255).to(torch.uint8)


def pixels(batch: Tensor) -> Tensor:
    """uint8 images as float32 in [0, 1]."""
    return batch.float() / 255


def make_networks() -> tuple[nn.Module, nn.Module, nn.Module]:
    """The paper's MNIST networks (encoder, decoder to logits, discriminator), equal at each call."""
    torch.manual_seed(0)
    encoder = networks.mlp([784, 1000, 1000, CODES])
    decoder = networks.mlp([CODES, 1000, 1000, 784])
    return encoder, decoder, networks.mlp([CODES, 1000, 1000, 1])


def product_flops(rows: int, *sizes: int) -> int:
    """The arithmetic of the products of a fully connected network's forward pass."""
    return sum(2 * rows * a * b for a, b in zip(sizes[:-1], sizes[1:], strict=True))


class Ceiling(NamedTuple):
    """What a rate is a share of: the name of its extra_info entry and GFLOP/s or GB/s, measured in this process."""

    name: str
    rate: float


@functools.cache
def arithmetic_ceiling(dtype: torch.dtype = torch.float32) -> Ceiling:
    """GFLOP/s: float32 multiply-adds in registers; for bfloat16 torch's 2048^3 product where that is faster still.

    A processor without bfloat16 arithmetic computes these products in float32. Without the extension the float32
    ceiling is torch's product too.
    """
    if backend.EXTENSION_PROBLEM is None:
        compiled = extension.load()
        fma = max(compiled.multiply_add_ceiling(0.2, torch.get_num_threads()) for _ in range(3))
    else:
        fma = _product_rate(torch.float32)
    if dtype != torch.bfloat16:
        return Ceiling("fma_ceiling_gflops", fma)
    product = _product_rate(torch.bfloat16)
    return Ceiling("bf16_gemm_ceiling_gflops", product) if product > fma else Ceiling("fma_ceiling_gflops", fma)


def _product_rate(dtype: torch.dtype) -> float:
    a, b, out = (torch.ones(2048, 2048, dtype=dtype) for _ in range(3))
    return 2 * 2048**3 / _best_seconds(lambda: torch.mm(a, b, out=out)) / 1e9


@functools.cache
def copy_ceiling() -> Ceiling:
    """GB/s, read and written, of the best of ten copies of 256 MiB."""
    source = torch.ones(1 << 26)
    target = torch.zeros_like(source)
    seconds = _best_seconds(lambda: target.copy_(source))
    return Ceiling("copy_ceiling_gb_per_s", 2 * source.nbytes / seconds / 1e9)


def _best_seconds(call) -> float:
    best = float("inf")
    for _ in range(10):
        started = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - started)
    return best


@functools.cache
def machine() -> dict:
    """What ran the row: processor, cores, threads and versions."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    name = models[0] if models else platform.processor() or platform.machine()
    live = backend.backends()["cpp"]
    return {
        "machine": f"{name}, {os.cpu_count()} cores, {platform.system()}, torch {torch.__version__}",
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "data": DATA,
        "engine": live.detail,
    }


def peak_memory(call) -> float | None:
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


class BackendsUsed:
    """Calls a function and notes which backend each of our operators chose: `used(call)`, then `str(used)`."""

    def __init__(self, monkeypatch):
        self.monkeypatch, self.chosen = monkeypatch, {}

    def __call__(self, call) -> None:
        choose = backend.choose

        def noted(operator, requested, problems):
            self.chosen[operator] = choose(operator, requested, problems)
            return self.chosen[operator]

        with self.monkeypatch.context() as patched:
            patched.setattr(backend, "choose", noted)
            call()

    def __str__(self) -> str:
        return ", ".join(f"{operator}: {name}" for operator, name in sorted(self.chosen.items()))


def require_close(what: str, error: float, limit: float, unit: str) -> float:
    """The gate: fails the row, before any timing, where ours is further from the reference than promised."""
    assert error <= limit, f"{what} must be within {limit:g} {unit} of the reference, got {error:g}"
    return error
