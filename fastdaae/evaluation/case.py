"""`Case`: what an evaluation is of, a model with its samples and the data beside them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fastdaae.evaluation.attempt import IMPOSSIBLE, require_finite
from fastdaae.evaluation.measure import REAL
from fastdaae.noise import Noise
from fastdaae.reference import as_float

_BATCH = 1000


@dataclass(frozen=True)
class Case:
    """A model and a Dataset; `sets` are samples of the model and real images [count, D] by name, or why there are none.

    `k` is the number of neighbours, `svm_images` the most training images of a classifier, `seed` that of all noise.
    """

    model: torch.nn.Module
    dataset: object
    sets: dict[str, Tensor | Exception]
    count: int
    k: int
    svm_images: int
    seed: int

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def noise(self) -> Noise:
        """The noise of this evaluation, where the model is."""
        return Noise(self.seed, device=self.device)

    def points(self, of: str) -> Tensor:
        """One of the sets [count, D]; raises why there is none."""
        points = self.sets[of]
        if isinstance(points, Exception):
            raise points
        return points

    @torch.no_grad()
    def encoded(self, images: Tensor) -> Tensor:
        """The model's codes of images [N, ...], float32 [N, Z] on the CPU."""
        return torch.cat([self.model.encode(x.to(self.device)).float().cpu() for x in images.split(_BATCH)])

    def codes(self, images: Tensor) -> Tensor:
        """The same; raises ValueError where they are not all numbers."""
        codes = self.encoded(images)
        require_finite("codes", codes)
        return codes


def case_of(model, dataset, *, samples: int, steps: int, k: int, svm_images: int, seed: int) -> Case:
    """A model with its samples x(0) and x(steps), and as many real training images."""
    count = min(samples, len(dataset.train.images))
    sets = _sampled(model, count, steps, seed) | {REAL: rows_of(dataset.train.images[:count])}
    return Case(model, dataset, sets, count, k, svm_images, seed)


def rows_of(images: Tensor) -> Tensor:
    """Images [N, ...] as rows of pixels [N, D] in [0, 1]."""
    return as_float(images).flatten(1)


def _sampled(model, count: int, steps: int, seed: int) -> dict[str, Tensor | Exception]:
    kept = (0, steps) if steps else (0,)
    names = [f"x({t})" for t in kept]
    try:
        drawn = model.sample(count, steps=steps, keep=kept, seed=seed)
    except IMPOSSIBLE as error:
        return dict.fromkeys(names, error)
    return {name: _finite_or_why(x.flatten(1).cpu()) for name, x in zip(names, drawn, strict=True)}


def _finite_or_why(samples: Tensor) -> Tensor | Exception:
    try:
        require_finite("samples", samples)
    except ValueError as error:
        return error
    return samples
