"""A training's record: its history and, with a folder, its identity, its settings and its checkpoints."""

from pathlib import Path
from typing import NotRequired, TypedDict, cast

from fastdaae import run_config, run_folder
from fastdaae.settings import first_difference
from fastdaae.training import checkpoint
from fastdaae.training.step import TrainingStep

_TOLD_BY_THE_DATA = {"image_shape"}  # which runs of earlier versions do not have


class Epoch(TypedDict):
    """What a training tells of an epoch: losses are means over its steps in nats, `seconds` those of the epoch.

    `validation` is there where the data have a validation split, `run_id` where there is a run_dir, and `block`, which
    counts from 1, in the history of a stack that was trained block by block.
    """

    epoch: int
    step: int
    seconds: float
    samples_per_second: float
    losses: dict[str, float]
    validation: NotRequired[dict[str, float]]
    run_id: NotRequired[str]
    block: NotRequired[int]


class Run:
    """What a training has done: `history` (a dictionary an epoch) and `epoch`, kept in `run_dir` if there is one.

    Made by starting a new run there, or by putting the state of the run that is there into `step`. `free` names the
    trainer's settings that may differ from the run's. Raises ValueError for the folder of another run.
    """

    def __init__(self, run_dir: Path | None, config: dict, step: TrainingStep, free: set[str]):
        self.run_dir, self.step = run_dir, step
        self.run_id: str | None = None
        self.epoch = 0
        self.history: list[Epoch] = []
        if run_dir is None:
            return
        if (run_dir / run_folder.CHECKPOINT).exists():
            self._resume(run_dir, config, free)
        else:
            self._start(run_dir, config)

    def _start(self, run_dir: Path, config: dict) -> None:
        path = run_dir / run_folder.CONFIG
        if path.exists() and "trainer" not in run_folder.read_json(path, "training"):
            raise ValueError(f"{path} is there, and it is not a run's; use another run_dir")
        self.run_id = run_folder.new_run_id()
        (run_dir / run_folder.METRICS).unlink(missing_ok=True)
        run_folder.write_json(path, {"run_id": self.run_id, **config})

    def _resume(self, run_dir: Path, config: dict, free: set[str]) -> None:
        old, tensors, state = run_folder.load_run(run_dir, "resuming a run")
        run_config.require_config(old, run_dir)
        self._require_same_settings(old, config, free)
        checkpoint.restore(self.step, tensors, run_dir)
        self.run_id, self.epoch = state.run_id, state.epoch
        # epochs of an earlier training, which wrote them so
        self.history = cast(list[Epoch], checkpoint.history_of(run_dir, tensors.get("history"), state.epoch))
        notes = config["notes"] or old.get("notes") or {}
        run_folder.write_json(run_dir / run_folder.CONFIG, {"run_id": self.run_id, **config, "notes": notes})
        checkpoint.write_metrics(run_dir, self.history)

    def _require_same_settings(self, old: dict, new: dict, free: set[str]) -> None:
        for section in ("data", "model", "trainer"):
            before, now = (_without(config.get(section), free | _TOLD_BY_THE_DATA) for config in (old, new))
            found = first_difference(before, now)
            if found is not None:
                key, was, given = found
                raise ValueError(
                    f"run_dir {self.run_dir} holds a run with {key or section}={was!r}, and this one has {given!r}; "
                    "use the same settings to resume it, or another run_dir"
                )

    def record(self, line: Epoch) -> None:
        """Add an epoch to the history; `save` keeps it."""
        self.epoch = line["epoch"]
        self.history.append(line if self.run_id is None else {"run_id": self.run_id, **line})

    def save(self) -> None:
        """Write the state after the last recorded epoch; raises NotWritten where the disk is full."""
        if self.run_dir is not None:
            checkpoint.save_checkpoint(self.run_dir, self.step, self.history, run_id=self.run_id, epoch=self.epoch)


def _without(section, keys: set[str]):
    return {key: value for key, value in section.items() if key not in keys} if isinstance(section, dict) else section
