"""Corruptions and priors to and from plain dictionaries, ready for JSON."""

import dataclasses

from torch import nn

from fastdaae import corruptions, priors

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
    fields = dataclasses.asdict(part)
    # as JSON gives it back, so that a configuration that was read equals one that was made
    return {"name": type(part).__name__, **{k: list(v) if isinstance(v, tuple) else v for k, v in fields.items()}}


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
        **{name: getattr(getattr(model, name), "config", None) for name in NETWORKS},
        "prior": part_to_config(model.prior),
        "corruption": part_to_config(model.corruption),
        **{name: getattr(model, name) for name in hyperparameters},
    }
