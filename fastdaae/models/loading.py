"""`load`: a trained model from its run's folder, rebuilt from the configuration; nothing is ever unpickled."""

from pathlib import Path

import torch
from torch import Tensor, nn

from fastdaae import networks, run_config, run_folder
from fastdaae.models.adversarial import AAE, DAAE, IDAAE
from fastdaae.models.parts import NETWORKS, part_from_config

_MODELS = {model.__name__: model for model in (AAE, DAAE, IDAAE)}


def from_config(config: dict) -> nn.Module:
    """The model that its `config` describes, freshly initialised; raises ValueError where a part is not ours."""
    missing = [name for name in (*NETWORKS, "prior") if config.get(name) is None]
    if config.get("model") not in _MODELS or missing:
        what = ", ".join(missing) or f"the model {config.get('model')!r}"
        raise ValueError(f"{what} cannot be rebuilt from the configuration; build the model yourself and pass model=")
    model = _MODELS[config["model"]]
    choices = {name: config[name] for name in model.hyperparameters}
    if model is not AAE:
        choices["corruption"] = part_from_config(config["corruption"])
    parts = [networks.build(config[name]) for name in NETWORKS]
    return model(*parts, prior=part_from_config(config["prior"]), **choices)


def load(run_dir: str | Path, model: nn.Module | None = None) -> nn.Module:
    """The model of a run with the parameters of its last checkpoint, on the CPU, in evaluation mode.

    Our networks are rebuilt from the run's configuration; users' own modules are passed in as `model`. Raises
    FileNotFoundError for a folder without a run, ValueError for a damaged checkpoint or a model whose parameters do not
    fit.
    """
    run_dir = Path(run_dir)
    config = run_config.read_config(run_dir, "loading a model")
    tensors, _ = run_folder.load_tensors(run_dir / run_folder.CHECKPOINT)
    prefix = run_folder.MODEL_PREFIX
    parameters = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    if model is None:
        model = _sized_like(parameters, config["model"], run_dir)
    try:
        model.load_state_dict(parameters)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise ValueError(
            f"model does not fit the checkpoint in {run_dir}: {first}; pass the model of that run"
        ) from None
    return model.eval()


def _sized_like(parameters: dict[str, Tensor], config: dict, run_dir: Path) -> nn.Module:
    """The model of a configuration, its memory not yet filled; taken only where the parameters are of its sizes."""
    with torch.device("meta"):
        model = from_config(config)
    for name, planned in model.state_dict().items():
        given = parameters.get(name)
        if given is None or given.shape != planned.shape:
            got = "none" if given is None else list(given.shape)
            raise ValueError(
                f"{run_dir / run_folder.CONFIG} says that {name} has the shape {list(planned.shape)}, and the "
                f"checkpoint has {got}; restore the file"
            )
    return model.to_empty(device="cpu")
