"""The names that a configuration may hold, of models, networks, corruptions and priors, and what they stand for."""

import importlib
from collections.abc import Callable

from fastdaae.schema import one_of

_HOMES = {
    "model": (
        "fastdaae.models",
        ("Autoencoder", "AAE", "DAAE", "IDAAE", "VAE", "NoiseTransformer", "StackedAutoencoder", "Classifier"),
    ),
    "network": (
        "fastdaae.networks",
        (
            "mlp",
            *("cae_block_encoder", "cae_block_decoder", "cae_encoder", "cae_decoder"),
            *("tutorial_encoder", "tutorial_decoder", "dcgan_encoder", "dcgan_decoder"),
            *("textbook_encoder", "textbook_decoder"),
        ),
    ),
    "corruption": ("fastdaae.corruptions", ("Gaussian", "Masking", "SaltAndPepper", "Patches", "Shuffling")),
    "prior": ("fastdaae.priors", ("Normal", "RingMixture")),
}


def names(kind: str) -> tuple[str, ...]:
    """What there is of a kind: "model", "network", "corruption" or "prior"."""
    return _HOMES[kind][1]


def find(kind: str, name, key: str = "name") -> Callable:
    """The class or function of a name; raises ValueError, with the key where it stands, for one that there is not."""
    module, known = _HOMES[kind]
    one_of(*known)(name, key)
    # here, since models look up their own configurations
    return getattr(importlib.import_module(module), name)


def is_ours(kind: str, value) -> bool:
    """Whether a value was made by a class of ours, and not by one that only has its name."""
    name = type(value).__name__
    return name in names(kind) and find(kind, name) is type(value)
