"""`Case`: what an evaluation is of, a model with its samples and the data beside them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from torch import Tensor

from fastdaae.arrays import to_tensor
from fastdaae.evaluation.attempt import IMPOSSIBLE, require_finite
from fastdaae.evaluation.codes.representation import principal_components, projected
from fastdaae.evaluation.measure import REAL
from fastdaae.noise import Noise
from fastdaae.reference import as_float

_BATCH = 1000
_SEEDS = 1 << 64


@dataclass(frozen=True)
class Case:
    """A model and a Dataset, and what is wanted of them.

    `samples` is the most points of a set, `kept` the steps of the chain whose samples are measured, `k` the number of
    neighbours, `svm_images` the most training images of a classifier, `seed` that of all noise, `seeds` the number of
    draws of samples, `bandwidths` the grid of the Parzen windows (None: theirs), `precision` that of the chain and
    `initial` what it starts from (None: the model's prior). `report` is told each stage.
    """

    model: Any
    dataset: Any
    samples: int
    kept: tuple[int, ...]
    k: int
    svm_images: int
    seed: int
    seeds: int
    bandwidths: NDArray[np.float64] | None
    precision: str
    initial: Any
    report: Callable[[str], None]
    _codes: dict[tuple[str, int], Tensor] = field(default_factory=dict, repr=False)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    @property
    def count(self) -> int:
        """The number of points of each of the sets."""
        return min(self.samples, len(self.dataset.train.images))

    @cached_property
    def sets(self) -> dict[str, list[Tensor | Exception]]:
        """By name the sets that are measured, where the model is: samples x(t) of the steps kept, and real images.

        Each is a list of draws [count, D], one for each seed, of which any may be the reason why there is none; the
        real images are one. They are drawn when they are first asked for.
        """
        drawn = []
        for number in range(self.seeds):
            self.report("sampling" + _which(number + 1, self.seeds))
            drawn.append(self._sampled((self.seed + number) % _SEEDS))
        sets = {name: [draw[name] for draw in drawn] for name in drawn[0]}
        return {**sets, REAL: [rows_of(self.dataset.train.images[: self.count]).to(self.device)]}

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

    def _sampled(self, seed: int) -> dict[str, Tensor | Exception]:
        names = [f"x({t})" for t in self.kept]
        if not hasattr(self.model, "sample"):
            return dict.fromkeys(names, ValueError(f"this {type(self.model).__name__} draws no samples"))
        how = {"steps": self.kept[-1], "keep": self.kept, "initial": self.initial, "precision": self.precision}
        try:
            drawn = self.model.sample(self.count, seed=seed, **how)
        except IMPOSSIBLE as error:
            return dict.fromkeys(names, error)
        return {name: _finite_or_why(x.flatten(1)) for name, x in zip(names, drawn, strict=True)}

    def how(self, of: str) -> dict[str, str]:
        """How one of the sets was drawn, where that is worth telling."""
        if of == REAL:
            return {}
        drawn = {} if self.precision == "fp32" else {"precision": f"sampled in {self.precision}"}
        start = self.initial if hasattr(self.initial, "sample") else "given codes"
        return drawn if self.initial is None else {**drawn, "initial": f"chains from {start}"}

    def require(self, method: str, why: str) -> None:
        """Raises ValueError where the model has no such method, and so not what `why` says is needed."""
        if not hasattr(self.model, method):
            raise ValueError(f"this {type(self.model).__name__} has no method {method!r}, and {why}")

    @torch.no_grad()
    def encoded(self, images: Tensor) -> Tensor:
        """The model's codes of images [N, ...] as rows, float32 [N, Z] where the model is."""
        self.require("encode", "codes need it")
        return torch.cat([self.model.encode(x.to(self.device)).float().flatten(1) for x in images.split(_BATCH)])

    def codes(self, images: Tensor) -> Tensor:
        """The same; raises ValueError where they are not all numbers."""
        codes = self.encoded(images)
        require_finite("codes", codes)
        return codes

    def codes_of(self, split: str, count: int | None = None) -> Tensor:
        """The codes of the first `count` images of a split (None: of all), [N, Z] on the CPU; encoded once."""
        images = getattr(self.dataset, split).images
        key = split, len(images[:count])
        if key not in self._codes:
            self._codes[key] = self.codes(images[:count]).cpu()
        return self._codes[key]

    @cached_property
    def components(self) -> PCA:
        """Principal components of the first `svm_images` training images, as many as a code has numbers, or all."""
        images = self.dataset.train.images[: self.svm_images]
        self.report("principal components")
        dimension = min(self.encoded(images[:1]).shape[1], images[0].numel(), len(images))
        return principal_components(images, dimension)

    def components_of(self, split: str, count: int | None = None) -> Tensor:
        """The first `count` images of a split (None: all) on these components, [N, Z]."""
        return to_tensor(projected(self.components, getattr(self.dataset, split).images[:count]))


def rows_of(images: Tensor) -> Tensor:
    """Images [N, ...] as rows of pixels [N, D], uint8 in [0, 1]."""
    return as_float(images).flatten(1)


def _which(number: int, seeds: int) -> str:
    """Which of several seeds a stage is of."""
    return f", seed {number} of {seeds}" if seeds > 1 else ""


def _finite_or_why(samples: Tensor) -> Tensor | Exception:
    try:
        require_finite("samples", samples)
    except ValueError as error:
        return error
    return samples
