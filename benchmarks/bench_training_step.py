"""Group "training step": an iDAAE's Algorithm 1, 784-1000-1000-10, batch 64, on uint8 images."""

import pytest
import torch
from common import CODES, LARGE, SIGMA, images, make_networks, product_flops, require_close
from eager_adversarial import EagerIDAAE

import fastdaae as fd
from fastdaae import noise as addressed
from fastdaae.noise import Noise, Site
from fastdaae.training.optimizers import make_optimizers

BATCH = 64
SITES = {"reconstruction": Site.RECONSTRUCTION, "matching": Site.MATCHING, "prior": Site.PRIOR}


def _flops(copies: int) -> int:
    """The products of one step; a backward pass costs two forward ones, less the gradient of the input."""
    first = product_flops(BATCH, 784, 1000)
    encode = product_flops(BATCH, 784, 1000, 1000, CODES)
    discriminate = product_flops(BATCH, CODES, 1000, 1000, 1)
    # a pass through both networks, M encodings, the discriminator on real and fake, and once more for the encoder
    return (6 * encode - first) + copies * (3 * encode - first) + 6 * discriminate + 2 * discriminate


def _ours(copies: int):
    encoder, decoder, discriminator = make_networks()
    model = fd.IDAAE(
        encoder,
        decoder,
        discriminator,
        prior=fd.priors.Normal(CODES),
        corruption=fd.corruptions.Gaussian(SIGMA),
        copies=copies,
        decoder_output="logits",
    )
    return model, fd.compile_step(model, make_optimizers(model.parameter_groups(), "adam", 2e-4), seed=0)


class AddressedDraws:
    """The reference's noise of seed 0 at the addresses that our step reads, as a `draw` for the eager peer."""

    def __init__(self):
        self.noise = Noise(0)

    def __call__(self, name: str, *shape: int) -> torch.Tensor:
        copies, rows, columns = (1, *shape) if len(shape) == 2 else shape
        drawn = addressed.normal(self.noise, rows, columns, copies=copies, site=SITES[name]).float()
        return drawn.reshape(shape)


def _parameter_difference(copies: int, batch: torch.Tensor) -> float:
    """Our parameters against the eager peer's after two steps with the same noise: all but 1 in 1,000 are nearer.

    Adam divides by the gradient's size, and a unit at zero to rounding may lie on the other side of its kink: where a
    gradient nearly cancels, rounding then shows in the first steps.
    """
    model, step = _ours(copies)
    draws = AddressedDraws()
    peer = EagerIDAAE(copies, draw=draws)
    for _ in range(2):
        step(batch)
        peer(batch)
        draws.noise.advance()
    differences = torch.cat(
        [
            (a - b).detach().abs().flatten()
            for name in ("encoder", "decoder", "discriminator")
            for a, b in zip(getattr(model, name).parameters(), getattr(peer, name).parameters(), strict=True)
        ]
    )
    return float(differences.topk(len(differences) // 1_000).values[-1])


def _warm(step, batch: torch.Tensor):
    """The step after one call, so that Adam's moments are not counted as memory of the timed call."""
    step(batch)
    return step


def _bf16(step):
    def call(batch):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return step(batch)

    return call


def _loss_difference(step, copies: int, batch: torch.Tensor) -> float:
    """The largest relative difference of a first step's losses from those of our float32 step."""
    losses, exact = step(batch), _ours(copies)[1](batch)
    return max(abs(float(losses[name]) / float(exact[name]) - 1) for name in exact)


@pytest.mark.parametrize("copies", [5, 25])
@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_ours(measure, use_backend, backend, copies):
    use_backend(backend)
    batch = images()[:BATCH]
    error = require_close("99.9 % of the parameters", _parameter_difference(copies, batch), 1e-5, "(after 2 steps)")
    step = _warm(_ours(copies)[1], batch)
    measure(_group(copies), lambda: step(batch), rounds=10, flops=_flops(copies), parameter_error=error)


@pytest.mark.parametrize("copies", [5, 25])
def test_ours_bf16(measure, copies):
    batch = images()[:BATCH]
    error = require_close("losses", _loss_difference(_bf16(_ours(copies)[1]), copies, batch), 0.02, "(relative)")
    step = _warm(_bf16(_ours(copies)[1]), batch)
    notes = {"flops": _flops(copies), "dtype": torch.bfloat16, "relative_loss_error": error}
    measure(_group(copies), lambda: step(batch), rounds=10, **notes)


@pytest.mark.parametrize("copies", [5, 25])
@pytest.mark.parametrize("kind", ["eager", "eager-bf16", "compile"])
def test_torch(measure, kind, copies):
    if kind == "compile" and not LARGE:
        pytest.skip("compiling takes minutes: set FASTDAAE_BENCH=large")
    batch = images()[:BATCH]
    peer = EagerIDAAE(copies, compiled=kind == "compile")
    step, dtype = (_bf16(peer), torch.bfloat16) if kind == "eager-bf16" else (peer, torch.float32)
    error = _loss_difference(step, copies, batch)  # of other noise: that the peer trains the same model
    notes = {"flops": _flops(copies), "dtype": dtype, "relative_loss_error": require_close("losses", error, 0.2, "")}
    measure(_group(copies), lambda: step(batch), rounds=10, by=f"torch {torch.__version__}", **notes)


def _group(copies: int) -> str:
    return f"training step, M = {copies}"
