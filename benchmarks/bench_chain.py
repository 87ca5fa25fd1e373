"""Group "chain": the decode-corrupt-encode Markov chain of 784-1000-1000-10 networks, ten steps."""

import torch
from common import CODES, LARGE, SIGMA, add_noise, make_networks, product_flops
from gates import Gate
from interleaved import Group, Ready, Row
from torch import Tensor, nn

from fastdaae import noise as addressed
from fastdaae import ops
from fastdaae.corruptions import Gaussian
from fastdaae.noise import Noise, Site

CHAINS, STEPS = (100_000 if LARGE else 2_000), 10
GAUSSIAN, NOISE = Gaussian(SIGMA), Noise(0)
LIMITS = {torch.float32: 1e-5, torch.bfloat16: 2e-2}  # in [0, 1] pixels


def _parts(dtype: torch.dtype = torch.float32) -> tuple[nn.Module, nn.Module]:
    encoder, decoder, _ = make_networks()
    encoder, decoder = encoder.to(dtype).requires_grad_(False), decoder.to(dtype).requires_grad_(False)
    return encoder, nn.Sequential(*decoder, nn.Sigmoid())


def _ours(precision: str):
    def chain(encoder, decode, z: Tensor) -> Tensor:
        return ops.sample_chain(decode, encoder, z, GAUSSIAN, NOISE, steps=STEPS, precision=precision)[0]

    return chain


def _eager(encoder, decode, z: Tensor, draw=lambda x, t: torch.randn_like(x)) -> Tensor:
    x = decode(z)
    for t in range(STEPS):
        x = decode(encoder(add_noise(x, draw(x, t))))
    return x


def _addressed(x: Tensor, t: int) -> Tensor:
    return addressed.normal(NOISE.ahead(t), *x.shape, site=Site.CHAIN)[0].to(x.dtype)


def _gated(encoder, decode, z: Tensor) -> Tensor:
    return _eager(encoder, decode, z, _addressed)


def _autocast(chain):
    def call(*given) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return chain(*given)

    return call


def _pixel_gate(chain, parts, z: Tensor, dtype: torch.dtype) -> Gate:
    """The largest error of 64 chains after all steps against the float64 reference with the same noise."""
    encoder, decode = _parts(torch.float64)
    codes = z[:64].double()
    exact = ops.sample_chain(decode, encoder, codes, GAUSSIAN, NOISE, steps=STEPS, backend="reference")[0]
    with torch.inference_mode():
        error = float((chain(*parts, z[:64]).double() - exact).abs().max())
    return Gate("pixel_error", error, LIMITS[dtype], "of [0, 1]")


def _ready(chain, gated, rounded: torch.dtype, networks: torch.dtype = torch.float32) -> Ready:
    """`rounded` is the dtype of the products, `networks` that of the parameters and codes."""
    z, parts = torch.randn(CHAINS, CODES).to(networks), _parts(networks)
    return Ready(lambda: chain(*parts, z), (_pixel_gate(gated, parts, z, rounded),))


_HALF = torch.bfloat16
GROUPS = (
    Group(
        f"chain, {CHAINS} x {STEPS} steps",
        (
            Row("ours-fp32", lambda: _ready(_ours("fp32"), _ours("fp32"), torch.float32)),
            Row("ours-bf16", lambda: _ready(_ours("bf16"), _ours("bf16"), _HALF), dtype=_HALF),
            Row("torch-fp32", lambda: _ready(_eager, _gated, torch.float32), "torch"),
            Row("torch-bf16-autocast", lambda: _ready(_autocast(_eager), _autocast(_gated), _HALF), "torch", _HALF),
            Row("torch-bf16-networks", lambda: _ready(_eager, _gated, _HALF, _HALF), "torch", _HALF),
        ),
        flops=(2 * STEPS + 1) * product_flops(CHAINS, CODES, 1000, 1000, 784),
    ),
)


def test_row(show, case):
    show(case)
