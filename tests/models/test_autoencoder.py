"""The (denoising) autoencoder, a model of two networks: trained, resumed, loaded, sampled, measured, reported."""

import copy
import math

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae import reporting
from fastdaae.cli import runs
from fastdaae.corruptions import Gaussian
from fastdaae.data import Dataset, Split
from fastdaae.evaluation import evaluate
from fastdaae.models.config import from_config, parameters_of
from fastdaae.noise import Site


def build(**choices) -> fd.models.Autoencoder:
    torch.manual_seed(0)
    return fd.models.Autoencoder(
        fd.networks.mlp([64, 16, 3]), fd.networks.mlp([3, 16, 64], output="sigmoid"), **choices
    )


def digits() -> Dataset:
    parts = (Split(*(values[:60] for values in part[:2])) for part in fd.data.load("digits")[:3])
    return Dataset(*parts, "digits")


def fit(model, **settings) -> list[dict]:
    return fd.Trainer(model, **{"epochs": 2, "batch_size": 20, "lr": 1e-3, **settings}).fit(digits(), progress=False)


def parameters(model) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.parametrize("corruption", [None, Gaussian(0.5)])
@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_step_is_the_denoising_autoencoder_s(corruption, loss):
    model = build(corruption=corruption, loss=loss).double()
    by_hand, x = copy.deepcopy(model), torch.rand(8, 64, dtype=torch.float64)
    step = fd.compile_step(model, {"reconstruction": torch.optim.Adam(model.parameters(), lr=1e-2)}, seed=5)
    adam = torch.optim.Adam(by_hand.parameters(), lr=1e-2)
    for k in range(3):
        x_tilde = fd.ops.corrupt(x, corruption, fd.Noise(5, step=k), site=Site.RECONSTRUCTION)[0]
        x_hat = by_hand.decoder(by_hand.encoder(x_tilde))
        cross_entropy = -(x * x_hat.log() + (1 - x) * (1 - x_hat).log()).mean()
        expected = cross_entropy if loss == "bce" else (x_hat - x).square().mean()
        adam.zero_grad()
        expected.backward()
        adam.step()
        assert {name: float(value) for name, value in step(x).items()} == {
            "reconstruction": pytest.approx(float(expected.detach()), rel=1e-9)
        }
    assert torch.allclose(parameters(model), parameters(by_hand), atol=1e-9, rtol=0)


def test_its_first_update_is_the_adversarial_models_bitwise():
    x = torch.randint(0, 256, (8, 64), dtype=torch.uint8)
    model = build(corruption=Gaussian(0.5))
    encoder, decoder = copy.deepcopy(model.encoder), copy.deepcopy(model.decoder)
    daae = fd.DAAE(
        encoder, decoder, fd.networks.mlp([3, 1]), prior=fd.priors.Normal(3), corruption=Gaussian(0.5), loss="bce"
    )
    for one in (model, daae):
        optimizers = {name: torch.optim.Adam(group, lr=1e-2) for name, group in one.parameter_groups().items()}
        # the other updates stand still
        for name, optimizer in optimizers.items():
            optimizer.param_groups[0]["lr"] = 1e-2 if name == "reconstruction" else 0.0
        step = fd.compile_step(one, optimizers, seed=5)
        step(x), step(x)
    assert torch.equal(torch.cat([parameters(encoder), parameters(decoder)]), parameters(model))
    held_out = [one.validation_losses(x, fd.Noise(1), row_offset=2) for one in (model, daae)]
    assert held_out[0] == held_out[1] and set(held_out[0]) == {"reconstruction", "mse"}


@pytest.mark.parametrize("corruption", [None, Gaussian(0.5, clip=(0, 1))])
def test_a_run_is_resumed_to_the_bit_and_loaded(corruption, tmp_path):
    straight, resumed = build(corruption=corruption), build(corruption=corruption)
    fit(build(corruption=corruption), run_dir=tmp_path)
    history = fit(resumed, epochs=3, run_dir=tmp_path)
    fit(straight, epochs=3)
    assert list(history[0]["losses"]) == ["reconstruction"]
    loaded = fd.load(tmp_path)
    assert (
        type(loaded) is fd.models.Autoencoder and loaded.corruption == corruption and loaded.config == straight.config
    )
    assert torch.equal(parameters(resumed), parameters(straight)) and torch.equal(
        parameters(loaded), parameters(resumed)
    )


def test_samples_start_from_codes_that_are_given():
    model, z = build(corruption=Gaussian(0.5)), torch.randn(5, 3)
    expected = fd.ops.sample_chain(model.decode, model.encode, z, Gaussian(0.5), fd.Noise(2), steps=2, keep=(0, 2))
    assert torch.allclose(model.sample(5, initial=z, steps=2, keep=(0, 2), seed=2), expected, atol=1e-6)
    assert model.sample(5, initial=fd.priors.Normal(3)).shape == (5, 64)
    with pytest.raises(ValueError, match="this Autoencoder has no prior; initial must be a tensor of codes"):
        model.sample(5)


def test_measures_that_need_a_prior_say_why_and_the_others_are_taken(tmp_path):
    model, dataset = build(corruption=Gaussian(0.5)), digits()
    history = fit(model)
    measures = evaluate(model, dataset, samples=50, steps=2, k=5)
    lacking = [measure for measure in measures if measure.value is None]
    assert {measure.of for measure in lacking} == {"x(0)", "x(2)"} and len(lacking) == 4 and len(measures) == 10
    assert all("this Autoencoder has no prior" in measure.reason for measure in lacking)
    assert all(math.isfinite(measure.value) for measure in measures if measure not in lacking)
    page = reporting.build(model, dataset, history, measures, tmp_path).read_text()
    drawn = {path.stem for path in (tmp_path / "figures").iterdir()}
    pictures = {"reconstructions", "robustness-pictures", "chain", "interpolation", "filters"}
    assert drawn == {"losses", *pictures, "code-histograms", "code-plane"}
    assert "is not drawn" not in page and "This Autoencoder has no prior" in page


def test_the_commands_know_it(tmp_path, capsys):
    runs.train(tmp_path, model="autoencoder", epochs=1, hidden="16", code=3, batch_size=600, sigma=0.25)
    model = fd.load(tmp_path)
    assert type(model) is fd.models.Autoencoder and model.corruption == Gaussian(0.25)
    runs.evaluate(tmp_path, samples=40, steps=1, k=5)
    told = " ".join(capsys.readouterr().out.split())
    assert "Autoencoder on digits" in told and "not measured" in told
    runs.report(tmp_path)
    assert "Log-likelihood, nats" in (tmp_path / "report" / "report.html").read_text()
    runs.sample(tmp_path, n=4)
    told = " ".join(capsys.readouterr().out.split())
    assert "Autoencoder has no prior: samples of the first 4 test images of digits" in told


def test_its_configuration_rebuilds_it_and_names_what_it_takes():
    model = build(corruption=Gaussian(0.5), loss="mse")
    names = "model encoder decoder corruption loss emphasis decoder_output image_shape"
    assert list(model.config) == names.split()
    rebuilt = from_config(model.config)
    assert rebuilt.config == model.config and rebuilt.corruption == Gaussian(0.5)
    with pytest.raises(ValueError, match="^loss must be one of 'bce', 'mse', got 'l1'"):
        from_config({**model.config, "loss": "l1"})


def test_what_a_class_of_one_s_own_hands_on_is_in_its_configuration():
    class Mine(fd.IDAAE):
        def __init__(self, *networks, gain=2.0, judge=None, **choices):
            super().__init__(*networks, **choices)
            self.gain, self.judge = gain, judge

    names = ["gain", "judge", "encoder", "decoder", "discriminator", "prior", "corruption", "copies", "integration"]
    others = {"loss", "decoder_output", "adversarial_loss", "form", "image_shape"}
    assert set(names) <= set(parameters_of(Mine)) == set(names) | others
    mlp = fd.networks.mlp
    networks = mlp([6, 2]), mlp([2, 6], output="sigmoid"), nn.Linear(2, 1)
    model = Mine(*networks, judge=print, prior=fd.priors.Normal(2), corruption=None, copies=3)
    config = model.config
    assert config["model"] == "Mine" and config["gain"] == 2.0 and config["copies"] == 3
    assert config["judge"] is None and config["discriminator"] is None and config["encoder"]["sizes"] == [6, 2]
    with pytest.raises(ValueError, match="the model 'Mine' cannot be rebuilt"):
        from_config(config)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("encoder must be a torch.nn.Module, got 3", (3, nn.Linear(2, 2))),
        ("decoder must be a torch.nn.Module, got None", (nn.Linear(2, 2), None)),
    ],
)
def test_what_is_no_network_is_refused(message, arguments):
    with pytest.raises(TypeError, match=message):
        fd.models.Autoencoder(*arguments, loss="mse", decoder_output="linear")
