"""`Subject`: what a report is of, a model with its data, and what its figures share: codes, pictures, noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fastdaae.evaluation import Measure
from fastdaae.evaluation.attempt import require_finite
from fastdaae.noise import Noise, Site
from fastdaae.reference import as_float
from fastdaae.reporting.figures.pictures import as_pictures

_CODES, _BATCH = 10_000, 1000
_FEW = 12
_IN_TEXT = {"test": "test", "validation": "validation", "train": "training"}


@dataclass(frozen=True)
class Subject:
    """A model and a Dataset, of which the split named `part` is shown, with the run's history and measures.

    `unit` is that of the reconstruction loss, `seed` that of all noise.
    """

    model: Any
    dataset: Any
    part: str
    history: Sequence[dict]
    measures: Sequence[Measure]
    unit: str
    seed: int

    @property
    def split(self):
        """The images and labels that are shown."""
        return getattr(self.dataset, self.part)

    @property
    def kind(self) -> str:
        """What the images are in a sentence: "test", "validation" or "training" images."""
        return _IN_TEXT[self.part]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one image."""
        return tuple(self.split.images.shape[1:])

    @property
    def name(self) -> str:
        """The model's class."""
        return type(self.model).__name__

    @property
    def reconstructs(self) -> bool:
        """Whether the model has a decoder and all that it is needed for."""
        return hasattr(self.model, "reconstruct") and hasattr(self.model, "decode")

    @property
    def prior(self):
        """The model's prior; None where it has none."""
        return getattr(self.model, "prior", None)

    @property
    def body(self) -> nn.Module:
        """The autoencoder: the model itself, or the one that a classifier was made of."""
        return getattr(self.model, "autoencoder", self.model)

    @property
    def corrupts(self) -> bool:
        """Whether the model's inputs are corrupted in training, by a corruption or by noise of its own."""
        model = self.model
        return getattr(model, "corruption", None) is not None or bool(getattr(model, "draws_own_noise", False))

    @cached_property
    def noise(self) -> Noise:
        """The noise of this report, where the model is."""
        return Noise(self.seed, device=next(self.model.parameters()).device)

    @cached_property
    def few(self) -> Tensor:
        """The first images, which are shown one by one, where the model is."""
        return self.split.images[:_FEW].to(self.noise.device)

    @cached_property
    def codes(self) -> np.ndarray:
        """The codes of up to 10,000 images, [N, Z]; raises ValueError where they are not all numbers."""
        return self.encoded("clean codes", lambda x, row: self.model.encode(x))

    @cached_property
    def corrupted_codes(self) -> np.ndarray:
        """The same of images corrupted as in training."""
        return self.encoded("corrupted codes", lambda x, row: self.model.encode(self.corrupted(x, row)))

    def encoded(self, what: str, encode) -> np.ndarray:
        """`encode(images, the first one's row)` of up to 10,000 images, [N, Z]; raises where it is not finite."""
        images, pieces = self.split.images[:_CODES], []
        for start in range(0, len(images), _BATCH):
            x = images[start : start + _BATCH].to(self.noise.device)
            pieces.append(encode(x, start).flatten(1).float().cpu())
        codes = torch.cat(pieces)
        require_finite(what, codes)
        return codes.numpy()

    def corrupted(self, x: Tensor, row_offset: int = 0) -> Tensor:
        """x [N, ...] as `reconstruct` hands it to the encoder where it is given noise."""
        return self.model.corrupted(x, self.noise, row_offset=row_offset, site=Site.EVALUATION)

    @cached_property
    def scale(self) -> float | None:
        """The value drawn white where pixels are drawn about a grey zero, as they are below 0; None in [0, 1]."""
        images = self.split.images
        if not images.is_floating_point() or images.min() >= 0:
            return None
        return float(f"{np.quantile(images.abs().flatten()[:1_000_000].numpy(), 0.995):.2g}") or 1.0

    def pictures(self, images: Tensor) -> np.ndarray:
        """Images of the data's kind [N, ...] as pictures in [0, 1]."""
        pixels = as_float(images)
        return as_pictures(pixels if self.scale is None else 0.5 + pixels / (2 * self.scale), self.shape)

    @property
    def pixels_told(self) -> str:
        """How pixels are drawn, a sentence; empty where there is nothing to say."""
        if self.scale is None:
            return ""
        return f" Pixels are drawn from −{self.scale:g} (black) to {self.scale:g} (white), grey is 0."
