"""`Classifier`: an autoencoder's encoder with a head that tells classes, fine-tuned together."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from fastdaae import corruptions, ops
from fastdaae.corruptions import Corruption
from fastdaae.models.autoencoder import Update, require_network
from fastdaae.models.config import to_config
from fastdaae.models.describing import describe
from fastdaae.models.fitting import require_head
from fastdaae.models.shapes import as_shape
from fastdaae.noise import Noise, Site
from fastdaae.ops.network import Plan


class Classifier(nn.Module):
    """A head on an autoencoder's codes: logits [N, K] = head(encode(x)), trained on labels, the encoder too.

    `autoencoder` is any model with a differentiable `encode` and its parameters in `encoder` (of a VAE the means are
    the codes); its decoder is kept and does not move. head [N, Z] -> logits [N, K] of K classes, such as
    `fastdaae.networks.mlp([1000, 1000, 10])`, the report's. With a `corruption` it is trained on x~ ~ c(x~ | x), and
    asked about clean images all the same. `image_shape` is the autoencoder's. Raises TypeError for what is no
    autoencoder, network or corruption, ValueError for another image_shape than the autoencoder's and for a head whose
    layers do not take its codes. Source: Vincent et al. 2010, section 3.5 (supervised fine-tuning); Jow's report,
    section 2.
    """

    autoencoder: Any  # whose methods nn.Module does not name

    def __init__(
        self,
        autoencoder: nn.Module,
        head: nn.Module,
        *,
        corruption: Corruption | None = None,
        image_shape: Sequence[int] | None = None,
    ):
        super().__init__()
        require_network("autoencoder", autoencoder)
        missing = [name for name in ("encode", "encoder") if not hasattr(autoencoder, name)]
        if missing:
            raise TypeError(
                f"autoencoder must be one of fastdaae.models, or like one, got a {type(autoencoder).__name__} without "
                f"{missing[0]!r}; make one, such as fastdaae.models.Autoencoder(encoder, decoder)"
            )
        require_network("head", head)
        corruptions.require(corruption)
        require_head(autoencoder, head)
        self.autoencoder, self.head, self.corruption = autoencoder, head, corruption
        shape = as_shape(image_shape)
        if shape is not None and self.image_shape not in (None, shape):
            raise ValueError(f"image_shape must be the autoencoder's, {list(self.image_shape)}, got {list(shape)}")
        self.image_shape = shape or self.image_shape

    @property
    def config(self) -> dict:
        """What makes this model, ready for JSON; a network that is not ours stands as null."""
        return to_config(self)

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """The shape of one image, which is the autoencoder's; None where it is not known."""
        return getattr(self.autoencoder, "image_shape", None)

    @image_shape.setter
    def image_shape(self, shape: tuple[int, ...] | None) -> None:
        self.autoencoder.image_shape = shape

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The parameters of the one update, "classification": those of the encoder and of the head."""
        both = [*self.autoencoder.encoder.parameters(), *self.head.parameters()]
        return {"classification": list(dict.fromkeys(both))}

    def step(
        self, x: Tensor, noise: Noise, update: Update, *, labels: Tensor, row_offset: int = 0
    ) -> dict[str, Tensor]:
        """One training step on a batch x [N, ...] (uint8 or [0, 1] pixels) with int64 labels [N]; losses in nats.

        `update("classification", loss)` takes one optimiser step on encoder and head; row i of the batch reads the
        noise of row_offset + i.
        """
        x_tilde = ops.corrupt(x, self.corruption, noise, row_offset=row_offset, site=Site.RECONSTRUCTION)[0]
        l_class = cross_entropy(self.classify(x_tilde), labels)
        update("classification", l_class)
        return {"classification": l_class}

    def encode(self, x: Tensor) -> Tensor:
        """The autoencoder's codes of clean inputs x [N, ...] (uint8 or [0, 1] pixels), [N, Z]."""
        return self.autoencoder.encode(x)

    def classify(self, x: Tensor) -> Tensor:
        """The logits of the classes of images x [N, ...] (uint8 or [0, 1] pixels), [N, K]; softmax of them is p(y | x).

        Raises ValueError where the head gives something else than rows.
        """
        logits = Plan.of(self.head)(self.encode(x))
        if logits.dim() != 2:
            raise ValueError(f"head must give one row of logits an image, [N, K], got {list(logits.shape)}")
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """`model(x)` is `model.classify(x)`."""
        return self.classify(x)

    @torch.no_grad()
    def validation_losses(self, x: Tensor, noise: Noise, *, labels: Tensor, row_offset: int = 0) -> dict[str, Tensor]:
        """Means over clean images x [N, ...] without an update: the cross-entropy in nats, the share that is right."""
        logits = self.classify(x)
        right = (logits.argmax(1) == labels).to(logits.dtype)
        return {"classification": cross_entropy(logits, labels), "accuracy": right.mean()}

    def take_images(self, images: Tensor) -> None:
        """Take the shape of training images [N, ...] as the autoencoder's; raises as its own `take_images`."""
        if hasattr(self.autoencoder, "take_images"):
            self.autoencoder.take_images(images)

    def require_labels(self, x: Tensor, labels: Tensor, name: str = "labels") -> None:
        """Raises ValueError for labels [N] of images x [N, ...] that are none of the classes that the head tells."""
        was_training = self.training
        with torch.no_grad():
            classes = self.eval().classify(x[:1]).shape[1]
        self.train(was_training)
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= classes:
            raise ValueError(
                f"{name} must be in 0..{classes - 1}, as the head gives {classes} logits, got {low}..{high}; end the "
                "head in as many outputs as there are classes, or number the classes from 0"
            )

    def sample(self, *arguments: Any, **choices: Any) -> Tensor:
        """A classifier makes no images: raises ValueError, which says what does."""
        asked = type(self.autoencoder).__name__
        raise ValueError(f"a Classifier has no images to sample; sample its autoencoder instead, the {asked} in it")

    def __repr__(self) -> str:
        return describe(self)
