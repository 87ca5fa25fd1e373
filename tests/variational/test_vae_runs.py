"""Runs of a VAE: resumed to the bit, loaded, sampled, measured, reported; what is no part of one is refused."""

import math

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae import reporting
from fastdaae.corruptions import Gaussian
from fastdaae.evaluation import evaluate
from fastdaae.models.config import from_config
from fastdaae.noise import Site
from fastdaae.ops import Plan
from tests.variational.small import digits, images, mlp, parameters, refused, vae


def fit(model, **settings) -> list[dict]:
    settings = {"epochs": 2, "batch_size": 20, "lr": 1e-3, **settings}
    return fd.Trainer(model, **settings).fit(digits(), progress=False)


@pytest.mark.parametrize("choices", [{}, {"corruption": Gaussian(0.5), "beta": 2.0, "warm_up": 8}], ids=str)
def test_a_run_is_resumed_to_the_bit_and_loaded(choices, tmp_path):
    straight, resumed = vae(64, **choices), vae(64, **choices)
    fit(vae(64, **choices), run_dir=tmp_path)
    history = fit(resumed, epochs=3, run_dir=tmp_path)
    fit(straight, epochs=3)
    assert list(history[-1]["losses"]) == ["reconstruction", "kl"]
    assert list(history[-1]["validation"]) == ["reconstruction", "kl", "elbo", "mse"]
    loaded = fd.load(tmp_path)
    assert type(loaded) is fd.models.VAE and loaded.config == straight.config
    assert torch.equal(parameters(resumed), parameters(straight))
    assert torch.equal(parameters(loaded), parameters(resumed))
    assert torch.equal(loaded.sample(3, steps=2), resumed.sample(3, steps=2))


def test_training_raises_the_bound():
    model = vae(64, hidden=32)
    history = fit(model, epochs=60, lr=3e-3)
    elbo = [line["validation"]["elbo"] for line in history]
    assert elbo[-1] > elbo[0] + 8 and history[-1]["losses"]["kl"] > 0.5
    before = vae(64, hidden=32, beta=20.0)
    assert fit(before, epochs=60, lr=3e-3)[-1]["losses"]["kl"] < 0.25 * history[-1]["losses"]["kl"]


def test_its_configuration_rebuilds_it():
    model = vae(loss="mse", deviation=0.5, beta=2.0, warm_up=3, corruption=Gaussian(0.1))
    names = "model encoder decoder prior beta corruption warm_up loss deviation decoder_output image_shape"
    assert list(model.config) == names.split() and model.config["prior"] == {"name": "Normal", "dim": 3}
    rebuilt = from_config(model.config)
    assert rebuilt.config == model.config and rebuilt.prior == fd.priors.Normal(3) and rebuilt.deviation == 0.5
    with pytest.raises(ValueError, match="^beta must be a finite number >= 0, got -1"):
        from_config({**model.config, "beta": -1})
    assert "  prior: Normal(dim=3)\n" in repr(model) and "beta=2.0, warm_up=3, loss='mse', deviation=0.5" in repr(model)


@pytest.mark.parametrize("corruption", [None, Gaussian(0.5)])
def test_chains_draw_their_codes_at_their_addresses(corruption):
    model, noise = vae(corruption=corruption), fd.Noise(4)
    z, kept = model.prior.sample(6, noise, site=Site.INITIAL), []
    for t in range(3):
        kept.append(model.decode(z))
        now = noise.ahead(t)
        x_tilde = fd.ops.corrupt(kept[-1], corruption, now, site=Site.CHAIN)[0]
        z = model.draw_codes(x_tilde, now)
    chain = model.sample(6, steps=2, keep=(0, 1, 2), seed=4)
    assert torch.allclose(chain, torch.stack(kept), atol=1e-6)
    assert torch.allclose(model.sample(4, steps=2, seed=4), chain[2, :4], atol=1e-6)
    means = model.sample(6, steps=2, keep=(0, 1, 2), seed=4, codes="mean")
    assert torch.allclose(means[0], chain[0], atol=1e-6) and not torch.allclose(means[1], chain[1], atol=1e-3)
    assert model.sample(6, steps=2, seed=4, precision="bf16").dtype == torch.float32


@pytest.mark.parametrize("ending", [None, "sigmoid"])
def test_a_chain_of_means_is_the_kernels(ending):
    """The encoder is cut to the mean's outputs, whatever follows its last layer."""
    torch.manual_seed(0)
    encoder = mlp([20, 16, 6], output=ending)
    model = fd.models.VAE(encoder, mlp([3, 16, 20], output="sigmoid"), corruption=Gaussian(0.3))
    z, x = torch.randn(5, 3), images()
    network = model.code_network()
    assert Plan.of(network).dense and torch.allclose(network(x / 255), model.encode(x), atol=1e-6)
    by_hand = fd.ops.sample_chain(model.decode, model.encode, z, Gaussian(0.3), fd.Noise(2), steps=2, keep=(0, 2))
    assert torch.allclose(model.sample(5, initial=z, steps=2, keep=(0, 2), seed=2, codes="mean"), by_hand, atol=1e-6)
    with torch.no_grad():
        encoder[1].weight.mul_(0.5)
    assert torch.allclose(model.code_network()(x / 255), model.encode(x), atol=1e-6)
    seen = []
    encoder.register_forward_hook(lambda *_: seen.append(1))
    assert torch.allclose(model.code_network()(x / 255), model.encode(x), atol=1e-6) and len(seen) == 2


def test_noise_of_one_s_own_reaches_training_and_chain():
    class Doubled(fd.models.VAE):
        def corrupted(self, x, noise, *, site, row_offset=0):
            return 2 * super().corrupted(x, noise, site=site, row_offset=row_offset)

    model = Doubled(mlp([20, 6]), mlp([3, 20], output="sigmoid"))
    x, noise = model.sample(4, seed=1), fd.Noise(1)
    expected = model.decode(model.draw_codes(2 * x, noise))
    assert torch.allclose(model.sample(4, steps=1, seed=1), expected, atol=1e-6)
    plain = model.decode(model.draw_codes(x, noise))
    assert torch.allclose(model.sample(4, steps=1, seed=1, corruption=None), plain, atol=1e-6)


def test_it_is_measured_and_reported(tmp_path):
    model, dataset = vae(64, corruption=Gaussian(0.5)), digits()
    history = fit(model)
    measures = evaluate(model, dataset, samples=50, steps=2, k=5)
    assert all(measure.value is not None and math.isfinite(measure.value) for measure in measures)
    assert {"x(0)", "x(2)"} <= {measure.of for measure in measures}
    page = reporting.build(model, dataset, history, measures, tmp_path).read_text()
    assert "nats per image" in page and "nats per pixel" not in page


class Encoder(nn.Module):
    def forward(self, x):
        return x[:, :5]


BAD = [
    ({"beta": -1.0}, ["beta must be a finite number >= 0, got -1.0"]),
    ({"beta": math.nan}, ["beta must be a finite number >= 0, got nan"]),
    ({"beta": "much"}, ["beta must be", "got 'much'"]),
    ({"warm_up": -3}, ["warm_up must be a whole number >= 0, got -3"]),
    ({"warm_up": 2.5}, ["warm_up must be a whole number >= 0, got 2.5"]),
    ({"deviation": 0.1}, ["deviation must be left out with loss='bce', got 0.1; use loss='mse'"]),
    ({"loss": "mse", "deviation": 0.0}, ["deviation must be a finite number > 0, got 0.0"]),
    ({"loss": "l1"}, ["loss must be one of 'bce', 'mse', got 'l1'"]),
    ({"prior": fd.priors.RingMixture()}, ["prior must be a fastdaae.priors.Normal, whose KL", "RingMixture"]),
    ({"prior": 3}, ["prior must be one of fastdaae.priors, got 3; say fastdaae.priors.Normal(3)"]),
    ({"prior": fd.priors.Normal(4)}, ["encoder (2 x 3 outputs)", "prior must have codes of one size", "prior 4"]),
    ({"corruption": 0.5}, ["corruption must be one of fastdaae.corruptions or None, got 0.5"]),
    ({"encoder": mlp([20, 3])}, ["encoder must give 2 Z numbers a row, mean and log variance, got 3"]),
    ({"encoder": mlp([20, 4])}, ["encoder (2 x 2 outputs) and decoder must have codes of one size", "decoder 3"]),
    ({"encoder": 7}, ["encoder must be a torch.nn.Module, got 7"]),
]


@pytest.mark.parametrize(("choices", "words"), BAD, ids=str)
def test_what_is_no_part_of_a_vae_is_refused_in_one_line(choices, words):
    parts = {"encoder": mlp([20, 6]), "decoder": mlp([3, 20], output="sigmoid"), **choices}
    refused(lambda: fd.models.VAE(**parts), *words)


def test_what_is_found_out_later_is_refused_too():
    decoder = nn.Sequential(nn.Identity(), nn.Linear(3, 20), nn.Sigmoid())
    odd = fd.models.VAE(Encoder(), decoder, prior=fd.priors.Normal(3))
    refused(lambda: odd.posterior(images()), "encoder must give 2 Z numbers a row", "got [32, 5]")
    unknown = nn.Sequential(nn.Unflatten(1, (1, 3)), nn.Flatten(), nn.Linear(3, 20), nn.Sigmoid())
    refused(lambda: fd.models.VAE(Encoder(), unknown), "prior must be given where no layer tells the size of a code")
    refused(lambda: vae().sample(3, codes="best"), "codes must be one of 'drawn', 'mean', got 'best'")
    own = fd.models.VAE(nn.Sequential(Encoder(), nn.LazyLinear(8)), unknown, prior=fd.priors.Normal(3))
    refused(
        lambda: own.take_images(images()),
        "encoder must give the codes that the prior draws, [N, 3], got [N, 4]",
    )
