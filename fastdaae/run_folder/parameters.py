"""A model's parameters and buffers to and from the tensors of a checkpoint, with what they share."""

from pathlib import Path

from torch import Tensor, nn

from fastdaae.arrays import laid_out_like
from fastdaae.run_folder.tensors import shared_names

_PREFIX = "model/"


def model_tensors(model: nn.Module) -> dict[str, Tensor]:
    """The model's parameters and buffers under their names in a checkpoint."""
    return {_PREFIX + name: tensor for name, tensor in model.state_dict().items()}


def put_parameters(
    model: nn.Module, tensors: dict[str, Tensor], run_dir: Path, *, share: bool = False, assign: bool = False
) -> None:
    """Put a checkpoint's parameters into a model that has them all, and shares the same ones.

    With `share`, parameters that the checkpoint shares and the model does not become one; with `assign` the model takes
    the tensors themselves, dtype and device included, in its own memory layout. Raises ValueError, before anything is
    changed, where names, shapes or sharing differ.
    """
    state = {name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items() if name.startswith(_PREFIX)}
    own = model.state_dict()
    saved, given = shared_names(state), shared_names(own)
    _require_fit(own, state, run_dir)
    apart, together = _pairs(saved) - _pairs(given), _pairs(given) - _pairs(saved)
    if together:
        _refuse(run_dir, f"it shares {' with '.join(min(together))}, which the run holds apart")
    if apart and not share:
        _refuse(run_dir, f"it holds {' and '.join(min(apart))} apart, which the run shares")
    # as a copy into the model's own would lie
    state = {name: laid_out_like(own[name], tensor) for name, tensor in state.items()} if assign else state
    model.load_state_dict(state, assign=assign)
    for name, owner in _pairs(saved) if assign else apart:
        _share(model, name, owner)


def _pairs(owners: dict[str, str]) -> set[tuple[str, str]]:
    return set(owners.items())


def _require_fit(own: dict[str, Tensor], state: dict[str, Tensor], run_dir: Path) -> None:
    for name in [*own, *state]:
        shapes = [list(tensors[name].shape) if name in tensors else "nothing" for tensors in (own, state)]
        if shapes[0] != shapes[1]:
            _refuse(run_dir, f"{name} is {shapes[0]} in the model and {shapes[1]} in the checkpoint")


def _refuse(run_dir: Path, why: str) -> None:
    raise ValueError(f"model does not fit the checkpoint in {run_dir}: {why}; pass the model of that run")


def _share(model: nn.Module, name: str, owner: str) -> None:
    (module, leaf), (other, other_leaf) = (_place(model, full) for full in (name, owner))
    setattr(module, leaf, getattr(other, other_leaf))


def _place(model: nn.Module, name: str) -> tuple[nn.Module, str]:
    path, _, leaf = name.rpartition(".")
    return model.get_submodule(path), leaf
