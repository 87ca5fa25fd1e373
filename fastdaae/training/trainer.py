"""`Trainer`: a training loop that validates, shows its progress, writes its run and resumes it exactly."""

import math
import platform
import time
from collections.abc import Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import fastdaae
from fastdaae import run_folder
from fastdaae.arguments import whole_in
from fastdaae.device import choose_device
from fastdaae.noise import Noise
from fastdaae.settings import canonical
from fastdaae.training import batches
from fastdaae.training.batches import Examples
from fastdaae.training.optimizers import by_name, make_optimizers, schedule_by_name
from fastdaae.training.progress import TrainingProgress, training_progress
from fastdaae.training.run import Epoch, Run
from fastdaae.training.step import TrainingStep, compile_step, groups_of, require_labels, takes_labels
from fastdaae.training.trial import require_fit

PRECISIONS = ("fp32", "bf16")
_WATCH_EVERY = 50  # steps between two looks at the losses: each look waits for the device
_VALIDATION_BATCH = 1000


class TrainingDiverged(RuntimeError):
    """A loss or a parameter is no longer finite; the message names the step and the last good checkpoint."""


class Trainer:
    """Trains a model with its own `step`, one optimiser for each of its updates.

    optimizer: "adam", "adamw", "rmsprop", "sgd", torch.optim's class of one, {"name": ..., options} or {update name:
    one of these}; lr: a number or {update name: number}; schedule: "constant", "linear" or "cosine" over the whole run;
    precision: "fp32" or "bf16" (autocast); device: "auto" takes a GPU where there is one. `seed` sets the noise, the
    order of the data and dropout; parameters are initialised by the caller. With `run_dir` the run is written there
    (config.json, and each `checkpoint_every` epochs checkpoint.safetensors and metrics.jsonl, all with the run's id),
    locked against a second training, and resumed from there, bit for bit on the CPU. The last incomplete batch of an
    epoch is left out; a set smaller than a batch is one batch. Numbers may be NumPy's. Raises ValueError for arguments
    outside their range, TypeError for a model that is none.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Any = "adam",
        lr: float | Mapping[str, float] = 2e-4,
        batch_size: int = 64,
        epochs: int = 100,
        seed: int = 0,
        device: str = "auto",
        precision: str = "fp32",
        run_dir: str | Path | None = None,
        schedule: str = "constant",
        checkpoint_every: int = 1,
    ):
        groups = groups_of(model)
        if precision not in PRECISIONS:
            raise ValueError(f"precision must be one of {', '.join(map(repr, PRECISIONS))}, got {precision!r}")
        optimizer = canonical("optimizer", by_name(optimizer))
        make_optimizers(groups, optimizer, lr)  # wrong names fail here, before any work
        self._factor = schedule_by_name(schedule)
        self.model, self.optimizer, self.lr, self.schedule = model, optimizer, canonical("lr", lr), schedule
        self._methods: Any = model  # which nn.Module does not name
        self.batch_size, self.epochs = whole_in("batch_size", batch_size, 1), whole_in("epochs", epochs, 1)
        self.seed, self.precision = whole_in("seed", seed, 0, (1 << 64) - 1), precision
        self.device = choose_device(device)
        self.run_dir = None if run_dir is None else Path(run_dir)
        self.checkpoint_every = whole_in("checkpoint_every", checkpoint_every, 1)

    def fit(self, dataset: Any, *, progress: bool = True, notes: dict | None = None) -> list[Epoch]:
        """Train on a Dataset, a split, a tensor or an array of images [N, ...] (uint8, or [0, 1] pixels for BCE).

        Images are [N, C, H, W], [N, H, W] or flat [N, D]; a `torch.utils.data.TensorDataset` is its first tensor. A
        model whose `step` has the keyword `labels`, as a Classifier's, is trained on labels, int64 [N], too. Returns
        one dictionary an epoch: epoch, step, seconds, samples_per_second, losses (means in nats), validation.
        `progress` is a bar on a terminal or in a notebook, elsewhere a line an epoch on stdout (within long epochs one
        a minute). `notes` go into config.json. Raises TypeError for what holds no images, ValueError for data that do
        not fit, for labels that are missing or of no class of the model's, and for a run_dir that holds another run,
        RunFolderBusy for one that another process is training, TrainingDiverged where a loss is no longer finite, and
        NotWritten (an OSError; the last checkpoint stays) for a full disk. Warns where a corruption of [0, 1] pixels
        meets grey levels 0..255.
        """
        train, validation = self._examples(dataset)
        config = self._config(train, notes)
        self.model.to(self.device)
        optimizers = make_optimizers(groups_of(self.model), self.optimizer, self.lr)
        step = compile_step(self.model, optimizers, noise=Noise(self.seed, device=self.device))
        step.inputs_checked = True
        locked = nullcontext() if self.run_dir is None else run_folder.training_lock(self.run_dir)
        with locked, torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(self.seed)
            run = Run(self.run_dir, config, step, free=self.free_settings())
            self.train_run(run, train, validation, progress)
        return run.history

    def _examples(self, dataset: Any) -> tuple[Examples, Examples | None]:
        """(training, validation or None) of a data set, of which the model has taken the shape; refuses what is not."""
        train, validation = batches.training_examples(dataset, takes_labels(self.model))
        loss = getattr(self.model, "loss", None)
        seen = batches.require_pixels(train.images, loss)
        if validation is not None:
            batches.require_pixels(validation.images, loss, "validation")
        batches.warn_of_other_units(*seen, getattr(self.model, "corruption", None))
        require_fit(self.model, train.images)
        for name, part in (("labels", train), ("validation labels", validation)):
            if part is not None and part.labels is not None:
                x = part.images[:1].to(next(self.model.parameters()).device)
                require_labels(self.model, x, part.labels, name)
        if hasattr(self.model, "take_images"):
            self._methods.take_images(train.images)
        return train, validation

    def settings(self) -> dict:
        """What a run keeps of the trainer, and asks of whoever resumes it, ready for JSON."""
        kept = ("optimizer", "lr", "batch_size", "seed", "precision", "schedule", "epochs")
        return {name: getattr(self, name) for name in kept}

    def free_settings(self) -> set[str]:
        """The settings that may differ where a run is resumed."""
        # the length of a schedule is a setting like any other; that of a constant rate is not
        return {"epochs"} if self.schedule == "constant" else set()

    def _config(self, train: Examples, notes: dict | None) -> dict:
        return {
            "model": canonical("model", getattr(self.model, "config", {"model": type(self.model).__name__})),
            "trainer": canonical("trainer", self.settings()),
            "data": batches.fingerprint(*train),
            "notes": canonical("notes", notes or {}),
            "made_with": {
                "fastdaae": fastdaae.__version__,
                "torch": torch.__version__,
                "python": platform.python_version(),
                "machine": platform.machine(),
            },
        }

    def train_run(self, run: Run, train: Examples, validation: Examples | None, progress: bool) -> None:
        """Train the epochs that `run` has not, and record and save them in it; `fit` has looked at all of the data."""
        resident, count = train.to(self.device), len(train.images)
        held_out = None if validation is None else validation.to(self.device)
        steps = max(1, count // self.batch_size)
        with training_progress(self.epochs, steps, run.epoch, progress) as told:
            for epoch in range(run.epoch, self.epochs):
                started = time.perf_counter()
                losses = self._epoch(run.step, resident, epoch, steps, told)
                seconds = time.perf_counter() - started
                line: Epoch = {
                    "epoch": epoch + 1,
                    "step": (epoch + 1) * steps,
                    "seconds": seconds,
                    "samples_per_second": steps * min(self.batch_size, count) / seconds,
                    "losses": losses,
                }
                if held_out is not None:
                    line["validation"] = self._validate(held_out)
                    self._require_finite_validation(line)
                run.record(line)
                self._require_finite_parameters(line["step"])
                if run.epoch % self.checkpoint_every == 0 or run.epoch == self.epochs:
                    run.save()
                told.finish_epoch(line)

    def _epoch(self, step: TrainingStep, train: Examples, epoch: int, steps: int, told: TrainingProgress) -> dict:
        self.model.train()
        order = batches.epoch_order(len(train.images), self.seed, epoch).to(self.device)
        recorded: list[Tensor] = []
        names: list[str] = []
        started = time.perf_counter()
        for i in range(steps):
            self._set_rates(step, (epoch + i / steps) / self.epochs)
            x, labels = train.rows(order[i * self.batch_size : (i + 1) * self.batch_size])
            with self._autocast():
                losses = step(x, **labels)
            names = list(losses)
            recorded.append(torch.stack(list(losses.values())).float())
            if (i + 1) % _WATCH_EVERY == 0 or i + 1 == steps or told.is_due():
                recent = torch.stack(recorded[-_WATCH_EVERY:]).cpu()
                self._require_finite(recent, names, epoch * steps + i + 2 - len(recent))
                speed = (i + 1) * len(x) / (time.perf_counter() - started)
                told.show(epoch, i + 1, dict(zip(names, recent.mean(0).tolist(), strict=True)), speed)
        return dict(zip(names, torch.stack(recorded).double().mean(0).tolist(), strict=True))

    def _set_rates(self, step: TrainingStep, done: float) -> None:
        if self.schedule == "constant":
            return
        for optimizer in step.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = group.setdefault("initial_lr", group["lr"]) * self._factor(done)

    @contextmanager
    def _autocast(self):
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16"):
            yield

    def _require_finite(self, recent: Tensor, names: list[str], first_step: int) -> None:
        bad = (~torch.isfinite(recent)).nonzero()
        if len(bad):
            row, column = bad[0].tolist()
            self._stop(f"the loss {names[column]!r} is {float(recent[row, column])} at step {first_step + row}")

    def _require_finite_validation(self, line: Epoch) -> None:
        for name, value in line["validation"].items():
            if not math.isfinite(value):
                self._stop(f"the validation loss {name!r} is {value} at step {line['step']}")

    def _stop(self, what: str) -> None:
        kept = "no checkpoint was written yet"
        if self.run_dir is not None and (self.run_dir / run_folder.CHECKPOINT).exists():
            kept = f"the last good checkpoint is {self.run_dir / run_folder.CHECKPOINT}"
        raise TrainingDiverged(f"training stopped: {what}; {kept}; lower lr, or look at the data")

    @torch.no_grad()
    def _validate(self, held_out: Examples) -> dict[str, float]:
        self.model.eval()
        noise, count = Noise(self.seed, device=self.device), len(held_out.images)
        sums: dict[str, float] = {}
        for start in range(0, count, _VALIDATION_BATCH):
            x, labels = held_out.rows(slice(start, start + _VALIDATION_BATCH))
            for name, value in self._methods.validation_losses(x, noise, row_offset=start, **labels).items():
                sums[name] = sums.get(name, 0.0) + float(value) * len(x)
        return {name: total / count for name, total in sums.items()}

    def _require_finite_parameters(self, step: int) -> None:
        for name, parameter in self.model.named_parameters():
            if not bool(torch.isfinite(parameter).all()):
                self._stop(f"the parameter {name!r} is not finite after step {step}")
