"""A model of a command line's choices: networks of ours, or a user's own."""

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import torch
from torch import nn

import fastdaae as fd
from fastdaae.cli.work.own_networks import OwnNetworks
from fastdaae.cli.work.trial import require_fit
from fastdaae.corruptions import Corruption
from fastdaae.data import Dataset
from fastdaae.models.config import networks_of, parameters_of
from fastdaae.models.decoding import infer_output
from fastdaae.models.names import find
from fastdaae.reading import require_memory

# names of the command line, and of the classes
MODELS = {
    "autoencoder": "Autoencoder",
    "aae": "AAE",
    "daae": "DAAE",
    "idaae": "IDAAE",
    "vae": "VAE",
    "noise-transformer": "NoiseTransformer",
    "stacked": "StackedAutoencoder",
    "classifier": "Classifier",
}
PRIORS = ("normal", "ring")
CONNECTED = "mlp"
ARCHITECTURES = (CONNECTED, *fd.networks.ARCHITECTURES)
HIDDEN, HEAD = "1000,1000", "1000"
_TRAINING_BYTES = 16  # of a parameter, its gradient and Adam's two means


def constructor(kind: str):
    """The class of a model's name on the command line; raises ValueError for another name."""
    if kind not in MODELS:
        raise ValueError(f"--model must be one of {', '.join(MODELS)}, got {kind!r}")
    return find("model", MODELS[kind])


def takes_corruption(kind: str, make) -> bool:
    """Whether a model of a name has a corruption, of its own or in the blocks that it is made of."""
    return kind == "stacked" or "corruption" in parameters_of(make)


def prior_of(name: str, code: int):
    """The prior of a name: "normal" of `code` dimensions, or "ring" of two; raises ValueError for another name."""
    if name not in PRIORS:
        raise ValueError(f"--prior must be one of {', '.join(PRIORS)}, got {name!r}")
    return fd.priors.RingMixture() if name == "ring" else fd.priors.Normal(code)


def needs_linear(dataset: Dataset) -> bool:
    """Whether a data set has values outside [0, 1], which no decoder that ends in a sigmoid reaches."""
    images = dataset.train.images
    if not images.is_floating_point():
        return False
    low, high = images.aminmax()
    return bool(low < 0 or high > 1)


def ours(
    make, architecture: str, image_shape: tuple[int, ...], hidden: str | None, code: int, linear: bool = False
) -> dict[str, nn.Module]:
    """Networks of ours, those that a model's constructor takes; `hidden` are the layers of the fully connected ones.

    The decoder ends in a sigmoid, or with `linear` in nothing. Raises ValueError for what does not go together.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"--architecture must be one of {', '.join(ARCHITECTURES)}, got {architecture!r}")
    widths, pixels, taken = (
        sizes_of(HIDDEN if hidden is None else hidden),
        math.prod(image_shape),
        networks_of(make.__name__),
    )
    if hidden is not None and architecture != CONNECTED and "discriminator" not in taken:
        raise ValueError(f"--hidden is for fully connected networks, and --architecture {architecture} has its own")
    given = 2 * code if make.__name__ == "VAE" else code  # the mean and the log variance
    if linear and architecture != CONNECTED:
        raise ValueError(
            f"--architecture {architecture} gives pixels in [0, 1], and the images have others; use {CONNECTED}, or "
            "--networks with --decoder-output linear"
        )
    modules = {} if architecture == CONNECTED else fd.networks.for_images(architecture, image_shape, code, given)
    layers = {
        "encoder": [pixels, *widths, given],
        "decoder": [code, *reversed(widths), pixels],
        "discriminator": [code, *widths, 1],
        "transformer": [pixels, max(1, pixels // 2), 1],
    }
    connected = {name: layers[name] for name in taken if name not in modules}
    _require_room(connected.values(), f"hidden layers {widths} and a code of {code}")
    ends = {"decoder": None if linear else "sigmoid", "transformer": "sigmoid"}
    return {name: modules.get(name) or fd.networks.mlp(connected[name], output=ends.get(name)) for name in taken}


def stack(
    image_shape: tuple[int, ...], hidden: str | None, corruption: Corruption | None, loss: str, linear: bool = False
) -> nn.Module:
    """A stack of autoencoders with codes of the sizes `hidden`, sigmoid everywhere, each with the corruption.

    With `linear` the first block's decoder, which makes the images, ends in nothing.
    Source: Jow's report, section 2.
    """
    sizes = [math.prod(image_shape), *sizes_of(HIDDEN if hidden is None else hidden)]
    _require_room([sizes, sizes[::-1]], f"blocks of {sizes[1:]}")
    blocks = [
        fd.models.Autoencoder(
            fd.networks.mlp([inputs, outputs], output="sigmoid"),
            fd.networks.mlp([outputs, inputs], output=None if linear and not place else "sigmoid"),
            corruption=corruption,
            loss=loss,
            decoder_output="linear" if linear and not place else None,
        )
        for place, (inputs, outputs) in enumerate(pairwise(sizes))
    ]
    return fd.models.StackedAutoencoder(blocks)


def classifier(autoencoder: Any, dataset: Dataset, hidden: str | None, corruption: Corruption | None) -> nn.Module:
    """A classifier of a labelled data set on a trained model's codes, its head with the layers `hidden`."""
    labels = dataset.train.labels
    if labels is None:
        raise ValueError(f"a classifier needs labels, and {dataset.name} has none; choose another --data")
    shape, known = tuple(dataset.train.images.shape[1:]), autoencoder.image_shape
    if known not in (None, shape):
        raise ValueError(
            f"--pretrained takes images {list(known)}, and {dataset.name} has {list(shape)}; choose other --data"
        )
    classes = int(labels.max()) + 1 if dataset.classes is None else len(dataset.classes)
    with torch.no_grad():
        code = autoencoder.encode(dataset.train.images[:1]).shape[1]
    sizes = [code, *sizes_of(HEAD if hidden is None else hidden), classes]
    _require_room([sizes], f"a head of layers {sizes}")
    return fd.models.Classifier(autoencoder, fd.networks.mlp(sizes), corruption=corruption)


def _require_room(networks: Iterable[list[int]], what: str) -> None:
    numbers = sum(rows * columns for sizes in networks for rows, columns in pairwise(sizes))
    require_memory(_TRAINING_BYTES * numbers, f"training networks with {what}")


def sizes_of(text: str) -> list[int]:
    """The sizes of "1000,1000"; raises ValueError for another text."""
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
    wanted = code if "prior" in parameters_of(make) else None
    require_fit(made_by, modules, image_shape, wanted, posterior=hasattr(make, "posterior"))
    return modules, output


def assembled(make, modules: dict[str, nn.Module], **choices) -> nn.Module:
    """The model: of all that there is to choose its constructor takes what it asks for."""
    taken = parameters_of(make)
    return make(**modules, **{name: value for name, value in choices.items() if name in taken})


def noted(made_by: OwnNetworks, code: int) -> dict:
    """What a run's configuration keeps of own networks."""
    return {"file": str(made_by.file), "function": made_by.function, "sha256": made_by.sha256, "code": code}
