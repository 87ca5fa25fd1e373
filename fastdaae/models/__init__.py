"""The models of the papers; each `step` reads like its paper's algorithm."""

from fastdaae.models.adversarial import AAE, DAAE, IDAAE
from fastdaae.models.autoencoder import Autoencoder
from fastdaae.models.classifier import Classifier
from fastdaae.models.loading import load
from fastdaae.models.stacked import StackedAutoencoder

__all__ = ["AAE", "DAAE", "IDAAE", "Autoencoder", "Classifier", "StackedAutoencoder", "load"]
