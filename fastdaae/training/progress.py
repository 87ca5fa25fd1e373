"""The progress of a training run as a bar with losses and samples a second."""

from contextlib import AbstractContextManager


class TrainingProgress(AbstractContextManager):
    """A bar over all steps of a run; silent when not enabled."""

    def __init__(self, epochs: int, steps_per_epoch: int, first_epoch: int, enabled: bool):
        # here, so that a training step alone needs torch and numpy only
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        self._epochs, self._steps = epochs, steps_per_epoch
        self._bar = Progress(
            TextColumn("[bold]epoch {task.fields[epoch]}", table_column=Column(no_wrap=True, min_width=13)),
            BarColumn(bar_width=10, table_column=Column(min_width=10)),
            TextColumn("{task.fields[losses]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            TextColumn("[cyan]{task.fields[speed]}", table_column=Column(no_wrap=True, min_width=16)),
            TimeRemainingColumn(table_column=Column(no_wrap=True, min_width=7)),
            disable=not enabled,
        )
        total, done = epochs * steps_per_epoch, first_epoch * steps_per_epoch
        self._task = self._bar.add_task("", total=total, completed=done, epoch=f"-/{epochs}", losses="", speed="")

    def __enter__(self):
        self._bar.start()
        return self

    def __exit__(self, *error):
        self._bar.stop()

    def show(self, epoch: int, step: int, losses: dict[str, float], samples_per_second: float) -> None:
        """Move the bar to a step (counted within the epoch) with the losses of late."""
        self._bar.update(
            self._task,
            completed=epoch * self._steps + step,
            epoch=f"{epoch + 1}/{self._epochs}",
            losses="  ".join(f"{name} {value:.3f}" for name, value in losses.items()),
            speed=f"{samples_per_second:,.0f} samples/s",
        )
