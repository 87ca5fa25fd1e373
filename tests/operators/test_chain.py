"""The decode-corrupt-encode chain: its definition, its laws, and the closed form of its stationary distribution."""

import pytest
import torch
from scipy.linalg import solve_discrete_lyapunov
from torch import nn

import fastdaae as fd
from fastdaae import reference
from fastdaae.corruptions import Gaussian
from fastdaae.noise import Site

BACKENDS = ["reference", pytest.param("cpp", marks=pytest.mark.needs_cpp)]


def networks() -> tuple[nn.Module, nn.Module]:
    return fd.networks.mlp([3, 16, 12], output="sigmoid"), fd.networks.mlp([12, 16, 3])


@pytest.mark.parametrize("backend", BACKENDS)
def test_chain_is_equation_3(backend):
    decoder, encoder = networks()
    z, noise = torch.randn(5, 3), fd.Noise(7, step=20)
    kept = fd.ops.sample_chain(decoder, encoder, z, Gaussian(0.5), noise, steps=4, keep=(0, 1, 4), backend=backend)
    expected = []
    with torch.no_grad():
        for t in range(5):
            x = decoder(z)
            expected.append(x)
            at_t = fd.Noise(7, step=20 + t)
            z = encoder(reference.corrupt(x, Gaussian(0.5), at_t, site=Site.CHAIN)[0])
    assert torch.allclose(kept, torch.stack([expected[t] for t in (0, 1, 4)]), atol=2e-6, rtol=0)
    assert noise.step == 20


def test_chain_agrees_with_its_reference_and_runs_in_pieces(monkeypatch):
    decoder, encoder = networks()
    z, noise = torch.randn(50, 3), fd.Noise(7)
    whole = fd.ops.sample_chain(decoder, encoder, z, Gaussian(0.5), noise, steps=3)
    expected = reference.sample_chain(decoder, encoder, z, Gaussian(0.5), noise, steps=3)
    assert torch.allclose(whole, expected, atol=5e-6, rtol=0)
    pieces = [
        fd.ops.sample_chain(decoder, encoder, z[o : o + n], Gaussian(0.5), noise, steps=3, row_offset=o)
        for o, n in ((0, 16), (16, 34))
    ]
    # the noise is the same to the bit; the products of other batch sizes round differently
    assert torch.allclose(whole, torch.cat(pieces, dim=1), atol=5e-6, rtol=0)
    monkeypatch.setattr("fastdaae.reference.CHAIN_ROWS", 16)
    in_blocks = fd.ops.sample_chain(decoder, encoder, z, Gaussian(0.5), noise, steps=3)
    assert torch.allclose(whole, in_blocks, atol=5e-6, rtol=0)


def test_no_steps_decode_and_no_rows_are_fine():
    decoder, encoder = networks()
    z = torch.randn(4, 3)
    only = fd.ops.sample_chain(decoder, encoder, z, Gaussian(0.5), fd.Noise(0), steps=0)
    assert torch.allclose(only, decoder(z).detach()[None], atol=1e-6, rtol=0) and not only.requires_grad
    assert fd.ops.sample_chain(decoder, encoder, z[:0], None, fd.Noise(0), steps=2).shape == (1, 0, 12)


def test_linear_gaussian_chain_reaches_its_lyapunov_covariance():
    """Theorem 1 in closed form: z' = B (A z + sigma n) has covariance S = (BA) S (BA)^T + sigma^2 B B^T."""
    torch.manual_seed(1)
    code, pixels, sigma, chains = 3, 6, 0.7, 200_000
    decoder, encoder = nn.Linear(code, pixels, bias=False), nn.Linear(pixels, code, bias=False)
    with torch.no_grad():
        transition = encoder.weight @ decoder.weight
        encoder.weight *= 0.8 / torch.linalg.eigvals(transition).abs().max()
        transition = encoder.weight @ decoder.weight
    z = torch.zeros(chains, code)
    plain = nn.Sequential(decoder), nn.Sequential(encoder)
    last = fd.ops.sample_chain(*plain, z, Gaussian(sigma), fd.Noise(4), steps=60)[0]
    noise_in_code = sigma**2 * (encoder.weight @ encoder.weight.T).detach().double().numpy()
    stationary = solve_discrete_lyapunov(transition.detach().double().numpy(), noise_in_code)
    weight = decoder.weight.detach().double()
    expected = weight @ torch.from_numpy(stationary) @ weight.T
    measured = torch.cov(last.double().T)
    # the standard error of a covariance entry is sqrt((s_ii s_jj + s_ij^2) / N)
    diagonal = expected.diagonal()
    error = ((diagonal[:, None] * diagonal[None, :] + expected**2) / chains).sqrt()
    assert float(((measured - expected) / error).abs().max()) < 4.5
    # the test could tell a wrong sigma: one of 2 percent more is far outside
    assert float(((1.02**2 * expected - expected) / error).abs().max()) > 9


def test_compiles_without_graph_breaks():
    decoder, encoder = networks()
    z, noise = torch.randn(4, 3), fd.Noise(0)

    def call(z):
        return fd.ops.sample_chain(decoder, encoder, z, Gaussian(0.5), noise, steps=2, keep=(0, 2))

    assert torch.allclose(torch.compile(call, fullgraph=True, backend="aot_eager")(z), call(z), atol=1e-6)


@pytest.mark.parametrize(("steps", "keep"), [(-1, None), (2, (3,)), (2, (1, 0)), (2, (1, 1)), (2, ()), (2, (-1,))])
def test_keep_outside_the_chain_is_refused(steps, keep):
    decoder, encoder = networks()
    with pytest.raises(ValueError, match="keep must be ascending steps|steps must be >= 0"):
        fd.ops.sample_chain(decoder, encoder, torch.randn(2, 3), None, fd.Noise(0), steps=steps, keep=keep)
