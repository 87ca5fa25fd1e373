"""`pretrain`: a stack trained greedily, each block on the codes of the block below, and the run that it makes."""

from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import torch
from torch import Tensor, nn

from fastdaae.output import print_line
from fastdaae.training.batches import Examples
from fastdaae.training.checkpoint import read_history
from fastdaae.training.run import Epoch, Run
from fastdaae.training.trainer import Trainer

_CHUNK = 4096  # images that are encoded together


def pretrain(
    stack: nn.Module,
    dataset: Any,
    *,
    run_dir: str | Path | None = None,
    progress: bool = True,
    notes: dict | None = None,
    **trainer: Any,
) -> list[list[Epoch]]:
    """Train the blocks of a stack one after the other, each to reconstruct the clean codes of the block below.

    Block k minimises its own loss of z_{k-1} and g_k(f_k(z~_{k-1})), with z_0 = x, z_k = f_k(z_{k-1}) and its own
    corruption; blocks below do not move. `stack` is a StackedAutoencoder, or has `blocks` like one; `dataset` and
    `notes` are as `Trainer.fit` takes them; `trainer` are the arguments of `Trainer`, the same for every block:
    `epochs` are those of each, and so is `seed`. With `run_dir` each block has a run there, block-1, block-2, ...,
    which is resumed bit for bit, and in the end run_dir itself is the run of the whole stack: `fastdaae.load`, `report`
    and the command line take it. Returns the history of each block. Raises TypeError for a model without blocks, and
    what `Trainer` and its `fit` raise. Source: Vincent et al. 2010, section 3.5; Jow's report, section 2.
    """
    if not hasattr(stack, "blocks"):
        raise TypeError(
            f"stack must be a fastdaae.models.StackedAutoencoder, got {type(stack).__name__}; train it with Trainer, "
            "or make a stack of it, StackedAutoencoder([model, ...])"
        )
    whole = _Layerwise(stack, run_dir=run_dir, **trainer)
    whole.fit(dataset, progress=progress, notes=notes)
    return whole.histories


class _Codes(NamedTuple):
    """What a block is trained on: images or the codes of the block below, and those of the validation images."""

    train: Tensor
    validation: Tensor | None


class _Layerwise(Trainer):
    """The Trainer of a stack whose epochs are those of its blocks, each of which has a Trainer with the same arguments.

    `histories` are the blocks'.
    """

    def __init__(self, stack: nn.Module, run_dir: str | Path | None, **trainer: Any):
        super().__init__(stack, run_dir=run_dir, **trainer)
        self._of_a_block = trainer
        self.histories: list[list[Epoch]] = []

    def settings(self) -> dict:
        """As of every trainer, and that the blocks were trained one by one: `Trainer.fit` does not resume that."""
        return {**super().settings(), "layerwise": True}

    def free_settings(self) -> set[str]:
        """None: more epochs of a block would be other codes for the blocks above it."""
        return set()

    def train_run(self, run: Run, train: Examples, validation: Examples | None, progress: bool) -> None:
        """Train the blocks from the images up, and save the whole stack as a run when the last one is done."""
        blocks = list(self._methods.blocks)
        places = [None if self.run_dir is None else self.run_dir / f"block-{k}" for k in range(1, len(blocks) + 1)]
        if run.epoch:
            self.histories = [cast(list[Epoch], read_history(place)) for place in places if place is not None]
            return
        seen = _Codes(train.images, None if validation is None else validation.images)
        for k, (block, place) in enumerate(zip(blocks, places, strict=True), start=1):
            if progress:
                print_line(f"block {k} of {len(blocks)}")
            self.histories.append(Trainer(block, run_dir=place, **self._of_a_block).fit(seen, progress=progress))
            if k < len(blocks):
                held_out = None if seen.validation is None else self._encoded(block, seen.validation)
                seen = _Codes(self._encoded(block, seen.train), held_out)
        for line in _joined(self.histories):
            run.record(line)
        run.save()

    @torch.no_grad()
    def _encoded(self, block: Any, x: Tensor) -> Tensor:
        """A trained block's codes of what it was trained on, on the device."""
        block.eval()
        return torch.cat([block.encode(part.to(self.device)) for part in x.split(_CHUNK)])


def _joined(histories: list[list[Epoch]]) -> list[Epoch]:
    """The blocks' epochs one after the other as those of one run, with the losses that all of them have."""
    losses, validation = _common(histories, "losses"), _common(histories, "validation")
    lines: list[Epoch] = []
    done = 0
    for block, history in enumerate(histories, start=1):
        for line in history:
            told: Epoch = {
                "block": block,
                "epoch": len(lines) + 1,
                "step": done + line["step"],
                "seconds": line["seconds"],
                "samples_per_second": line["samples_per_second"],
                "losses": {name: line["losses"][name] for name in losses},
            }
            if validation:
                told["validation"] = {name: line["validation"][name] for name in validation}
            lines.append(told)
        done += history[-1]["step"]
    return lines


def _common(histories: list[list[Epoch]], kind: Literal["losses", "validation"]) -> list[str]:
    lines = [line.get(kind, {}) for history in histories for line in history]
    return [name for name in lines[0] if all(name in line for line in lines)]
