"""The noise transformer: its two updates by hand, its floor and its weight, runs, chains, and what it refuses."""

import copy

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae.corruptions import Gaussian
from fastdaae.models.config import from_config
from fastdaae.noise import Site
from tests.variational.small import digits, images, mlp, parameters, refused, train


def build(pixels: int = 20, weight: float = 0.1, **choices) -> fd.models.NoiseTransformer:
    torch.manual_seed(4)
    parts = mlp([pixels, 16, 8]), mlp([8, 16, pixels], output="sigmoid"), mlp([pixels, pixels // 2, 1], "sigmoid")
    return fd.models.NoiseTransformer(*parts, weight=weight, **choices)


@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_step_is_two_updates_each_of_its_own_group(loss):
    """Three steps in plain PyTorch, where each loss is computed and differentiated for itself."""
    model = build(loss=loss, weight=0.3).double()
    by_hand, x = copy.deepcopy(model), torch.rand(8, 20, dtype=torch.float64)
    losses = train(model, x)
    autoencoder, transformer = (list(group) for group in by_hand.parameter_groups().values())
    adams = [torch.optim.Adam(group, lr=1e-2) for group in (autoencoder, transformer)]
    for k in range(3):
        epsilon = fd.ops.normal(8, 20, fd.Noise(5, step=k), site=Site.RECONSTRUCTION)[0].double()
        sigma = 0.4 + 0.6 * by_hand.transformer(x)
        x_hat = by_hand.decoder(by_hand.encoder(x + sigma * epsilon))
        each = (x_hat - x) ** 2 if loss == "mse" else -(x * x_hat.log() + (1 - x) * (1 - x_hat).log())
        rec = each.mean()
        noise = rec - 0.3 * sigma.mean()
        gradients = [
            torch.autograd.grad(one, group, retain_graph=True)
            for one, group in ((rec, autoencoder), (noise, transformer))
        ]
        for adam, group, found in zip(adams, (autoencoder, transformer), gradients, strict=True):
            for parameter, gradient in zip(group, found, strict=True):
                parameter.grad = gradient
            adam.step()
        expected = {"reconstruction": float(rec.detach()), "noise": float(noise.detach())}
        assert losses[k] == {name: pytest.approx(value, rel=1e-6) for name, value in expected.items()}
    assert torch.allclose(parameters(model), parameters(by_hand), atol=1e-6, rtol=0)


def test_without_weights_in_the_transformer_it_is_a_denoising_autoencoder():
    """A transformer whose output is zero leaves sigma at the floor: fixed Gaussian noise of that deviation."""
    model = build(weight=0.0)
    with torch.no_grad():
        model.transformer[-2].weight.zero_()
        model.transformer[-2].bias.fill_(-200.0)
    fixed = fd.models.Autoencoder(*copy.deepcopy([model.encoder, model.decoder]), corruption=Gaussian(0.4))
    losses = [train(one, images()) for one in (model, fixed)]
    for learned, plain in zip(*losses, strict=True):
        assert learned["reconstruction"] == pytest.approx(plain["reconstruction"], rel=1e-5)
    assert model.sigma(images()).min().item() == pytest.approx(0.4)


def mean_sigma(weight: float, start: float = 0.0, floor: float = 0.4, steps: int = 150) -> torch.Tensor:
    model = build(weight=weight, floor=floor, loss="mse")
    with torch.no_grad():
        model.transformer[-2].bias.fill_(start)
    train(model, images(), steps=steps)
    return model.sigma(images()).detach()


def test_sigma_stays_above_its_floor_and_rises_when_the_weight_rises():
    learned = [mean_sigma(weight) for weight in (0.0, 0.01, 0.3)]
    assert all(float(sigma.min()) >= 0.4 and float(sigma.max()) <= 1.0 for sigma in learned)
    means = [float(sigma.mean()) for sigma in learned]
    # no noise is the easiest: without a reward sigma falls to its floor
    assert means == sorted(means) and means[0] < 0.5 and means[-1] > 0.9
    assert float(mean_sigma(0.0, floor=0.0).mean()) < 0.25


def test_sigma_leaves_the_floor_again():
    """Where a clamp would have no gradient."""
    assert float(mean_sigma(0.3, start=-3.0).mean()) > 0.9


def test_noise_is_addressed_and_per_input():
    model, x, noise = build(), images(), fd.Noise(2)
    x_tilde = model.corrupted(x, noise, site=Site.CHAIN, row_offset=3)
    parts = [model.corrupted(part, noise, site=Site.CHAIN, row_offset=at) for part, at in ((x[:9], 3), (x[9:], 12))]
    assert torch.equal(x_tilde, torch.cat(parts)) and x_tilde.shape == x.shape
    epsilon = fd.ops.normal(32, 20, noise, site=Site.CHAIN, row_offset=3)[0]
    assert torch.allclose(x_tilde - x / 255, model.sigma(x)[:, None] * epsilon, atol=1e-6)
    assert model.sigma(x).shape == (32,) and len(model.sigma(x).unique()) > 20
    z = torch.randn(5, 8)
    by_hand = model.decode(model.encode(model.corrupted(model.decode(z), fd.Noise(1), site=Site.CHAIN)))
    assert torch.allclose(model.sample(5, initial=z, steps=1, seed=1), by_hand, atol=1e-6)


def test_a_run_is_resumed_to_the_bit_and_loaded(tmp_path):
    def fit(epochs, run_dir=None):
        model = build(64, weight=0.05, floor=0.3)
        lr = {"reconstruction": 1e-3, "noise": 1e-2}
        trainer = fd.Trainer(model, lr=lr, epochs=epochs, batch_size=20, run_dir=run_dir)
        return model, trainer.fit(digits(), progress=False)

    fit(1, tmp_path)
    (resumed, history), (straight, _) = fit(2, tmp_path), fit(2)
    loaded = fd.load(tmp_path)
    assert torch.equal(parameters(resumed), parameters(straight))
    assert torch.equal(parameters(loaded), parameters(resumed))
    assert (loaded.weight, loaded.floor) == (0.05, 0.3) and loaded.config == straight.config
    assert list(history[-1]["losses"]) == ["reconstruction", "noise"]
    assert 0.3 <= history[-1]["validation"]["sigma"] <= 1
    assert from_config(loaded.config).config == loaded.config
    assert "corruption: drawn by the class itself" in repr(loaded) and "weight=0.05, floor=0.3" in repr(loaded)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"weight": -1.0}, ["weight must be a finite number >= 0, got -1.0"]),
        ({"weight": None}, ["weight must be a finite number >= 0, got None"]),
        ({"floor": 1.0}, ["floor must be a number >= 0 and < 1, got 1.0"]),
        ({"floor": -0.1}, ["floor must be a number >= 0 and < 1, got -0.1"]),
        ({"transformer": mlp([20, 1])}, ["transformer must give one number in [0, 1] a row", "'none'", "nn.Sigmoid"]),
        ({"transformer": mlp([20, 3], "sigmoid")}, ["transformer must give one number in [0, 1] a row, got 3"]),
        ({"transformer": mlp([6, 1], "sigmoid")}, ["encoder, transformer and decoder must have", "transformer 6"]),
        ({"transformer": "small"}, ["transformer must be a torch.nn.Module, got 'small'"]),
        ({"loss": "l1"}, ["loss must be one of 'bce', 'mse', got 'l1'"]),
    ],
    ids=str,
)
def test_what_is_no_part_of_one_is_refused_in_one_line(choices, words):
    parts = {"encoder": mlp([20, 3]), "decoder": mlp([3, 20], "sigmoid"), "transformer": mlp([20, 1], "sigmoid")}
    refused(lambda: fd.models.NoiseTransformer(**{**parts, "weight": 0.1, **choices}), *words)


def test_a_transformer_of_one_s_own_is_looked_at_when_it_runs():
    own = nn.Sequential(nn.Linear(20, 2), nn.Sigmoid(), nn.Softmax(dim=1))
    model = fd.models.NoiseTransformer(mlp([20, 3]), mlp([3, 20], "sigmoid"), own, weight=0.1)
    refused(lambda: model.sigma(images()), "transformer must give one number a row, [N, 1], got [32, 2]")
