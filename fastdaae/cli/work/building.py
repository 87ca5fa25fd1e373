"""A model of a command line's choices: fully connected networks, or a user's own."""

from itertools import pairwise

from torch import nn

import fastdaae as fd
from fastdaae.cli.work.own_networks import OwnNetworks
from fastdaae.cli.work.trial import require_fit
from fastdaae.models.config import networks_of, parameters_of
from fastdaae.models.decoding import infer_output
from fastdaae.models.names import find, names
from fastdaae.reading import require_memory

PRIORS = ("normal", "ring")
HIDDEN = "1000,1000"
_TRAINING_BYTES = 16  # of a parameter, its gradient and Adam's two means


def constructor(kind: str):
    """The class of a model's name in lower case; raises ValueError for another name."""
    known = {name.lower(): name for name in names("model")}
    if kind not in known:
        raise ValueError(f"--model must be one of {', '.join(known)}, got {kind!r}")
    return find("model", known[kind])


def prior_of(name: str, code: int):
    """The prior of a name: "normal" of `code` dimensions, or "ring" of two; raises ValueError for another name."""
    if name not in PRIORS:
        raise ValueError(f"--prior must be one of {', '.join(PRIORS)}, got {name!r}")
    return fd.priors.RingMixture() if name == "ring" else fd.priors.Normal(code)


def connected(make, pixels: int, hidden: str, code: int) -> dict[str, nn.Module]:
    """Fully connected networks with hidden layers as in "1000,1000", those that a model's constructor takes."""
    widths = _sizes(hidden)
    sizes = {
        "encoder": [pixels, *widths, code],
        "decoder": [code, *reversed(widths), pixels],
        "discriminator": [code, *widths, 1],
    }
    sizes = {name: sizes[name] for name in networks_of(make.__name__)}
    numbers = sum(rows * columns for layers in sizes.values() for rows, columns in pairwise(layers))
    require_memory(_TRAINING_BYTES * numbers, f"training networks with hidden layers {widths} and a code of {code}")
    return {
        name: fd.networks.mlp(layers, output="sigmoid" if name == "decoder" else None) for name, layers in sizes.items()
    }


def _sizes(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise ValueError(f"--hidden must be layer sizes such as 1000,1000, got {text!r}") from None


def own(
    make, made_by: OwnNetworks, image_shape: tuple[int, ...], code: int, decoder_output: str | None
) -> tuple[dict[str, nn.Module], str | None]:
    """(a user's networks, those that a model's constructor takes; what the decoder returns, or None for a sigmoid).

    Raises ValueError where one is missing or does not fit, and where it is not known what the decoder returns.
    """
    modules, told = made_by.build(image_shape, code)
    if told is not None and decoder_output not in (None, told):
        raise ValueError(f"--decoder-output is {decoder_output!r}, and {made_by} says {told!r}; leave one out")
    taken = networks_of(make.__name__)
    missing = [name for name in taken if name not in modules]
    if missing:
        raise ValueError(
            f"--networks {made_by} must return {', '.join(taken)} for this --model, got {', '.join(modules) or 'none'}"
        )
    modules = {name: modules[name] for name in taken}
    output = told if decoder_output is None else decoder_output
    try:
        infer_output(modules["decoder"], output)
    except ValueError as error:
        raise ValueError(f"{error}; add --decoder-output") from None
    require_fit(made_by, modules, image_shape, code if "prior" in parameters_of(make) else None)
    return modules, output


def assembled(make, modules: dict[str, nn.Module], **choices) -> nn.Module:
    """The model: of all that there is to choose its constructor takes what it asks for."""
    taken = parameters_of(make)
    return make(**modules, **{name: value for name, value in choices.items() if name in taken})


def noted(made_by: OwnNetworks, code: int) -> dict:
    """What a run's configuration keeps of own networks."""
    return {"file": str(made_by.file), "function": made_by.function, "sha256": made_by.sha256, "code": code}
