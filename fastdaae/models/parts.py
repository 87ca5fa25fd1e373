"""Corruptions and priors to and from plain dictionaries, ready for JSON."""

import dataclasses

from torch import nn

from fastdaae import corruptions, priors
from fastdaae.settings import canonical

NETWORKS = ("encoder", "decoder", "discriminator")
_PARTS = {
    part.__name__: part
    for part in (
        corruptions.Gaussian,
        corruptions.Masking,
        corruptions.SaltAndPepper,
        priors.Normal,
        priors.RingMixture,
    )
}


def part_to_config(part) -> dict | None:
    """A corruption or prior of ours as a dictionary; None for anything else."""
    if type(part) not in _PARTS.values():
        return None
    name = type(part).__name__
    return {"name": name, **canonical(name, dataclasses.asdict(part))}


def part_from_config(config: dict | None):
    """The corruption or prior that a dictionary describes; None for None."""
    if config is None:
        return None
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in config.items() if key != "name"}
    return _PARTS[config["name"]](**fields)


def describe(model: nn.Module, hyperparameters: tuple[str, ...]) -> dict:
    """What makes a model, ready for JSON; a network or prior that is not ours stands as null."""
    return {
        "model": type(model).__name__,
        **{name: _network_config(name, getattr(model, name)) for name in NETWORKS},
        "prior": part_to_config(model.prior),
        "corruption": part_to_config(model.corruption),
        **{name: canonical(name, getattr(model, name)) for name in hyperparameters},
    }


def _network_config(name: str, network: nn.Module) -> dict | None:
    # modules of other libraries may have a config that is an object of theirs
    config = getattr(network, "config", None)
    return canonical(name, config) if isinstance(config, dict) else None
