"""The models of the papers; each `step` reads like its paper's algorithm."""

from fastdaae.models.adversarial import AAE, DAAE, IDAAE
from fastdaae.models.autoencoder import Autoencoder
from fastdaae.models.loading import load

__all__ = ["AAE", "DAAE", "IDAAE", "Autoencoder", "load"]
