"""A small model of each kind, untrained, and images for it: what a report is drawn of."""

from functools import partial

import torch
from torch import nn

import fastdaae as fd
from fastdaae.data import Dataset, Split
from fastdaae.reporting import drawing
from tests.models.reported import idaae

mlp, NOISE = fd.networks.mlp, fd.corruptions.Gaussian(0.3)


def autoencoder(code: int = 3, **choices):
    return fd.models.Autoencoder(mlp([64, 12, code]), mlp([code, 12, 64], output="sigmoid"), **choices)


def vae(code: int = 2, **choices):
    return fd.models.VAE(mlp([64, 12, 2 * code]), mlp([code, 12, 64], output="sigmoid"), **choices)


def transformer():
    networks = mlp([64, 12, 3]), mlp([3, 12, 64], output="sigmoid"), mlp([64, 8, 1], output="sigmoid")
    return fd.models.NoiseTransformer(*networks, weight=0.1)


def block(inputs: int, codes: int):
    networks = mlp([inputs, codes], output="sigmoid"), mlp([codes, inputs], output="sigmoid")
    return fd.models.Autoencoder(*networks, corruption=NOISE)


def stack():
    return fd.models.StackedAutoencoder([block(64, 20), block(20, 12)])


def classifier(body=stack, codes: int = 12):
    return fd.models.Classifier(body(), mlp([codes, 10]))


def convolutional():
    encoder = nn.Sequential(nn.Unflatten(1, (1, 8)), nn.Conv2d(1, 4, 3, 2, 1), nn.ReLU())
    decoder = nn.Sequential(nn.ConvTranspose2d(4, 1, 4, 2, 1), nn.Sigmoid())
    return fd.models.Autoencoder(encoder, decoder, corruption=fd.corruptions.Masking(0.5))


def linear():
    return fd.models.Autoencoder(mlp([64, 20]), mlp([20, 64]), loss="mse", decoder_output="linear", corruption=NOISE)


def digits(count: int = 40, labels: bool = True) -> Dataset:
    whole = fd.data.load("digits")
    return Dataset(
        *(Split(part.images[:count], part.labels[:count] if labels else None) for part in whole[:3]), "digits"
    )


def whitened() -> Dataset:
    parts = (Split((part.images[:40].float() - 80) / 80) for part in fd.data.load("digits")[:3])
    return Dataset(*parts, "patches")


MODELS = {
    "AAE": lambda: fd.AAE(
        mlp([64, 12, 2]), mlp([2, 12, 64], output="sigmoid"), mlp([2, 8, 1]), prior=fd.priors.Normal(2)
    ),
    "IDAAE": partial(idaae, 64, 3),
    "autoencoder": autoencoder,
    "manifold": partial(autoencoder, 1, corruption=NOISE),
    "VAE": partial(vae, 4),
    "DVAE": partial(vae, 2, corruption=NOISE),
    "noise transformer": transformer,
    "stack": stack,
    "classifier": classifier,
    "convolutional": convolutional,
    "linear": linear,
}


def model(name: str) -> nn.Module:
    torch.manual_seed(0)
    return MODELS[name]()


def subject(of, data: Dataset | None = None, measures=(), seed: int = 0) -> drawing.Subject:
    return drawing.Subject(of.eval(), data or digits(), "test", [], list(measures), "nats", seed)
