"""`Case`: what an evaluation is of, a model with its samples and the data beside them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fastdaae.evaluation.attempt import IMPOSSIBLE, require_finite
from fastdaae.evaluation.measure import REAL
from fastdaae.noise import Noise
from fastdaae.reference import as_float

_BATCH = 1000
_SEEDS = 1 << 64


@dataclass(frozen=True)
class Case:
    """A model and a Dataset, and by name the sets that are measured: sample draws and real images, where the model is.

    Each of the `sets` is a list of draws [count, D], one for each seed, of which any may be the reason why there is
    none; the real images are one. `k` is the number of neighbours, `svm_images` the most training images of a
    classifier, `seed` that of all noise, `bandwidths` the grid of the Parzen windows (None: theirs), `sampled` how
    samples were drawn where that is worth telling. `report` is told each stage.
    """

    model: Any
    dataset: Any
    sets: dict[str, list[Tensor | Exception]]
    count: int
    k: int
    svm_images: int
    seed: int
    bandwidths: Sequence[float] | None
    sampled: dict[str, str]
    report: Callable[[str], None]

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def noise(self) -> Noise:
        """The noise of this evaluation, where the model is."""
        return Noise(self.seed, device=self.device)

    def draws(self, of: str, stage: str) -> Iterator[Tensor]:
        """The draws [count, D] of one of the sets, each told as a stage; raises why there is none."""
        draws = self.sets[of]
        for number, points in enumerate(draws, start=1):
            self.report(f"{stage}, {of}" + _which(number, len(draws)))
            if isinstance(points, Exception):
                raise points
            yield points

    def how(self, of: str) -> dict[str, str]:
        """How one of the sets was drawn, where that is worth telling."""
        return {} if of == REAL else self.sampled

    @torch.no_grad()
    def encoded(self, images: Tensor) -> Tensor:
        """The model's codes of images [N, ...], float32 [N, Z] where the model is."""
        return torch.cat([self.model.encode(x.to(self.device)).float() for x in images.split(_BATCH)])

    def codes(self, images: Tensor) -> Tensor:
        """The same; raises ValueError where they are not all numbers."""
        codes = self.encoded(images)
        require_finite("codes", codes)
        return codes


def case_of(
    model,
    dataset,
    *,
    samples: int,
    steps: int,
    seed: int,
    seeds: int,
    precision: str,
    report: Callable[[str], None],
    **choices,
) -> Case:
    """A model with `seeds` draws of its samples x(0) and x(steps), and as many real training images."""
    count = min(samples, len(dataset.train.images))
    drawn = []
    for number in range(seeds):
        report("sampling" + _which(number + 1, seeds))
        drawn.append(_sampled(model, count, steps, (seed + number) % _SEEDS, precision))
    sets = {name: [draw[name] for draw in drawn] for name in drawn[0]}
    sets[REAL] = [rows_of(dataset.train.images[:count]).to(next(model.parameters()).device)]
    sampled = {} if precision == "fp32" else {"precision": f"sampled in {precision}"}
    return Case(model, dataset, sets, count, seed=seed, sampled=sampled, report=report, **choices)


def rows_of(images: Tensor) -> Tensor:
    """Images [N, ...] as rows of pixels [N, D] in [0, 1]."""
    return as_float(images).flatten(1)


def _which(number: int, seeds: int) -> str:
    """Which of several seeds a stage is of."""
    return f", seed {number} of {seeds}" if seeds > 1 else ""


def _sampled(model, count: int, steps: int, seed: int, precision: str) -> dict[str, Tensor | Exception]:
    kept = (0, steps) if steps else (0,)
    names = [f"x({t})" for t in kept]
    try:
        drawn = model.sample(count, steps=steps, keep=kept, seed=seed, precision=precision)
    except IMPOSSIBLE as error:
        return dict.fromkeys(names, error)
    return {name: _finite_or_why(x.flatten(1)) for name, x in zip(names, drawn, strict=True)}


def _finite_or_why(samples: Tensor) -> Tensor | Exception:
    try:
        require_finite("samples", samples)
    except ValueError as error:
        return error
    return samples
