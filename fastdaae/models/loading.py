"""`load`: a trained model from its run's folder, rebuilt from the configuration; nothing is ever unpickled."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, overload

import torch
from torch import Tensor, nn

from fastdaae import run_config, run_folder
from fastdaae.models.autoencoder import Autoencoder, require_network
from fastdaae.models.comparing import require_same
from fastdaae.models.config import from_config, networks_of, require_ours
from fastdaae.models.shapes import as_shape
from fastdaae.schema import shortened

Model = TypeVar("Model", bound=nn.Module)


@overload
def load(run_dir: str | Path, model: Model) -> Model: ...
@overload
def load(
    run_dir: str | Path, model: None = None, *, networks: Mapping[str, nn.Module] | None = None
) -> Autoencoder: ...
def load(
    run_dir: str | Path, model: nn.Module | None = None, *, networks: Mapping[str, nn.Module] | None = None
) -> nn.Module:
    """The model of a run with the parameters of its last checkpoint, in evaluation mode, on the CPU if it is rebuilt.

    It is rebuilt from the run's configuration, sharing what its networks shared; users' own modules are passed in as
    `networks`, {"encoder": module, ...}, and take the checkpoint's tensors, dtype included. A model that cannot be
    rebuilt (a class or a prior of one's own) is passed in whole, as `model`; where it knows no image_shape it takes the
    run's. Raises FileNotFoundError for a folder without a run, TypeError for what is no network or model, ValueError
    for a damaged checkpoint, for one that belongs to another run, for modules whose parameters do not fit, and for a
    model whose corruption, prior or hyper-parameters are not those of the run.
    """
    run_dir = Path(run_dir)
    if model is not None and networks is not None:
        raise ValueError("model and networks must not both be given; networks alone rebuilds the model around them")
    if isinstance(model, Mapping):
        raise TypeError("model must be a whole model, got a dictionary; pass modules as networks=")
    config, tensors, _ = run_folder.load_run(run_dir, "loading a model")
    run_config.require_config(config, run_dir)
    rebuilt = model is None
    if model is None:
        model = _rebuilt(tensors, config["model"], networks or {}, run_dir)
    else:
        require_network("model", model)
        require_same(model, config["model"], run_dir)
    # what we rebuild takes the checkpoint's tensors themselves, whatever the process's default dtype and device are
    run_folder.put_parameters(model, tensors, run_dir, share=True, assign=rebuilt)
    if getattr(model, "image_shape", ()) is None:
        with run_config.naming(run_dir / run_folder.CONFIG):
            shape: Any = as_shape(config["model"].get("image_shape"))
            model.image_shape = shape
    return model.eval()


def _rebuilt(tensors: dict[str, Tensor], config: dict, networks: Mapping[str, nn.Module], run_dir: Path) -> nn.Module:
    """The model of a configuration around the networks that are given; those of ours have no memory yet."""
    _require_networks(config, networks)
    require_ours({**config, **networks})
    for network in networks.values():
        network.to("cpu")
    advice = {"advice": "pass the networks of that run"} if networks else {}
    with run_config.naming(run_dir / run_folder.CONFIG, **advice), torch.device("meta"):
        model = from_config({**config, **networks}, "model")
    _require_sizes(model, tensors, networks, run_dir)
    return model


def _require_networks(config: dict, networks: Mapping[str, nn.Module]) -> None:
    if not isinstance(networks, Mapping):
        raise TypeError(f"networks must be {{name: torch.nn.Module}}, got {shortened(networks)}")
    known = networks_of(config.get("model"))
    if networks and not known:
        raise ValueError(
            f"networks must be left out for a run of {shortened(config.get('model'))}; pass model= instead"
        )
    for name, network in networks.items():
        if name not in known:
            raise ValueError(f"networks must be of {', '.join(known)} for the run's model, got {shortened(name)}")
        require_network(name, network)


def _require_sizes(model: nn.Module, tensors: dict[str, Tensor], given: Mapping[str, nn.Module], run_dir: Path) -> None:
    """Raises ValueError where the checkpoint's tensors do not fit the networks that the configuration describes."""
    described = {
        name: tensor
        for name, tensor in run_folder.model_tensors(model).items()
        if name.partition("/")[2].partition(".")[0] not in given
    }
    # batch norm counts its batches in whole numbers
    dtypes = {
        tensors[name].dtype for name, planned in described.items() if name in tensors and planned.is_floating_point()
    }
    if len(dtypes) > 1 or not all(dtype.is_floating_point for dtype in dtypes):
        listed = ", ".join(sorted(map(str, dtypes)))
        raise ValueError(
            f"checkpoint {run_dir / run_folder.CHECKPOINT} must hold parameters of one floating dtype, got {listed}; "
            "restore it from a copy"
        )
    for name, planned in described.items():
        found = tensors.get(name)
        if found is None or found.shape != planned.shape:
            got = "none" if found is None else list(found.shape)
            raise ValueError(
                f"{run_dir / run_folder.CONFIG} says that {name} has the shape {list(planned.shape)}, and the "
                f"checkpoint has {got}; restore the file"
            )
