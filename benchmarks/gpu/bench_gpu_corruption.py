"""GPU groups "corrupt" and "corrupted_linear": the fused kernels beside eager PyTorch and the two-kernel form."""

import gates
import pytest
import torch
from common import SIGMA
from gates import Gate
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
    calls = {
        "ours": lambda: fd.ops.corrupt(x, corruption(), address, backend="triton"),
        "torch": lambda: eager_corrupt(as_float),
    }
    given = calls[who]().reshape(as_float.shape)
    passed = (gates.moments(given - as_float, SIGMA),)
    if who == "ours":  # the addressed normals; a peer draws its own
        expected = fd.ops.corrupt(x[:64].cpu(), corruption(), fd.Noise(0), backend="reference")[0]
        passed += gates.normals(given[:64].cpu(), expected, SIGMA)
    moved = rows * 784 * 5  # a byte read, a float written
    measure(benchmark, f"corrupt {rows} x 784", who, calls[who], passed, repeats=50, moved=moved)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32], ids=["bf16", "fp32"])
@pytest.mark.parametrize("who", ["ours", "two-kernels", "torch"])
def test_corrupted_linear(benchmark, who, dtype, rows):
    x, address, (weight, bias) = pixels(rows), noise(), _layer(dtype)
    as_float = (x.float() / 255).to(dtype)
    arguments = (corruption(), address)

    def two_kernels(x: torch.Tensor) -> torch.Tensor:
        x_tilde = fd.ops.corrupt(x, *arguments, dtype=dtype, backend="triton")[0]
        return functional.linear(x_tilde, weight, bias).relu_()

    calls = {
        "ours": lambda: fd.ops.corrupted_linear(x, weight, bias, *arguments, backend="triton"),
        "two-kernels": lambda: two_kernels(x),
        "torch": lambda: functional.linear(eager_corrupt(as_float), weight, bias).relu_(),
    }
    # on the same noise, since what a peer draws is its own
    x_tilde = fd.ops.corrupt(x[:64], *arguments, backend="reference")[0].double()
    exact = functional.linear(x_tilde, weight.double(), bias.double()).relu()
    plain = functional.linear(x_tilde.to(dtype), weight, bias).relu().double()
    given = {
        "ours": lambda: fd.ops.corrupted_linear(x[:64], weight, bias, *arguments, backend="triton")[0],
        "two-kernels": lambda: two_kernels(x[:64]),
        "torch": lambda: plain,
    }
    # twice PyTorch's own error in this precision, and what the normals' promise allows
    allowed = 2 * float((plain - exact).abs().max()) + 1e-4
    gate = Gate("output_error", float((given[who]().double() - exact).abs().max()), allowed, "(absolute)")
    name = "bf16" if dtype == torch.bfloat16 else "fp32"
    group = f"corrupted_linear {rows} x 784 -> 1000, {name}"
    measure(benchmark, group, who, calls[who], (gate,), repeats=30, flops=2 * rows * 784 * 1000, kind=name)
