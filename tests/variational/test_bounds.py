"""The ELBO and the importance-weighted bound: exact for a linear-Gaussian model, laws, chunks, measures."""

import math

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae.corruptions import Gaussian
from fastdaae.evaluation import elbo, evaluate, importance_weighted_bound
from fastdaae.evaluation.estimate import Estimate
from tests.variational.small import digits, images, refused, vae

PIXELS, CODE, DEVIATION = 9, 2, 0.4


def linear_gaussian(exact: bool, dtype=torch.float64) -> tuple[fd.models.VAE, torch.distributions.Distribution]:
    """x = W z + b + N(0, s^2): a VAE whose posterior is `exact` or too wide, and the distribution p(x)."""
    generator = torch.Generator().manual_seed(0)
    # orthogonal columns have a posterior with independent codes
    columns = torch.linalg.qr(torch.randn(PIXELS, CODE, generator=generator, dtype=torch.float64))[0]
    weight = columns * torch.tensor([1.5, 0.7], dtype=torch.float64)
    bias = torch.randn(PIXELS, generator=generator, dtype=torch.float64)
    precision = 1 + weight.square().sum(0) / DEVIATION**2
    encoder, decoder = nn.Linear(PIXELS, 2 * CODE).double(), nn.Linear(CODE, PIXELS).double()
    with torch.no_grad():
        decoder.weight.copy_(weight), decoder.bias.copy_(bias)
        towards = (weight / DEVIATION**2 / precision).T
        encoder.weight.copy_(torch.cat((towards, torch.zeros_like(towards))))
        log_variance = -precision.log() + (0.0 if exact else 1.0)
        encoder.bias.copy_(torch.cat((-towards @ bias, log_variance)))
    choices = {"loss": "mse", "deviation": DEVIATION, "decoder_output": "linear"}
    covariance = weight @ weight.T + DEVIATION**2 * torch.eye(PIXELS, dtype=torch.float64)
    p = torch.distributions.MultivariateNormal(bias, covariance)
    return fd.models.VAE(encoder, decoder, **choices).to(dtype), p


def drawn(p, n: int) -> torch.Tensor:
    noise = fd.ops.normal(n, PIXELS, fd.Noise(8))[0].double()
    return p.loc + noise @ p.scale_tril.T


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("k", [1, 7])
def test_the_exact_posterior_makes_every_weight_the_likelihood(k, dtype):
    model, p = linear_gaussian(exact=True, dtype=dtype)
    x = drawn(p, 50)
    expected = Estimate.of(p.log_prob(x).numpy())
    for found in (
        elbo(model, x.to(dtype), fd.Noise(0), k=k),
        importance_weighted_bound(model, x.to(dtype), k, fd.Noise(0)),
    ):
        assert found == pytest.approx(expected, abs=1e-9 if dtype == torch.float64 else 1e-4)


def test_another_posterior_gives_bounds_that_rise_to_the_likelihood():
    model, p = linear_gaussian(exact=False)
    x = drawn(p, 200)
    exact, error = Estimate.of(p.log_prob(x).numpy())
    bounds = [importance_weighted_bound(model, x, k, fd.Noise(0)).mean for k in (1, 4, 16, 64, 4096)]
    assert bounds[0] < exact - 0.3 and bounds[:3] == sorted(bounds[:3])
    # the last two are equal but for the draws' own error
    assert bounds[3] > bounds[2] - 0.02 and bounds[4] > bounds[3] - 0.02
    assert bounds[-1] == pytest.approx(exact, abs=0.01) and abs(bounds[-1] - exact) < error
    # E_q[log w] of a posterior that is wider by a known factor: KL(q || p(z | x)) in closed form
    gap = CODE * 0.5 * (math.e - 1 - 1)
    assert elbo(model, x, fd.Noise(1), k=2000).mean == pytest.approx(exact - gap, abs=0.01)


def test_laws_of_the_number_of_codes():
    model, x, noise = vae(), images(), fd.Noise(3)
    assert elbo(model, x, noise) == importance_weighted_bound(model, x, 1, noise)
    for k in (2, 9):  # Jensen, for the same codes
        assert elbo(model, x, noise, k=k).mean < importance_weighted_bound(model, x, k, noise).mean
    by_hand = model.validation_losses(x, noise)["elbo"]
    assert elbo(model, x, noise, k=200).mean == pytest.approx(float(by_hand), abs=0.3)
    noisy = vae(corruption=Gaussian(0.5), beta=3.0)  # the proposal sees the clean image, and beta is no part of a bound
    assert importance_weighted_bound(noisy, x, 5, noise) == importance_weighted_bound(model, x, 5, noise)


@pytest.mark.parametrize("chunk", [1, 3, 7, 20, 64, 10_000])
def test_chunks_change_nothing(chunk):
    model, x, noise = vae().double(), images().double() / 255, fd.Noise(3)
    for k in (1, 6, 20):
        whole = importance_weighted_bound(model, x, k, noise)
        assert importance_weighted_bound(model, x, k, noise, chunk=chunk) == pytest.approx(whole, abs=1e-9)
        assert elbo(model, x, noise, k=k, chunk=chunk) == pytest.approx(elbo(model, x, noise, k=k), abs=1e-9)


@pytest.mark.parametrize(("k", "chunk"), [(50, 16), (2, 16), (16, 16), (5, 16)])
def test_memory_is_bounded_by_the_chunk(k, chunk, monkeypatch):
    model, decoded = vae(), []
    original = model.log_likelihood

    def recorded(x, z):
        decoded.append(len(z))
        return original(x, z)

    monkeypatch.setattr(model, "log_likelihood", recorded)
    importance_weighted_bound(model, images(), k, fd.Noise(0), chunk=chunk)
    assert max(decoded) <= chunk and sum(decoded) == 32 * k


def test_far_apart_weights_stay_finite():
    """Weights whose exponentials leave float64: log-sum-exp."""
    torch.manual_seed(0)
    wide = fd.models.VAE(nn.Linear(20, 6), nn.Linear(3, 20), loss="mse", deviation=1e-3, decoder_output="linear")
    found = importance_weighted_bound(wide, images(), 20, fd.Noise(0))
    assert math.isfinite(found.mean) and found.mean < -1e5


def test_evaluate_takes_them_beside_the_parzen_windows():
    dataset = digits()
    for model, told in ((vae(64), "not a density"), (vae(64, loss="mse", deviation=0.5), "deviation 0.5")):
        first, second = evaluate(model, dataset, measures=["bounds"], seed=3)
        assert (first.name, first.of, first.unit) == ("log-likelihood bound", "ELBO", "nats")
        assert second.of == "importance-weighted" and second.settings["k"] == 50 and told in second.settings["pixels"]
        expected = importance_weighted_bound(model, dataset.test.images, 50, fd.Noise(3))
        assert (second.value, second.standard_error) == pytest.approx(expected) and second.value > first.value
    plain = fd.models.Autoencoder(nn.Flatten(), nn.Identity(), loss="mse", decoder_output="linear")
    plain.weight = nn.Parameter(torch.zeros(1))
    reasons = {measure.reason for measure in evaluate(plain, dataset, measures=["bounds"])}
    assert reasons == {"this Autoencoder has no method 'posterior', and bounds need it"}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda model: elbo(nn.Linear(2, 2), images(), fd.Noise(0)), ["model must have a posterior", "got Linear"]),
        (lambda model: elbo(model, images(0), fd.Noise(0)), ["images must not be empty, got 0 rows"]),
        (lambda model: importance_weighted_bound(model, images(), 0, fd.Noise(0)), ["k must be a whole number >= 1"]),
        (lambda model: importance_weighted_bound(model, images(), 2.5, fd.Noise(0)), ["k must be a whole number"]),
        (lambda model: elbo(model, images(), fd.Noise(0), chunk=0), ["chunk must be a whole number >= 1, got 0"]),
    ],
    ids=range(5),
)
def test_what_has_no_bound_is_refused(call, words):
    refused(lambda: call(vae()), *words)
