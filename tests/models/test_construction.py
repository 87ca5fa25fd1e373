"""What is easily taken for a part of a model, and is none: refused at construction, in one line, with the remedy."""

import numpy as np
import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae.corruptions import Gaussian, Masking

mlp = fd.networks.mlp
NORMAL = torch.distributions.Normal(torch.zeros(2), torch.ones(2))


class Encoder(nn.Module):
    """A network of one's own, whose sizes no plan knows."""

    def __init__(self, inputs: int = 6, outputs: int = 2):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x):
        return self.linear(x.flatten(1))


def build(**choices) -> fd.DAAE:
    torch.manual_seed(0)
    networks = {"encoder": mlp([6, 2]), "decoder": mlp([2, 6], output="sigmoid"), "discriminator": mlp([2, 1])}
    return fd.DAAE(**{**networks, "prior": fd.priors.Normal(2), "corruption": Gaussian(0.5), **choices})


def refused(call, *words: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message and all(word in message for word in words), message


def speckle(x):
    return x


@pytest.mark.parametrize(
    ("corruption", "words"),
    [
        (0.3, ["got 0.3", "say fastdaae.corruptions.Gaussian(0.3)"]),
        (np.float32(0.5), ["say fastdaae.corruptions.Gaussian(0.5)"]),
        (speckle, ["got the function speckle", "Masking(drop)", "override `corrupted` in a subclass", "ops.normal"]),
        (nn.Dropout(0.5), ["got a Dropout", "Masking(drop)"]),
        (Gaussian, ["got the class Gaussian", "make one, such as fastdaae.corruptions.Gaussian(0.5)"]),
        (np.full((6,), 0.1), ["got an array [6]", "drawn anew for every batch", "Gaussian(sigma)"]),
        ("gaussian", ["got 'gaussian'", "say Gaussian(sigma)"]),
    ],
)
def test_what_is_no_corruption(corruption, words):
    for call in (
        lambda: build(corruption=corruption),
        lambda: fd.models.Autoencoder(mlp([6, 2]), mlp([2, 6], output="sigmoid"), corruption=corruption),
        lambda: build().sample(3, steps=1, corruption=corruption),
    ):
        refused(call, "corruption must be one of fastdaae.corruptions or None", *words)


@pytest.mark.parametrize(
    ("prior", "words", "to_start_from"),
    [
        (NORMAL, ["torch.distributions Normal", "Normal(2)", "RingMixture()", "Custom(sampler)"], "sample((n,))"),
        (torch.distributions.Normal(0, 1), ["no address", "def sampler(n, noise, row_offset)"], "sample((n,))"),
        (fd.priors.Normal, ["the class Normal", "make one, such as fastdaae.priors.Normal(10)"], "make one"),
        (torch.randn, ["the function randn", "fastdaae.priors.Custom(sampler)"], "Custom(sampler)"),
        (10, ["got 10; say fastdaae.priors.Normal(10)"], "Normal(10)"),
        ("normal", ["got 'normal'", "RingMixture()"], "RingMixture()"),
        ([[0.0, 1.0]], ["got a list of 1"], "torch.tensor(codes)"),
    ],
)
def test_what_is_no_prior(prior, words, to_start_from):
    refused(lambda: build(prior=prior), "prior must be one of fastdaae.priors", *words)
    expected = "initial must be a tensor [n, Z] or a prior of fastdaae.priors"
    refused(lambda: build().sample(1, initial=prior), expected, to_start_from)


def test_the_sampler_that_the_error_shows_is_a_prior():
    mean, scale = torch.tensor([1.0, -1.0]), 0.5

    def sampler(n, noise, row_offset):
        return mean + scale * fd.priors.Normal(2).sample(n, noise, row_offset=row_offset)

    with pytest.raises(TypeError) as caught:
        build(prior=NORMAL)
    shown = str(caught.value).split("`")[1]
    body = "return mean + scale * fastdaae.priors.Normal(2).sample(n, noise, row_offset=row_offset)"
    assert shown == f"def sampler(n, noise, row_offset): {body}"
    model = build(prior=fd.priors.Custom(sampler))
    assert torch.equal(model.prior.sample(9, fd.Noise(1))[4:], model.prior.sample(5, fd.Noise(1), row_offset=4))
    assert torch.equal(model.sample(4, seed=2), model.sample(9, seed=2)[:4])
    for wrong in (3, lambda n: torch.zeros(n, 2)):
        refused(lambda wrong=wrong: fd.priors.Custom(wrong), "sampler must be a function of (n, noise, row_offset)")


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (Encoder, ["got the class Encoder; make one: Encoder(...)"]),
        (mlp, ["got the function mlp", "call it"]),
        ([6, 2], ["got a list of 2", "fastdaae.networks.mlp([784, 100, 10])"]),
    ],
)
def test_what_is_no_network(network, words):
    refused(lambda: build(encoder=network), "encoder must be a torch.nn.Module", *words)


TEN = fd.priors.Normal(10)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"prior": TEN}, ["codes of one size", "encoder 2, decoder 2, discriminator 2, prior 10"]),
        ({"encoder": mlp([6, 3])}, ["codes of one size", "encoder 3, decoder 2"]),
        ({"encoder": Encoder(), "decoder": mlp([3, 6], output="sigmoid")}, ["codes of one size", "decoder 3"]),
        ({"encoder": mlp([2, 6]), "decoder": mlp([6, 2], output="sigmoid")}, ["encoder 6, decoder 6, discriminator 2"]),
        ({"discriminator": nn.Linear(3, 1)}, ["codes of one size", "discriminator 3"]),
        ({"discriminator": mlp([2, 2])}, ["discriminator must give one logit a code, [N, 1], got [N, 2]"]),
        ({"encoder": mlp([7, 2])}, ["images of one number of pixels", "encoder 7, decoder 6"]),
    ],
)
def test_parts_of_other_sizes_are_refused_where_their_layers_tell(parts, words):
    refused(lambda: build(**parts), *words)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"encoder": Encoder(6, 3)}, ["dataset must hold images that the model takes"]),
        ({"discriminator": Encoder(3, 1)}, ["discriminator must take the encoder's codes, [N, 2]"]),
        ({"discriminator": Encoder(2, 3)}, ["discriminator must give one logit a code, [N, 1], got [N, 3]"]),
        (
            {"encoder": Encoder(), "prior": fd.priors.Custom(lambda n, noise, row_offset: torch.zeros(n, 3))},
            ["encoder must give the codes that the prior draws, [N, 3], got [N, 2]", "or the prior"],
        ),
    ],
)
def test_parts_of_other_sizes_are_refused_at_the_first_images(parts, words):
    model = build(**parts)
    refused(lambda: fd.Trainer(model, epochs=1).fit(torch.rand(8, 2, 3), progress=False), *words)
    assert model.training and model.image_shape is None


def test_layers_that_see_no_rows_tell_no_size():
    """A layer may run along the last of several dimensions, and a class of one's own use its networks as it likes."""
    along = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))
    model = build(encoder=along)
    fd.Trainer(model, epochs=1, batch_size=4).fit(torch.rand(8, 2, 3), progress=False)
    assert model.sample(3, steps=1).shape == (3, 2, 3)

    class Twice(fd.models.Autoencoder):
        def encode(self, x):
            return super().encode(x)[:, :2]

    assert Twice(mlp([6, 4]), mlp([2, 6], output="sigmoid")).reconstruct(torch.rand(5, 6)).shape == (5, 6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n": 2.0}, ["n must be a whole number >= 1, got 2.0"]),
        ({"n": True}, ["n must be a whole number >= 1, got True"]),
        ({"n": 2, "steps": 5, "keep": 5}, ["keep must be ascending steps in 0..steps = 5", "keep=(5,)"]),
        ({"n": 2, "steps": 5, "keep": "05"}, ["keep must be ascending steps in 0..steps = 5", "got str"]),
        ({"n": 2, "steps": 1.5}, ["steps must be a whole number, got 1.5"]),
        ({"n": 2, "initial": torch.zeros(2, 3)}, ["initial must give codes of 2 numbers", "got 3"]),
        ({"n": 2, "initial": TEN}, ["initial must give codes of 2 numbers, as the decoder takes, got 10"]),
    ],
)
def test_sampling_of_what_is_no_number_and_no_code(arguments, words):
    refused(lambda: build().sample(**arguments), *words)


def test_codes_to_start_from_may_be_an_array_of_any_dtype():
    model, z = build(corruption=Masking(0.5)), torch.randn(3, 2).double()
    expected = model.sample(3, steps=2, initial=z.float())
    for initial in (z, z.numpy()):
        assert torch.equal(model.sample(3, steps=2, initial=initial), expected)
