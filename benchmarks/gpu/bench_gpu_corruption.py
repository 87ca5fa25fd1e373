"""GPU groups "corrupt" and "corrupted_linear": the fused kernels beside eager PyTorch and the two-kernel form."""

import pytest
import torch
from common import SIGMA, require_close
from gpu_common import DEVICE, corruption, eager_corrupt, measure, needs_cuda, noise, pixels
from torch.nn import functional

import fastdaae as fd

pytestmark = needs_cuda
ROWS = [64, 320, 4096, 65536]


def _layer(dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator(DEVICE).manual_seed(1)
    weight = torch.randn(1000, 784, device=DEVICE, generator=generator) / 28
    return weight.to(dtype), torch.zeros(1000, device=DEVICE, dtype=dtype)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("who", ["ours", "torch"])
def test_corrupt(benchmark, who, rows):
    x, address = pixels(rows), noise()
    as_float = x.float() / 255
    ours = fd.ops.corrupt(x[:64], corruption(), address, backend="triton")
    expected = fd.ops.corrupt(x[:64].cpu(), corruption(), fd.Noise(0), backend="reference")
    error = require_close("normals", float((ours.cpu() - expected).abs().max()) / SIGMA, 1e-3, "(absolute)")
    calls = {
        "ours": lambda: fd.ops.corrupt(x, corruption(), address, backend="triton"),
        "torch": lambda: eager_corrupt(as_float),
    }
    moved = rows * 784 * 5  # a byte read, a float written
    measure(benchmark, f"corrupt {rows} x 784", calls[who], repeats=50, moved=moved, normal_error=error)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32], ids=["bf16", "fp32"])
@pytest.mark.parametrize("who", ["ours", "two-kernels", "torch"])
def test_corrupted_linear(benchmark, who, dtype, rows):
    x, address, (weight, bias) = pixels(rows), noise(), _layer(dtype)
    as_float = (x.float() / 255).to(dtype)
    arguments = (corruption(), address)
    ours = fd.ops.corrupted_linear(x[:64], weight, bias, *arguments, backend="triton").double()
    x_tilde = fd.ops.corrupt(x[:64], *arguments, backend="reference").double()
    exact = functional.linear(x_tilde, weight.double(), bias.double()).relu()
    plain = functional.linear(x_tilde.to(dtype), weight, bias).relu().double()
    # twice PyTorch's own error in this precision, and what the normals' promise allows
    allowed = 2 * float((plain - exact).abs().max()) + 1e-4
    error = require_close("outputs", float((ours - exact).abs().max()), allowed, "(absolute)")
    calls = {
        "ours": lambda: fd.ops.corrupted_linear(x, weight, bias, *arguments, backend="triton"),
        "two-kernels": lambda: functional.linear(
            fd.ops.corrupt(x, *arguments, dtype=dtype, backend="triton")[0], weight, bias
        ).relu_(),
        "torch": lambda: functional.linear(eager_corrupt(as_float), weight, bias).relu_(),
    }
    name = "bf16" if dtype == torch.bfloat16 else "fp32"
    notes = {"flops": 2 * rows * 784 * 1000, "kind": name, "output_error": error}
    measure(benchmark, f"corrupted_linear {rows} x 784 -> 1000, {name}", calls[who], repeats=30, **notes)
