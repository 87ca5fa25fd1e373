"""`load`: a trained model from its run's folder, rebuilt from the configuration; nothing is ever unpickled."""

from pathlib import Path

from torch import nn

from fastdaae import networks, run_folder
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
    config = run_folder.read_json(run_dir / run_folder.CONFIG, "loading a model")
    tensors, _ = run_folder.load_tensors(run_dir / run_folder.CHECKPOINT)
    rebuilt = model is None
    model = from_config(config["model"]) if rebuilt else model
    prefix = run_folder.MODEL_PREFIX
    parameters = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    try:
        # what we rebuild takes the checkpoint's tensors themselves, whatever the process's default dtype and device are
        model.load_state_dict(parameters, assign=rebuilt)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise ValueError(
            f"model does not fit the checkpoint in {run_dir}: {first}; pass the model of that run"
        ) from None
    return model.eval()
