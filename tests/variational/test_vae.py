"""The VAE, the beta-VAE and the DVAE: the step by hand, closed forms, laws between models, likelihoods."""

import copy

import pytest
import torch
from torch import distributions, nn
from torch.nn.functional import binary_cross_entropy

import fastdaae as fd
from fastdaae.corruptions import Gaussian, Masking
from fastdaae.noise import Site
from tests.variational.small import images, parameters, train, vae


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"corruption": Gaussian(0.5), "beta": 4.0},
        {"loss": "mse", "deviation": 0.3, "decoder_output": "linear", "warm_up": 2},
        {"loss": "mse", "corruption": Masking(0.3), "warm_up": 5, "beta": 0.5},
    ],
    ids=str,
)
def test_step_is_the_elbo_s_by_hand(choices):
    """Three steps of plain PyTorch in float64 with torch.distributions."""
    model = vae(**choices).double()
    by_hand, x = copy.deepcopy(model), torch.rand(8, 20, dtype=torch.float64)
    adam = torch.optim.Adam(by_hand.parameters(), lr=1e-2)
    losses = train(model, x)
    for k in range(3):
        noise = fd.Noise(5, step=k)
        x_tilde = fd.ops.corrupt(x, choices.get("corruption"), noise, site=Site.RECONSTRUCTION)[0]
        mean, log_variance = by_hand.encoder(x_tilde).split(3, dim=1)
        q = distributions.Normal(mean, (log_variance / 2).exp())
        epsilon = fd.ops.normal(8, 3, noise, site=Site.POSTERIOR)[0].double()
        x_hat = by_hand.decoder(mean + q.scale * epsilon)
        if model.loss == "bce":
            rec = binary_cross_entropy(x_hat, x, reduction="sum") / 8
        else:
            rec = -distributions.Normal(x_hat, choices.get("deviation", 1.0)).log_prob(x).sum() / 8
        kl = distributions.kl_divergence(q, distributions.Normal(0.0, 1.0)).sum() / 8
        ramp = min(1.0, k / choices["warm_up"]) if "warm_up" in choices else 1.0
        adam.zero_grad()
        (rec + choices.get("beta", 1.0) * ramp * kl).backward()
        adam.step()
        assert losses[k] == {
            "reconstruction": pytest.approx(float(rec.detach()), rel=1e-6),
            "kl": pytest.approx(float(kl.detach()), rel=1e-6),
        }
    assert torch.allclose(parameters(model), parameters(by_hand), atol=1e-6, rtol=0)
    assert not torch.allclose(parameters(model), parameters(vae(**choices).double()), atol=1e-3)


def test_the_divergence_is_that_of_torch_distributions_and_zero_at_the_prior():
    mean, log_variance = torch.randn(50, 4, dtype=torch.float64), 3 * torch.randn(50, 4, dtype=torch.float64)
    q = distributions.Normal(mean, (log_variance / 2).exp())
    expected = distributions.kl_divergence(q, distributions.Normal(0.0, 1.0)).sum(1)
    assert torch.allclose(fd.models.Posterior(mean, log_variance).kl(), expected, rtol=1e-12)
    near = torch.full((1, 1), 1e-4)  # whose divergence float32 would lose in a difference of exponentials
    assert float(fd.models.Posterior(torch.zeros(1, 1), near).kl()) == pytest.approx(1e-8 / 4, rel=1e-3)


@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_likelihoods_are_those_of_torch_distributions(loss):
    model = vae(loss=loss, deviation=0.2 if loss == "mse" else None).double()
    x, z = torch.bernoulli(torch.full((6, 4, 5), 0.4, dtype=torch.float64)), torch.randn(6, 3, dtype=torch.float64)
    x_hat = model.decoder(z)
    p = distributions.Bernoulli(x_hat) if loss == "bce" else distributions.Normal(x_hat, 0.2)
    found = model.log_likelihood(x, z)
    assert found.dtype == torch.float64 and found.shape == (6,)
    assert torch.allclose(found, p.log_prob(x.flatten(1)).sum(1), rtol=1e-10)
    plan = model.plans()["decoder"]
    assert model.reconstruction_loss(plan, z, x).item() == pytest.approx(-float(found.mean().detach()), rel=1e-9)


def test_gradients_of_posterior_and_likelihood():
    model = vae(pixels=6, code=2, hidden=4, loss="mse", deviation=0.5).double()
    x = torch.rand(3, 6, dtype=torch.float64, requires_grad=True)
    z = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(model.log_likelihood, (x.detach(), z))
    assert torch.autograd.gradcheck(lambda x: tuple(model.posterior(x)), (x,))
    assert torch.autograd.gradcheck(lambda x: model.posterior(x).at(torch.ones_like(z)), (x,))
    assert torch.autograd.gradcheck(model.encode, (x,))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"beta": 1.0, "warm_up": 0}),
        ({}, {"corruption": Gaussian(0.0)}),
        ({}, {"corruption": Masking(0.0)}),
        ({"beta": 0.0}, {"beta": 0.0, "warm_up": 7}),
        ({"loss": "mse"}, {"loss": "mse", "deviation": 1.0}),
    ],
    ids=str,
)
def test_laws_hold_bit_for_bit(one, other):
    models = vae(**one), vae(**other)
    losses = [train(model, images(8)) for model in models]
    assert losses[0] == losses[1] and torch.equal(*map(parameters, models))
    different = vae(beta=0.5)
    train(different, images(8))
    assert not torch.allclose(parameters(different), parameters(models[0]), atol=1e-4)


def test_the_weight_of_the_divergence_rises_with_the_step_of_the_noise():
    model = vae(beta=3.0, warm_up=4)
    weights = [float(model.kl_weight(fd.Noise(0, step=step))) for step in (0, 1, 2, 4, 9)]
    assert weights == pytest.approx([0.0, 0.75, 1.5, 3.0, 3.0])
    assert vae(beta=3.0).kl_weight(fd.Noise(0)) == 3.0


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
def test_pieces_equal_the_whole(dtype):
    model = vae(corruption=Gaussian(0.3))
    x = images() if dtype == torch.uint8 else (images() / 255).to(dtype)
    model = model.double() if dtype == torch.float64 else model
    whole = model.validation_losses(x, fd.Noise(2))
    pieces = [model.validation_losses(part, fd.Noise(2), row_offset=at) for part, at in ((x[:20], 0), (x[20:], 20))]
    for name, value in whole.items():
        assert float(value) == pytest.approx(float(20 * pieces[0][name] + 12 * pieces[1][name]) / 32, rel=1e-5), name
    assert list(whole) == ["reconstruction", "kl", "elbo", "mse"]
    assert float(whole["elbo"]) == pytest.approx(-float(whole["reconstruction"] + whole["kl"]))
    noise, address = fd.Noise(4), {"site": Site.CHAIN, "row_offset": 7}
    drawn = model.draw_codes(model.corrupted(x, noise, **address), noise, row_offset=7)
    parts = [
        model.draw_codes(model.corrupted(p, noise, site=Site.CHAIN, row_offset=at), noise, row_offset=at)
        for p, at in ((x[:5], 7), (x[5:], 12))
    ]
    assert torch.allclose(drawn, torch.cat(parts), atol=1e-6)


def test_a_part_of_a_batch_at_its_offset_has_the_gradient_of_its_rows():
    """Two halves at their offsets have the mean loss of the whole batch."""
    x = images(16)
    whole = train(vae(corruption=Gaussian(0.3)), x, steps=1)[0]
    halves = [train(vae(corruption=Gaussian(0.3)), x[at : at + 8], steps=1, row_offset=at)[0] for at in (0, 8)]
    for name, value in whole.items():
        assert value == pytest.approx((halves[0][name] + halves[1][name]) / 2, rel=1e-5)


def test_training_validation_and_chains_of_one_seed_read_different_noise(monkeypatch):
    model, drawn, original = vae(), [], fd.ops.normal

    def recorded(*arguments, **address):
        drawn.append(original(*arguments, **address))
        return drawn[-1]

    monkeypatch.setattr(fd.ops, "normal", recorded)
    train(model, images(8), steps=1, seed=0)
    model.validation_losses(images(8), fd.Noise(0))
    model.draw_codes(images(8), fd.Noise(0))
    numbers = {round(float(copies[-1, 0, 0]), 6) for copies in drawn}
    assert len(drawn) == 3 and len(numbers) == 3


def test_under_half_precision_divergence_and_codes_stay_float32():
    model, x = vae(), images(8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        posterior = model.posterior(x)
        losses = train(model, x, steps=2)
    assert posterior.mean.dtype == posterior.log_variance.dtype == torch.float32
    straight = train(vae(), x, steps=2)
    assert losses[1]["reconstruction"] == pytest.approx(straight[1]["reconstruction"], rel=0.01)


def test_the_process_s_default_dtype_is_nobody_s_affair():
    model, x = vae(warm_up=4, corruption=Masking(0.2)), images(8)
    weight, losses = model.kl_weight(fd.Noise(0, step=1)), model.validation_losses(x, fd.Noise(2))
    torch.set_default_dtype(torch.float64)
    try:
        assert model.kl_weight(fd.Noise(0, step=1)).dtype == weight.dtype
        assert model.validation_losses(x, fd.Noise(2)) == losses
        assert model.sample(2, steps=1, codes="mean").dtype == torch.float32
    finally:
        torch.set_default_dtype(torch.float32)


class Convolutional(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.last = nn.LazyLinear(4)

    def forward(self, x):
        return self.last(self.layers(x.reshape(-1, 1, 4, 5)).flatten(1))


def test_networks_of_one_s_own_train_encode_and_sample():
    torch.manual_seed(0)
    decoder = nn.Sequential(nn.Linear(2, 20), nn.Unflatten(1, (4, 5)))
    choices = {"decoder_output": "logits", "image_shape": (4, 5)}
    model, x = fd.models.VAE(Convolutional(), decoder, **choices), images().reshape(-1, 4, 5)
    model.encode(x)  # makes the lazy layer
    before = float(model.validation_losses(x, fd.Noise(0))["reconstruction"])
    train(model, x, steps=60)
    assert float(model.eval().validation_losses(x, fd.Noise(0))["reconstruction"]) < before - 1
    assert model.encode(x).shape == (32, 2) and model.reconstruct(x).shape == x.shape
    assert model.sample(3, steps=2).shape == model.sample(3, steps=2, codes="mean").shape == (3, 4, 5)
