"""Which run a folder's files belong to, and how far its checkpoint has come."""

import uuid
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from fastdaae.run_folder.atomic import read_json
from fastdaae.run_folder.errors import DamagedFile
from fastdaae.run_folder.names import CHECKPOINT, CONFIG
from fastdaae.run_folder.tensors import load_tensors, read_facts
from fastdaae.schema import record, shortened, whole

_PROGRESS = record({"epoch": whole(0), "step": whole(0)})


class RunState(NamedTuple):
    """How far a run's checkpoint has come: the run's id (None in runs of earlier versions), epochs and steps done."""

    run_id: str | None
    epoch: int
    step: int


def new_run_id() -> str:
    """An id that no other run has: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def checkpoint_state(run_dir: str | Path) -> RunState:
    """The state of a run's checkpoint, read without its tensors.

    Raises FileNotFoundError where there is none, DamagedFile where it cannot be read.
    """
    path = Path(run_dir) / CHECKPOINT
    return _state(path, read_facts(path))


def load_run(run_dir: str | Path, purpose: str) -> tuple[dict, dict[str, Tensor], RunState]:
    """(configuration, tensors of the checkpoint, its state) of one run.

    Raises FileNotFoundError and DamagedFile for `purpose`, and ValueError for a checkpoint that is another run's.
    """
    run_dir = Path(run_dir)
    config = read_json(run_dir / CONFIG, purpose)
    path = run_dir / CHECKPOINT
    tensors, facts = load_tensors(path)
    state = _state(path, facts)
    expected = config.get("run_id")
    if state.run_id != expected:
        raise ValueError(
            f"checkpoint {path} belongs to {_named(state.run_id)}, and {CONFIG} beside it to {_named(expected)}; "
            "put this run's own checkpoint back, or use the folder that it came from"
        )
    return config, tensors, state


def _state(path: Path, facts: dict) -> RunState:
    try:
        _PROGRESS(facts, "facts")
    except ValueError as error:
        raise DamagedFile(
            f"checkpoint {path} does not say how far its run is ({error}); restore it from a copy"
        ) from None
    return RunState(facts.get("run_id"), facts["epoch"], facts["step"])


def _named(run_id: str | None) -> str:
    # an edited file may have anything for it
    return "a run without an id" if run_id is None else f"the run {run_id if _is_id(run_id) else shortened(run_id)}"


def _is_id(run_id) -> bool:
    return isinstance(run_id, str) and run_id.isalnum() and len(run_id) == 32
