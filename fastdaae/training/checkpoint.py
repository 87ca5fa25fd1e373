"""Checkpoints: all that a run needs to go on bit for bit, its history included, written atomically to its folder."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import Optimizer

from fastdaae import run_config, run_folder
from fastdaae.arrays import laid_out_like
from fastdaae.noise import Noise
from fastdaae.reading import open_regular
from fastdaae.training.step import TrainingStep

_HISTORY = "history"

History = Sequence[Mapping[str, object]]  # a dictionary an epoch


def save_checkpoint(run_dir: Path, step: TrainingStep, history: History, *, run_id: str | None, epoch: int) -> None:
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


def _optimizer_tensors(optimizers: Mapping[str, Optimizer]) -> dict[str, Tensor]:
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
    states = {update: _optimizer_state(update, optimizer, tensors) for update, optimizer in step.optimizers.items()}
    damaged = [update for update, state in states.items() if state is None]
    if damaged:
        raise _unfit(run_dir, f"the state of the optimizer {damaged[0]!r} does not fit its parameters")
    for update, optimizer in step.optimizers.items():
        optimizer.load_state_dict({"state": states[update], "param_groups": optimizer.state_dict()["param_groups"]})
    try:
        _restore_random(step.noise, tensors)
    except (RuntimeError, TypeError) as error:
        raise _unfit(run_dir, f"its random state is damaged ({error})") from None


def _unfit(run_dir: Path, why: str) -> run_folder.DamagedFile:
    path = run_dir / run_folder.CHECKPOINT
    return run_folder.DamagedFile(f"checkpoint {path}: {why}; restore it from a copy, or remove it and train again")


def _optimizer_state(update: str, optimizer: Optimizer, tensors: dict[str, Tensor]) -> dict | None:
    """{parameter's number: {name: tensor}} of one optimiser; None where it is not of this optimiser's parameters."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        first, _, rest = name.partition("/")
        place = rest.removeprefix(f"{update}/").split("/")
        if first != "optimizer" or not rest.startswith(f"{update}/"):
            continue
        if len(place) != 2 or not place[0].isdecimal() or int(place[0]) >= len(parameters):
            return None
        # fused optimisers trust these shapes
        parameter = parameters[int(place[0])]
        if not tensor.is_floating_point() or tensor.shape not in (parameter.shape, torch.Size()):
            return None
        fits = tensor.shape == parameter.shape
        state.setdefault(int(place[0]), {})[place[1]] = laid_out_like(parameter, tensor) if fits else tensor
    return state if len({frozenset(entries) for entries in state.values()}) <= 1 else None


def _restore_random(noise: Noise, tensors: dict[str, Tensor]) -> None:
    noise.state.copy_(tensors["noise"])
    torch.set_rng_state(tensors["random/torch"])
    if "random/cuda" in tensors and noise.device.type == "cuda":
        torch.cuda.set_rng_state(tensors["random/cuda"], noise.device)


def history_of(run_dir: Path, tensor: Tensor | None, epoch: int) -> list[dict]:
    """The history that a checkpoint after `epoch` epochs holds; an earlier version's, without one, has it in a file."""
    if tensor is None:
        return read_metrics(run_dir, epoch)
    path = run_dir / run_folder.CHECKPOINT
    try:
        history = _unpacked(tensor)
    except (ValueError, RecursionError) as error:
        raise _unfit(run_dir, f"its history is damaged ({error})") from None
    for place, line in enumerate(history, start=1):
        run_config.require_metrics(line, path, place)
    return history


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
    for text in _lines(path) if path.exists() else ():
        try:
            line = json.loads(text)
            if line["epoch"] != len(history) + 1:
                break
        except (ValueError, TypeError, KeyError, RecursionError):
            break
        run_config.require_metrics(line, path, len(history) + 1)
        history.append(line)
    return history[:epochs]


def _lines(path: Path) -> list[str]:
    with open_regular(path) as file:
        return file.read().decode(errors="replace").splitlines()


def write_metrics(run_dir: Path, history: History) -> None:
    """Write all epochs' metrics, a JSON line each, atomically."""
    run_folder.write_text(run_dir / run_folder.METRICS, _as_lines(history))


def _as_lines(history: History) -> str:
    return "".join(json.dumps(line) + "\n" for line in history)


def _packed(history: History) -> Tensor:
    return torch.frombuffer(bytearray(_as_lines(history).encode()), dtype=torch.uint8)


def _unpacked(tensor: Tensor) -> list[dict]:
    return [json.loads(line) for line in tensor.numpy().tobytes().decode().splitlines()]
