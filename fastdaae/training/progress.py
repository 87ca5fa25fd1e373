"""What a training run tells while it trains: a bar on a terminal or in a notebook, elsewhere a line an epoch."""

import time
from contextlib import AbstractContextManager

from fastdaae.output import duration, print_line, redraws

LONGEST_SILENCE = 60.0  # seconds between two lines
_LONGEST_STILL = 1.0  # seconds between two moves of a bar


def training_progress(epochs: int, steps_per_epoch: int, first_epoch: int, enabled: bool) -> "TrainingProgress":
    """What tells of a run of `epochs`, of which `first_epoch` are done; silent unless enabled."""
    if not enabled:
        return TrainingProgress()
    # here, so that a training step alone needs torch and numpy only
    from rich import get_console

    return (_Bar if redraws(get_console()) else _Lines)(epochs, steps_per_epoch, first_epoch)


class TrainingProgress(AbstractContextManager):
    """Tells nothing."""

    def __exit__(self, *error):
        return None

    def is_due(self) -> bool:
        """Whether nothing was told for so long that the losses should be looked at for this alone."""
        return False

    def show(self, epoch: int, step: int, losses: dict[str, float], samples_per_second: float) -> None:
        """Tell of a step (counted within the epoch) with the losses of late."""

    def finish_epoch(self, record: dict) -> None:
        """Tell of an epoch, a dictionary as `Trainer.fit` returns them."""


class _Lines(TrainingProgress):
    """A line an epoch, and one a minute within longer epochs."""

    def __init__(self, epochs: int, steps_per_epoch: int, first_epoch: int):
        self._epochs, self._steps, self._first = epochs, steps_per_epoch, first_epoch
        self._started = self._told = time.monotonic()

    def __enter__(self):
        if self._first:
            self._tell(_resuming(self._first, self._epochs))
        return self

    def is_due(self) -> bool:
        return time.monotonic() - self._told >= LONGEST_SILENCE

    def show(self, epoch: int, step: int, losses: dict[str, float], samples_per_second: float) -> None:
        if step < self._steps and self.is_due():
            share = step / self._steps
            place = f"epoch {epoch + 1}/{self._epochs}, {100 * share:.0f} %"
            self._tell(place, *_listed(losses), _speed(samples_per_second), self._time(epoch + share))

    def finish_epoch(self, record: dict) -> None:
        validation = [_validation(record["validation"])] if "validation" in record else []
        told = [*_listed(record["losses"]), *validation, _speed(record["samples_per_second"])]
        self._tell(f"epoch {record['epoch']}/{self._epochs}", *told, self._time(record["epoch"]))

    def _tell(self, *parts: str) -> None:
        print_line("  ".join(parts))
        self._told = time.monotonic()

    def _time(self, epochs_done: float) -> str:
        """The time left, by what the epochs of this call took, with their validation and files."""
        passed = time.monotonic() - self._started
        if epochs_done >= self._epochs:
            return f"done in {duration(passed)}"
        return f"{duration(passed * (self._epochs - epochs_done) / (epochs_done - self._first))} left"


class _Bar(TrainingProgress):
    """A bar over all steps of a run, with losses and samples a second."""

    def __init__(self, epochs: int, steps_per_epoch: int, first_epoch: int):
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        self._epochs, self._steps, self._first = epochs, steps_per_epoch, first_epoch
        self._losses = self._validation = ""
        self._moved = time.monotonic()
        self._bar = Progress(
            TextColumn("[bold]epoch {task.fields[epoch]}", table_column=Column(no_wrap=True, min_width=13)),
            BarColumn(bar_width=10, table_column=Column(min_width=10)),
            # takes what the others leave, and is cut there
            TextColumn("{task.fields[losses]}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
            TextColumn("[cyan]{task.fields[speed]}", table_column=Column(no_wrap=True, min_width=16)),
            TimeRemainingColumn(table_column=Column(no_wrap=True, min_width=7)),
            expand=True,
        )
        total, done = epochs * steps_per_epoch, first_epoch * steps_per_epoch
        self._task = self._bar.add_task("", total=total, completed=done, epoch=f"-/{epochs}", losses="", speed="")

    def __enter__(self):
        self._bar.start()
        if self._first:
            self._bar.console.print(_resuming(self._first, self._epochs), highlight=False)
        return self

    def __exit__(self, *error):
        self._bar.stop()

    def is_due(self) -> bool:
        return time.monotonic() - self._moved >= _LONGEST_STILL

    def show(self, epoch: int, step: int, losses: dict[str, float], samples_per_second: float) -> None:
        self._moved = time.monotonic()
        self._losses = "  ".join(_listed(losses))
        self._bar.update(
            self._task,
            completed=epoch * self._steps + step,
            epoch=f"{epoch + 1}/{self._epochs}",
            losses=self._numbers(),
            speed=_speed(samples_per_second),
        )

    def finish_epoch(self, record: dict) -> None:
        if "validation" in record:
            self._validation = _validation(record["validation"])
            self._bar.update(self._task, losses=self._numbers())

    def _numbers(self) -> str:
        # a narrow terminal cuts the end off: what a run is judged by comes first
        return "  ".join(filter(None, (self._validation, self._losses)))


def _resuming(epoch: int, epochs: int) -> str:
    return f"resuming after epoch {epoch}" + ("" if epoch < epochs else f": nothing is left of {epochs} epochs")


def _listed(losses: dict[str, float]) -> list[str]:
    return [f"{name} {value:.4f}" for name, value in losses.items()]


def _validation(losses: dict[str, float]) -> str:
    """The first loss as "the" validation, and the others behind it: "validation 0.2290 (mse 0.0310)"."""
    first, *others = losses
    told = f"validation {losses[first]:.4f}"
    return f"{told} ({', '.join(_listed({name: losses[name] for name in others}))})" if others else told


def _speed(samples_per_second: float) -> str:
    return f"{samples_per_second:,.0f} samples/s"
