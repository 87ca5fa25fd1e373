"""`fastdaae train` and `fastdaae demo`."""

import os
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

import fastdaae as fd
from fastdaae import run_config, run_folder
from fastdaae.cli import runs
from fastdaae.cli.console import say
from fastdaae.cli.option_files import ENDING
from fastdaae.cli.work import building
from fastdaae.cli.work.corruptions import corruption_of
from fastdaae.cli.work.opening import open_model, warn_if_changed
from fastdaae.cli.work.own_networks import read_own_networks
from fastdaae.cli.work.places import require_folder
from fastdaae.cli.work.recipe_cells import train_cell
from fastdaae.cli.work.typed import require_used
from fastdaae.data import Dataset

_DATA, _MODEL, _FINE_TUNED = "digits", "idaae", "classifier"
_CHOICES = ("loss", "copies", "form", "adversarial_loss", "beta", "warm_up", "weight", "floor")  # of the constructors
_TRAINER = ("epochs", "batch_size", "lr", "optimizer", "schedule", "precision", "device", "seed")
_CLEAN = ("vae", "noise-transformer", _FINE_TUNED)  # trained without a corruption unless one is asked for


def train(*, out, config, data, root, model, pretrained, context, **options) -> None:
    """Train a model on a data set, and say how far it came."""
    require_folder(out, "--out")
    started = time.perf_counter()
    notes = {} if context is None else {"command": context.obj}
    if config is not None and not config.endswith(ENDING):
        history = train_cell(out, config, root, context, _TRAINER, notes)
    else:
        if context is not None and context.default_map:
            notes["options"] = context.default_map
        how = {name: options.pop(name) for name in _TRAINER}
        torch.manual_seed(how["seed"])
        kind = model or (_MODEL if pretrained is None else _FINE_TUNED)
        if (pretrained is not None) != (kind == _FINE_TUNED):
            raise ValueError(
                f"--pretrained and --model classifier belong together, got --model {kind}; --help says how"
            )
        require_used(context, kind, building.constructor(kind))
        network, dataset, noted = _model_and_data(out, kind, pretrained, data, root, options)
        history = _fit(network, dataset, out, {**noted, **notes}, how)
    last = history[-1]
    numbers = {**last["losses"], **{f"validation {name}": value for name, value in last.get("validation", {}).items()}}
    say(*(part for name, value in numbers.items() for part in (f"{name} ", (f"{value:.6f}", "bold"), "  ")))
    say(f"{last['epoch']} epochs in {out} ({time.perf_counter() - started:.1f} s for this call)")


def _fit(network: nn.Module, dataset: Dataset, out: Path, notes: dict, how: dict) -> list:
    if hasattr(network, "blocks"):
        histories = fd.training.pretrain(network, dataset, run_dir=out, notes=notes, **how)
        return histories[-1]
    return fd.Trainer(network, run_dir=out, **how).fit(dataset, notes=notes)


def _model_and_data(out: Path, kind: str, pretrained, data, root, options) -> tuple[nn.Module, Dataset, dict]:
    """(the model, the data set, what the run's configuration shall note of both)."""
    default = None if kind in _CLEAN else fd.corruptions.Gaussian(0.5)
    chosen: dict[str, Any] = {}
    corruption = corruption_of(options["corruption"], options["sigma"], default)
    make = building.constructor(kind)
    if (options["corruption"] or options["sigma"] is not None) and not building.takes_corruption(kind, make):
        raise ValueError(f"--corruption is for models that have one, and {kind} has none; leave it out")
    if pretrained is not None:
        trained, config = open_model(pretrained, None, "cpu")
        if data is None:
            data, noted_root, chosen = run_config.read_data_notes(pretrained, config)
            root = root or noted_root
    data = data or _DATA
    dataset = fd.data.load(data, root=root, **chosen)
    noted = {**_where(data, root), **({"data_options": chosen} if chosen else {})}
    if pretrained is not None:
        model = building.classifier(trained, dataset, options["hidden"], corruption)
        return model, dataset, {**noted, "pretrained": str(pretrained)}
    shape = dataset.train.images.shape[1:]
    linear = options["loss"] == "mse" and building.needs_linear(dataset)
    if kind == "stacked":
        return building.stack(shape, options["hidden"], corruption, options["loss"], linear), dataset, noted
    model, of_networks = _model(out, make, shape, corruption, options, linear)
    return model, dataset, {**noted, **of_networks}


def _model(out: Path, make, shape: tuple[int, ...], corruption, options: dict, linear: bool) -> tuple[nn.Module, dict]:
    """(a model with networks of its own, what the run's configuration shall note of them)."""
    networks, decoder_output, hidden = (options[name] for name in ("networks", "decoder_output", "hidden"))
    prior = building.prior_of(options["prior"], options["code"])
    choices = {"corruption": corruption, "prior": prior, **{name: options[name] for name in _CHOICES}}
    if networks is None:
        if decoder_output is not None:
            raise ValueError("--decoder-output is for own decoders, and fastdaae's own know theirs; leave it out")
        modules = building.ours(make, options["architecture"], shape, hidden, prior.dim, linear)
        return building.assembled(make, modules, decoder_output="linear" if linear else None, **choices), {}
    if hidden is not None:
        raise ValueError("--hidden is for fastdaae's own networks, and --networks makes yours; leave one of them out")
    made_by = read_own_networks(networks)
    if (out / run_folder.CHECKPOINT).exists():
        config = run_config.read_config(out, "resuming a run")
        warn_if_changed(out, made_by, run_config.read_networks_notes(out, config))
    modules, output = building.own(make, made_by, shape, prior.dim, decoder_output)
    model = building.assembled(make, modules, decoder_output=output, **choices)
    return model, {"networks": building.noted(made_by, prior.dim)}


def _where(data: str, root: Path | None) -> dict:
    """Where the data set lies, so that a later command finds it from another folder and without this environment."""
    place = root or os.environ.get("FASTDAAE_DATA")
    named = data in fd.data.names()
    return {"data": data if named else str(Path(data).resolve()), "root": str(Path(place).resolve()) if place else None}


def demo(*, out, epochs, seed, context) -> None:
    """Train, sample, evaluate and report on the digits, as the commands do it."""
    started = time.perf_counter()
    small = {"hidden": "500,500", "code": 8, "sigma": 0.3, "lr": 1e-3}
    runs.train(out, data="digits", epochs=epochs, seed=seed, context=context, **small)
    runs.sample(out, n=1_000, seed=seed)
    runs.evaluate(out, samples=1_000, k=50, seed=seed)
    runs.report(out, seed=seed)
    say(f"done in {time.perf_counter() - started:.0f} s")
