"""`fastdaae train` and `fastdaae demo`."""

import os
import time
from pathlib import Path

import torch
from torch import nn

import fastdaae as fd
from fastdaae import run_config, run_folder
from fastdaae.cli import runs
from fastdaae.cli.console import say
from fastdaae.cli.work import building
from fastdaae.cli.work.opening import warn_if_changed
from fastdaae.cli.work.own_networks import read_own_networks
from fastdaae.cli.work.places import require_folder


def train(
    *, out, data, root, model, networks, decoder_output, loss, copies, sigma, prior, code, hidden, form, context, **how
) -> None:
    """Train a model on a data set, and say how far it came; `how` is the Trainer's affair."""
    require_folder(out, "--out")
    dataset = fd.data.load(data, root=root)
    torch.manual_seed(how["seed"])
    choices = {"corruption": fd.corruptions.Gaussian(sigma), "loss": loss, "copies": copies, "form": form}
    shape = dataset.train.images.shape[1:]
    network, noted = _model(model, prior, code, hidden, networks, decoder_output, shape, choices, out)
    trainer = fd.Trainer(network, run_dir=out, **how)
    started = time.perf_counter()
    typed = {} if context is None else {"command": context.obj}
    history = trainer.fit(dataset, notes={**_where(data, root), **noted, **typed})
    last = history[-1]
    numbers = {**last["losses"], **{f"validation {name}": value for name, value in last.get("validation", {}).items()}}
    say(*(part for name, value in numbers.items() for part in (f"{name} ", (f"{value:.6f}", "bold"), "  ")))
    say(f"{last['epoch']} epochs in {out} ({time.perf_counter() - started:.1f} s for this call)")


def _model(kind, prior, code, hidden, networks, decoder_output, shape, choices, out) -> tuple[nn.Module, dict]:
    """(the model, what the run's configuration shall note of its networks)."""
    make = building.constructor(kind)
    prior = building.prior_of(prior, code)
    if networks is None:
        if decoder_output is not None:
            raise ValueError("--decoder-output is for own decoders, and fastdaae's own ends in a sigmoid; leave it out")
        modules = building.connected(make, shape.numel(), building.HIDDEN if hidden is None else hidden, prior.dim)
        return building.assembled(make, modules, prior=prior, **choices), {}
    if hidden is not None:
        raise ValueError("--hidden is for fastdaae's own networks, and --networks makes yours; leave one of them out")
    made_by = read_own_networks(networks)
    if (out / run_folder.CHECKPOINT).exists():
        config = run_config.read_config(out, "resuming a run")
        warn_if_changed(out, made_by, run_config.read_networks_notes(out, config))
    modules, output = building.own(make, made_by, shape, prior.dim, decoder_output)
    model = building.assembled(make, modules, prior=prior, decoder_output=output, **choices)
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
