"""`fd.load`: a run's model around networks of one's own; what is not the run's is refused in one line."""

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae.corruptions import Gaussian, Masking

mlp = fd.networks.mlp


def own(width: int = 4, depth: int = 1) -> dict[str, nn.Module]:
    """Encoder and decoder of one's own, with buffers of several dtypes, one of them not saved."""
    torch.manual_seed(0)
    inner = [layer for _ in range(depth) for layer in (nn.Conv2d(width, width, 1), nn.BatchNorm2d(width), nn.ReLU())]
    encoder = nn.Sequential(nn.Conv2d(3, width, 3, stride=2), *inner, nn.Flatten(), nn.Linear(width, 2))
    encoder.register_buffer("scratch", torch.full((2,), 7.0), persistent=False)
    return {"encoder": encoder, "decoder": nn.Sequential(nn.Linear(2, 48), nn.Unflatten(1, (3, 4, 4)))}


def build(networks: dict | None = None, **choices) -> fd.DAAE:
    networks = {"discriminator": mlp([2, 8, 1]), **(networks or own())}
    arguments = {"prior": fd.priors.Normal(2), "corruption": Gaussian(0.5), "decoder_output": "logits", **choices}
    return fd.DAAE(**networks, **arguments)


def images() -> torch.Tensor:
    return torch.randint(0, 256, (64, 3, 4, 4), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def fit(model: nn.Module, run_dir, epochs: int = 1) -> None:
    fd.Trainer(model, epochs=epochs, batch_size=32, run_dir=run_dir).fit(images(), progress=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder, model = tmp_path_factory.mktemp("run"), build()
    fit(model, folder)
    return folder, model


def require_refused(call, *words: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message and len(message) < 500 and all(word in message for word in words), message


def test_networks_of_one_s_own_are_put_into_the_run_s_model(trained):
    run, model = trained
    networks = {name: network.double() for name, network in own().items()}
    loaded = fd.load(run, networks=networks)
    assert loaded.encoder is networks["encoder"] and not loaded.training and loaded.config == model.config
    for (name, tensor), expected in zip(loaded.state_dict().items(), model.state_dict().values(), strict=True):
        assert tensor.dtype == expected.dtype and torch.equal(tensor, expected), name
    assert torch.equal(loaded.encoder.scratch, torch.full((2,), 7.0, dtype=torch.float64))
    assert torch.equal(loaded.sample(5, steps=2, seed=1), model.sample(5, steps=2, seed=1))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, ["encoder, decoder cannot be rebuilt", "networks={'encoder': ..., 'decoder': ...}", "pass model="]),
        ({"networks": {"encoder": own()["encoder"]}}, ["decoder cannot be rebuilt", "networks={'decoder': ...}"]),
        ({"networks": {**own(), "prior": 3}}, ["networks must be of encoder, decoder, discriminator", "got 'prior'"]),
        ({"networks": {**own(), "encoder": nn.Conv2d}}, ["encoder must be a torch.nn.Module, got the class Conv2d"]),
        ({"networks": nn.Linear(2, 2)}, ["networks must be {name: torch.nn.Module}"]),
        ({"networks": {**own(), "decoder": nn.Linear(3, 48)}}, ["codes of one size", "pass the networks of that run"]),
        ({"networks": own(width=6)}, ["encoder.0.weight is [6, 3, 3, 3] in the model and [4, 3, 3, 3] in the check"]),
        ({"networks": own(depth=2)}, ["model does not fit the checkpoint", "in the model and", "in the checkpoint"]),
        ({"networks": own(), "model": 3}, ["model and networks must not both be given"]),
        ({"model": own()}, ["model must be a whole model, got a dictionary; pass modules as networks="]),
        ({"model": fd.DAAE}, ["model must be a torch.nn.Module, got the class DAAE"]),
    ],
)
def test_networks_that_are_not_the_run_s(trained, given, words):
    require_refused(lambda: fd.load(trained[0], **given), *words)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"corruption": Gaussian(0.25)}, ["its corruption.sigma is 0.25 and the run's is 0.5"]),
        ({"corruption": Gaussian(0.5, clip=(0, 1))}, ["its corruption.clip is [0.0, 1.0] and the run's is None"]),
        ({"corruption": Masking(0.5)}, ["its corruption.name is 'Masking' and the run's is 'Gaussian'"]),
        ({"corruption": None}, ["its corruption is None and the run's is {'name': 'Gaussian', 'sigma': 0.5"]),
        ({"prior": fd.priors.RingMixture()}, ["its prior.name is 'RingMixture' and the run's is 'Normal'"]),
        ({"loss": "mse"}, ["its loss is 'mse' and the run's is 'bce'"]),
        ({"decoder_output": "probabilities"}, ["its decoder_output is 'probabilities' and the run's is 'logits'"]),
        ({"fresh_corruption": True}, ["its fresh_corruption is True and the run's is False"]),
        ({"image_shape": (48,)}, ["its image_shape is [48] and the run's is [3, 4, 4]"]),
        ({"discriminator": mlp([2, 8, 8, 1])}, ["its discriminator.sizes is [2, 8, 8, 1] and the run's is [2, 8, 1]"]),
    ],
)
def test_a_model_of_other_settings_is_refused_with_both_values(trained, choices, words):
    networks = {**own(), **({"discriminator": choices.pop("discriminator")} if "discriminator" in choices else {})}
    require_refused(
        lambda: fd.load(trained[0], build(networks, **choices)), "model does not fit the checkpoint", *words
    )


def test_a_model_of_another_class_is_refused(trained):
    networks = {**own(), "discriminator": mlp([2, 8, 1])}
    other = fd.IDAAE(**networks, prior=fd.priors.Normal(2), corruption=Gaussian(0.5), decoder_output="logits")
    require_refused(lambda: fd.load(trained[0], other), "its class is 'IDAAE' and the run's is 'DAAE'")


def test_what_a_configuration_does_not_know_is_left_out(trained):
    (run, model), z = trained, torch.randn(3, 2)

    class Half(Gaussian):
        pass

    class Mine(fd.DAAE):
        pass

    def own_prior(n, noise, row_offset):
        return fd.priors.Normal(2).sample(n, noise, row_offset=row_offset)

    for choices in ({"corruption": Half(0.5)}, {"prior": fd.priors.Custom(own_prior)}, {"image_shape": (3, 4, 4)}):
        loaded = fd.load(run, build(**choices))
        assert torch.equal(loaded.decode(z), model.decode(z)) and loaded.image_shape == (3, 4, 4)
    networks = {**own(), "discriminator": nn.Sequential(nn.Flatten(), *mlp([2, 8, 1])[1:])}
    arguments = {"prior": fd.priors.Normal(2), "corruption": Gaussian(0.5), "decoder_output": "logits"}
    assert torch.equal(fd.load(run, Mine(**networks, **arguments)).decode(z), model.decode(z))


def test_a_deeper_network_is_one_line_on_resume(tmp_path):
    def plain(*hidden: int) -> fd.AAE:
        parts = mlp([48, *hidden, 2]), mlp([2, 48], output="sigmoid"), mlp([2, 1])
        return fd.AAE(*parts, prior=fd.priors.Normal(2))

    fit(plain(8), tmp_path / "ours")
    words = "encoder.sizes=[48, 8, 2], and this one has [48, 8, 8, 2]; use the same settings to resume it"
    require_refused(lambda: fit(plain(8, 8), tmp_path / "ours", epochs=2), words)
    fit(build(), tmp_path / "own")
    words = "model does not fit the checkpoint in", "in the model and", "in the checkpoint; pass the model of that run"
    require_refused(lambda: fit(build(own(depth=2)), tmp_path / "own", epochs=2), *words)
