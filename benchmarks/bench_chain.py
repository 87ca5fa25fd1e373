"""Group "chain": the decode-corrupt-encode Markov chain of 784-1000-1000-10 networks, ten steps."""

import pytest
import torch
from common import CODES, LARGE, SIGMA, make_networks, product_flops, require_close
from torch import Tensor, nn

from fastdaae import noise as addressed
from fastdaae import ops, reference
from fastdaae.corruptions import Gaussian
from fastdaae.noise import Noise, Site

CHAINS, STEPS = (100_000 if LARGE else 2_000), 10
GAUSSIAN, NOISE = Gaussian(SIGMA), Noise(0)
LIMITS = {torch.float32: 1e-5, torch.bfloat16: 2e-2}  # in [0, 1] pixels


def _parts(dtype: torch.dtype = torch.float32):
    encoder, decoder, _ = make_networks()
    encoder, decoder = encoder.to(dtype).requires_grad_(False), decoder.to(dtype).requires_grad_(False)
    return encoder, nn.Sequential(*decoder, nn.Sigmoid())


def _ours(encoder, decode, z: Tensor) -> Tensor:
    return ops.sample_chain(decode, encoder, z, GAUSSIAN, NOISE, steps=STEPS)[0]


def _ours_bf16(encoder, decode, z: Tensor) -> Tensor:
    return ops.sample_chain(decode, encoder, z, GAUSSIAN, NOISE, steps=STEPS, precision="bf16")[0]


def _eager(encoder, decode, z: Tensor, draw=lambda x, t: torch.randn_like(x)) -> Tensor:
    x = decode(z)
    for t in range(STEPS):
        x = decode(encoder(x + SIGMA * draw(x, t)))
    return x


def _addressed(x: Tensor, t: int) -> Tensor:
    return addressed.normal(NOISE.ahead(t), *x.shape, site=Site.CHAIN)[0].to(x.dtype)


def _pixel_error(chain, z: Tensor, dtype: torch.dtype) -> float:
    """The largest error of 64 chains after all steps against the float64 reference with the same noise."""
    encoder, decode = _parts(torch.float64)
    exact = reference.sample_chain(decode, encoder, z[:64].double(), GAUSSIAN, NOISE, steps=STEPS)[0]
    error = float((chain(*_parts(), z[:64]).double() - exact).abs().max())
    return require_close("pixels after the chain", error, LIMITS[dtype], "(in [0, 1])")


def _autocast(chain, dtype: torch.dtype):
    def call(*given):
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            return chain(*given)

    return call


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("who", ["ours", "torch-eager"])
def test_chain(measure, who, dtype):
    z = torch.randn(CHAINS, CODES)
    half = dtype == torch.bfloat16
    timed = (_ours_bf16 if half else _ours) if who == "ours" else _autocast(_eager, dtype)
    gated = timed if who == "ours" else _autocast(lambda *given: _eager(*given, _addressed), dtype)
    error = _pixel_error(gated, z, dtype)
    encoder, decode = _parts()
    through = product_flops(CHAINS, CODES, 1000, 1000, 784)
    notes = {"flops": (2 * STEPS + 1) * through, "dtype": dtype, "pixel_error": error}
    by = None if who == "ours" else f"torch {torch.__version__}"
    measure(f"chain, {CHAINS} x {STEPS} steps", lambda: timed(encoder, decode, z), rounds=3, by=by, **notes)
