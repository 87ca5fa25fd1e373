"""GPU groups "training step" and "chain": 784-1000-1000-10, ours beside eager PyTorch."""

import pytest
import torch
from common import CODES, SIGMA, make_networks, product_flops, require_close
from gpu_common import DEVICE, corruption, eager_corrupt, measure, needs_cuda, noise, pixels

import fastdaae as fd

pytestmark = needs_cuda
CHAINS, STEPS = 100_000, 10


def _pair(dtype: torch.dtype):
    encoder, decoder, _ = make_networks()
    decoder = torch.nn.Sequential(*decoder, torch.nn.Sigmoid())
    return (network.to(DEVICE, dtype).eval() for network in (encoder, decoder))


@torch.no_grad()
def _eager_chain(encoder, decoder, z: torch.Tensor) -> torch.Tensor:
    for _ in range(STEPS):
        z = encoder(eager_corrupt(decoder(z)))
    return decoder(z)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32], ids=["bf16", "fp32"])
@pytest.mark.parametrize("who", ["ours", "torch"])
def test_chain(benchmark, who, dtype):
    encoder, decoder = _pair(dtype)
    z = fd.priors.Normal(CODES).sample(CHAINS, noise()).to(dtype)

    def ours(backend: str = "triton", rows: int = CHAINS) -> torch.Tensor:
        return fd.ops.sample_chain(decoder, encoder, z[:rows], corruption(), noise(), steps=STEPS, backend=backend)

    difference = float((ours(rows=512).double() - ours("reference", 512).double()).abs().max())
    error = require_close("pixels", difference, 2e-4 if dtype == torch.float32 else 0.2, "([0, 1] pixels)")
    flops = STEPS * 2 * product_flops(CHAINS, CODES, 1000, 1000, 784) + product_flops(CHAINS, CODES, 1000, 1000, 784)
    call = ours if who == "ours" else lambda: _eager_chain(encoder, decoder, z)
    name = "bf16" if dtype == torch.bfloat16 else "fp32"
    measure(
        benchmark, f"chain {CHAINS:,} x {STEPS}, {name}", call, repeats=1, flops=flops, kind=name, pixel_error=error
    )


@pytest.mark.parametrize("copies", [5, 25])
@pytest.mark.parametrize("backend", ["triton", "reference"])
def test_training_step(benchmark, monkeypatch, backend, copies):
    """Our own step, whose products are PyTorch's: with the Triton kernels and on plain PyTorch."""
    monkeypatch.setattr("fastdaae.backend.DEFAULT", backend)
    encoder, decoder, discriminator = (network.to(DEVICE) for network in make_networks())
    model = fd.IDAAE(
        encoder,
        decoder,
        discriminator,
        prior=fd.priors.Normal(CODES),
        corruption=fd.corruptions.Gaussian(SIGMA),
        copies=copies,
        decoder_output="logits",
    )
    groups = model.parameter_groups()
    step = fd.compile_step(model, {name: torch.optim.Adam(g, lr=2e-4, fused=True) for name, g in groups.items()})
    x = pixels(64)
    loss = float(step(x)["reconstruction"])
    require_close("the first loss", abs(loss - 0.693), 0.02, "nats of ln 2")
    measure(benchmark, f"training step, M = {copies}", lambda: step(x), repeats=20)
