"""A run's model, on the device that was asked for; own networks are made by the file that the user names."""

import warnings
from pathlib import Path

from torch import nn

import fastdaae as fd
from fastdaae import run_config
from fastdaae.cli.work.own_networks import OwnNetworks, read_own_networks
from fastdaae.cli.work.trial import require_fit
from fastdaae.device import choose_device
from fastdaae.models.config import networks_of
from fastdaae.models.names import find


def open_model(run: Path, networks: str | None, device: str) -> tuple[fd.models.Autoencoder, dict]:
    """(model of a run in evaluation mode on `device`, configuration); `networks` is the option's text.

    Code that a run's folder names is never run: without `networks` a run of own networks is refused with the option
    that it needs. Raises ValueError and what `fd.load` raises.
    """
    target = choose_device(device)
    config = run_config.read_config(run, "this command")
    own = own_modules(run, config, networks)
    model = fd.load(run, networks=own) if own else fd.load(run)
    return model.to(target), config


def own_modules(run: Path, config: dict, networks: str | None) -> dict[str, nn.Module] | None:
    """The own networks of a run, which its configuration cannot rebuild, freshly made; None where all are ours.

    Raises ValueError as `open_model`.
    """
    known = networks_of(config["model"]["model"])
    if not known:
        return None  # a class of one's own, of which `fd.load` says what to do
    own = [name for name in known if config["model"].get(name, "ours") is None]
    noted = run_config.read_networks_notes(run, config)
    if networks is None:
        _refuse_without(run, own, noted)
        return None
    if not own and noted is None:
        raise ValueError(f"--networks is for runs of own networks, and {run} rebuilds its own; leave it out")
    made_by = read_own_networks(networks)
    warn_if_changed(run, made_by, noted)
    shape, code = run_config.image_shape(config), _code(config, noted)
    modules, _ = made_by.build(shape, code)
    missing = [name for name in own if name not in modules]
    if missing:
        raise ValueError(
            f"--networks {made_by} must return the {', '.join(missing)} of {run}, got {', '.join(modules)}"
        )
    modules = {name: modules[name] for name in own}
    make = find("model", config["model"]["model"])
    require_fit(made_by, modules, shape, posterior=hasattr(make, "posterior"))
    return modules


def _refuse_without(run: Path, own: list[str], noted: dict | None) -> None:
    if not own:
        return
    what = f"{run} has networks of your own ({', '.join(own)})"
    if noted is None:
        raise ValueError(f"{what}; name the function that makes them: --networks file.py:make")
    option = f"--networks {noted['file']}:{noted['function']}"
    raise ValueError(f"{what}, and code that a run names is not run unasked; add {option}")


def _code(config: dict, noted: dict | None) -> int | None:
    prior = config["model"].get("prior")
    dim = prior.get("dim") if isinstance(prior, dict) else None
    return noted["code"] if noted else dim


def warn_if_changed(run: Path, own: OwnNetworks, noted: dict | None) -> None:
    """Warns where the file is not the one that the run was trained with."""
    if noted is not None and own.sha256 != noted["sha256"]:
        warnings.warn(
            f"{own.file} is not what {run} was trained with (SHA-256 {own.sha256[:12]}, then {noted['sha256'][:12]}): "
            "its parameters may mean something else now",
            stacklevel=2,
        )
