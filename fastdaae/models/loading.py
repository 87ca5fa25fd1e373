"""`load`: a trained model from its run's folder, rebuilt from the configuration; nothing is ever unpickled."""

from pathlib import Path

import torch
from torch import Tensor, nn

from fastdaae import run_config, run_folder
from fastdaae.models.config import from_config, require_ours
from fastdaae.schema import shortened


def load(run_dir: str | Path, model: nn.Module | None = None) -> nn.Module:
    """The model of a run with the parameters of its last checkpoint, on the CPU, in evaluation mode.

    Our networks are rebuilt from the run's configuration, sharing what they shared; users' own modules are passed in as
    `model`. Raises FileNotFoundError for a folder without a run, ValueError for a damaged checkpoint, for one that
    belongs to another run, and for a model whose parameters do not fit.
    """
    run_dir = Path(run_dir)
    config, tensors, _ = run_folder.load_run(run_dir, "loading a model")
    rebuilt = model is None
    if rebuilt:
        run_config.require_config(config, run_dir)
        require_ours(config["model"])
        model = _sized_like(tensors, config["model"], run_dir)
    # what we rebuild takes the checkpoint's tensors themselves, whatever the process's default dtype and device are
    run_folder.put_parameters(model, tensors, run_dir, share=True, assign=rebuilt)
    return model.eval()


def _sized_like(tensors: dict[str, Tensor], config: dict, run_dir: Path) -> nn.Module:
    """The model of a configuration, its memory not yet filled; taken only where the checkpoint's tensors fit it."""
    with run_config.naming(run_dir / run_folder.CONFIG), torch.device("meta"):
        model = from_config(config, "model")
        _require_codes(model)
    planned_tensors = run_folder.model_tensors(model)
    dtypes = {tensors[name].dtype for name in planned_tensors if name in tensors}
    if len(dtypes) > 1 or not all(dtype.is_floating_point for dtype in dtypes):
        listed = ", ".join(sorted(map(str, dtypes)))
        raise ValueError(
            f"checkpoint {run_dir / run_folder.CHECKPOINT} must hold parameters of one floating dtype, got {listed}; "
            "restore it from a copy"
        )
    for name, planned in planned_tensors.items():
        given = tensors.get(name)
        if given is None or given.shape != planned.shape:
            got = "none" if given is None else list(given.shape)
            raise ValueError(
                f"{run_dir / run_folder.CONFIG} says that {name} has the shape {list(planned.shape)}, and the "
                f"checkpoint has {got}; restore the file"
            )
    return model.to_empty(device="cpu")


def _require_codes(model: nn.Module) -> None:
    """Raises ValueError where the decoder cannot take the prior's codes, which no parameter tells."""
    prior = getattr(model, "prior", None)
    if prior is None:
        return
    try:
        model.decoder(torch.empty(1, prior.dim, dtype=next(model.parameters()).dtype, device="meta"))
    except (RuntimeError, TypeError):
        raise ValueError(
            f"model.prior must draw codes that the decoder takes, got dim = {shortened(prior.dim)}"
        ) from None
