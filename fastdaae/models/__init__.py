"""The models of the papers; each `step` reads like its paper's algorithm."""

from fastdaae.models.adversarial import AAE, DAAE, IDAAE
from fastdaae.models.autoencoder import Autoencoder
from fastdaae.models.classifier import Classifier
from fastdaae.models.loading import load
from fastdaae.models.noise_transformer import NoiseTransformer
from fastdaae.models.stacked import StackedAutoencoder
from fastdaae.models.variational import VAE, Posterior

__all__ = [
    "AAE",
    "DAAE",
    "IDAAE",
    "VAE",
    "Autoencoder",
    "Classifier",
    "NoiseTransformer",
    "Posterior",
    "StackedAutoencoder",
    "load",
]
