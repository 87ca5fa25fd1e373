"""Checkpoints: all that a run needs to go on bit for bit, its history included, written atomically to its folder."""

import json
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import Optimizer

from fastdaae import run_folder
from fastdaae.noise import Noise
from fastdaae.training.step import TrainingStep

_HISTORY = "history"


def save_checkpoint(run_dir: Path, step: TrainingStep, history: list[dict], *, run_id: str | None, epoch: int) -> None:
    """Write the state after `epoch` epochs, and the metrics after it; a kill at any moment leaves a whole checkpoint.

    The checkpoint alone says where the run is, so that metrics which a kill kept from being written can be mended.
    """
    tensors = run_folder.model_tensors(step.model) | _optimizer_tensors(step.optimizers)
    tensors |= {"noise": step.noise.state, "random/torch": torch.get_rng_state(), _HISTORY: _packed(history)}
    if torch.cuda.is_available() and step.noise.device.type == "cuda":
        tensors["random/cuda"] = torch.cuda.get_rng_state(step.noise.device)
    facts = {"run_id": run_id, "epoch": epoch, "step": history[-1]["step"]}
    run_folder.save_tensors(run_dir / run_folder.CHECKPOINT, tensors, facts)
    write_metrics(run_dir, history)


def _optimizer_tensors(optimizers: dict[str, Optimizer]) -> dict[str, Tensor]:
    tensors = {}
    for update, optimizer in optimizers.items():
        for index, entries in optimizer.state_dict()["state"].items():
            for key, value in entries.items():
                if value is not None:
                    tensors[f"optimizer/{update}/{index}/{key}"] = torch.as_tensor(value, device="cpu")
    return tensors


def restore(step: TrainingStep, tensors: dict[str, Tensor], run_dir: Path) -> None:
    """Put a checkpoint's tensors into place; raises ValueError, with nothing changed, for another model's."""
    missing = {"noise", "random/torch"} - tensors.keys()
    if missing:
        raise run_folder.DamagedFile(
            f"checkpoint {run_dir / run_folder.CHECKPOINT} lacks {min(missing)}; restore it from a copy, or remove it "
            "and train again"
        )
    run_folder.put_parameters(step.model, tensors, run_dir)
    for update, optimizer in step.optimizers.items():
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            parts = name.split("/")
            if parts[0] == "optimizer" and parts[1] == update:
                state.setdefault(int(parts[2]), {})[parts[3]] = tensor
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    _restore_random(step.noise, tensors)


def _restore_random(noise: Noise, tensors: dict[str, Tensor]) -> None:
    noise.state.copy_(tensors["noise"])
    torch.set_rng_state(tensors["random/torch"])
    if "random/cuda" in tensors and noise.device.type == "cuda":
        torch.cuda.set_rng_state(tensors["random/cuda"], noise.device)


def history_of(run_dir: Path, tensor: Tensor | None, epoch: int) -> list[dict]:
    """The history that a checkpoint after `epoch` epochs holds; an earlier version's, without one, has it in a file."""
    return read_metrics(run_dir, epoch) if tensor is None else _unpacked(tensor)


def read_history(run_dir: Path) -> list[dict]:
    """The metrics of a run's epochs up to its checkpoint, one dictionary each; all on file where there is none."""
    path = run_dir / run_folder.CHECKPOINT
    if not path.exists():
        return read_metrics(run_dir)
    return history_of(run_dir, run_folder.read_tensor(path, _HISTORY), run_folder.checkpoint_state(run_dir).epoch)


def read_metrics(run_dir: Path, epochs: int | None = None) -> list[dict]:
    """The lines of metrics.jsonl for the first `epochs` epochs (all by default), up to the first that is damaged."""
    path = run_dir / run_folder.METRICS
    history: list[dict] = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            line = json.loads(text)
            if line["epoch"] != len(history) + 1:
                break
        except (ValueError, TypeError, KeyError):
            break
        history.append(line)
    return history[:epochs]


def write_metrics(run_dir: Path, history: list[dict]) -> None:
    """Write all epochs' metrics, a JSON line each, atomically."""
    run_folder.write_text(run_dir / run_folder.METRICS, _as_lines(history))


def _as_lines(history: list[dict]) -> str:
    return "".join(json.dumps(line) + "\n" for line in history)


def _packed(history: list[dict]) -> Tensor:
    return torch.frombuffer(bytearray(_as_lines(history).encode()), dtype=torch.uint8)


def _unpacked(tensor: Tensor) -> list[dict]:
    return [json.loads(line) for line in tensor.numpy().tobytes().decode().splitlines()]
