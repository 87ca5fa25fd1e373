"""GPU groups "training step" and "chain": 784-1000-1000-10, ours beside eager PyTorch."""

import pytest
import torch
from common import CODES, SIGMA, make_networks, product_flops
from gates import Gate
from gpu_common import DEVICE, corruption, eager_corrupt, measure, needs_cuda, noise, pixels

import fastdaae as fd
from fastdaae.noise import Site

pytestmark = needs_cuda
CHAINS, STEPS = 100_000, 10


def _pair(dtype: torch.dtype):
    encoder, decoder, _ = make_networks()
    decoder = torch.nn.Sequential(*decoder, torch.nn.Sigmoid())
    return (network.to(DEVICE, dtype).eval() for network in (encoder, decoder))


@torch.no_grad()
def _eager_chain(encoder, decoder, z: torch.Tensor, corrupt=lambda x, t: eager_corrupt(x)) -> torch.Tensor:
    for t in range(STEPS):
        z = encoder(corrupt(decoder(z), t))
    return decoder(z)


def _addressed(x: torch.Tensor, t: int) -> torch.Tensor:
    drawn = fd.ops.corrupt(x.float(), corruption(), noise().ahead(t), site=Site.CHAIN, backend="reference")
    return drawn[0].to(x.dtype)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32], ids=["bf16", "fp32"])
@pytest.mark.parametrize("who", ["ours", "torch"])
def test_chain(benchmark, who, dtype):
    encoder, decoder = _pair(dtype)
    z = fd.priors.Normal(CODES).sample(CHAINS, noise()).to(dtype)

    def ours(backend: str = "triton", rows: int = CHAINS) -> torch.Tensor:
        return fd.ops.sample_chain(decoder, encoder, z[:rows], corruption(), noise(), steps=STEPS, backend=backend)

    exact = ours("reference", 512)[0].double()
    given = ours(rows=512)[0] if who == "ours" else _eager_chain(encoder, decoder, z[:512], _addressed)
    limit = 2e-4 if dtype == torch.float32 else 0.2
    gate = Gate("pixel_error", float((given.double() - exact).abs().max()), limit, "of [0, 1]")
    flops = STEPS * 2 * product_flops(CHAINS, CODES, 1000, 1000, 784) + product_flops(CHAINS, CODES, 1000, 1000, 784)
    call = ours if who == "ours" else lambda: _eager_chain(encoder, decoder, z)
    name = "bf16" if dtype == torch.bfloat16 else "fp32"
    measure(benchmark, f"chain {CHAINS:,} x {STEPS}, {name}", who, call, (gate,), repeats=1, flops=flops, kind=name)


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
    gate = Gate("first_loss_error", abs(loss - 0.693), 0.02, "nats of ln 2")
    measure(benchmark, f"training step, M = {copies}", "ours", lambda: step(x), (gate,), repeats=20)
