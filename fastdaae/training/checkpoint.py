"""Checkpoints: all that a run needs to go on bit for bit, written atomically to its folder."""

import json
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from fastdaae import run_config, run_folder
from fastdaae.noise import Noise
from fastdaae.reading import open_regular


def _optimizer_tensors(optimizers: dict[str, Optimizer]) -> dict[str, Tensor]:
    tensors = {}
    for update, optimizer in optimizers.items():
        for index, entries in optimizer.state_dict()["state"].items():
            for key, value in entries.items():
                if value is not None:
                    tensors[f"optimizer/{update}/{index}/{key}"] = torch.as_tensor(value)
    return tensors


def save_checkpoint(
    run_dir: Path, model: nn.Module, optimizers: dict[str, Optimizer], noise: Noise, *, epoch: int, step: int
) -> None:
    """Write the state after `epoch` epochs and `step` steps; a kill at any moment leaves a whole checkpoint."""
    tensors = {run_folder.MODEL_PREFIX + name: tensor for name, tensor in model.state_dict().items()}
    tensors |= _optimizer_tensors(optimizers)
    tensors |= {"noise": noise.state, "random/torch": torch.get_rng_state()}
    if torch.cuda.is_available() and noise.device.type == "cuda":
        tensors["random/cuda"] = torch.cuda.get_rng_state(noise.device)
    run_folder.save_tensors(run_dir / run_folder.CHECKPOINT, tensors, {"epoch": epoch, "step": step})


def restore_checkpoint(
    run_dir: Path, model: nn.Module, optimizers: dict[str, Optimizer], noise: Noise
) -> tuple[int, int]:
    """Put the run's last checkpoint into place; returns its (epoch, step). Raises ValueError where it is damaged."""
    tensors, facts = run_folder.load_tensors(run_dir / run_folder.CHECKPOINT)
    prefix = run_folder.MODEL_PREFIX
    model.load_state_dict({n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)})
    for update, optimizer in optimizers.items():
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            parts = name.split("/")
            if parts[0] == "optimizer" and parts[1] == update:
                state.setdefault(int(parts[2]), {})[parts[3]] = tensor
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    noise.state.copy_(tensors["noise"])
    torch.set_rng_state(tensors["random/torch"])
    if "random/cuda" in tensors and noise.device.type == "cuda":
        torch.cuda.set_rng_state(tensors["random/cuda"], noise.device)
    return facts["epoch"], facts["step"]


def read_metrics(run_dir: Path, epochs: int | None = None) -> list[dict]:
    """The metrics of the first `epochs` epochs (all by default); a last line cut short by a kill is left out."""
    path = run_dir / run_folder.METRICS
    if not path.exists():
        return []
    history = []
    with open_regular(path) as file:
        lines = file.read().decode(errors="replace").splitlines()
    for place, line in enumerate(lines, start=1):
        try:
            history.append(json.loads(line))
        except (ValueError, RecursionError):
            break
        run_config.require_metrics(history[-1], path, place)
    return history[:epochs]


def write_metrics(run_dir: Path, history: list[dict]) -> None:
    """Write all epochs' metrics, a JSON line each, atomically."""
    run_folder.write_text(run_dir / run_folder.METRICS, "".join(json.dumps(line) + "\n" for line in history))
