"""`NoiseTransformer`: a denoising autoencoder whose noise is learned, one deviation for each input."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from fastdaae import ops
from fastdaae.activation import SIGMOID
from fastdaae.arguments import is_number
from fastdaae.models.autoencoder import Autoencoder, Update, require_network
from fastdaae.models.fitting import require_sizes
from fastdaae.noise import Noise, Site
from fastdaae.ops.network import Dense, Plan
from fastdaae.reference import as_float
from fastdaae.schema import shortened


class NoiseTransformer(Autoencoder):
    """A denoising autoencoder with x~ = x + sigma(x) epsilon, epsilon ~ N(0, I), whose sigma a network learns.

    transformer [N, ...] -> [N, 1] in [0, 1], an `nn.Sequential` that ends in `nn.Sigmoid` such as
    `fastdaae.networks.mlp([784, 392, 1], output="sigmoid")`; encoder, decoder and other arguments as `Autoencoder`. The
    autoencoder minimises its reconstruction loss, the transformer alone reconstruction - weight mean(sigma); `weight`
    is the report's lambda, in units of the loss. sigma(x) = floor + (1 - floor) transformer(x). The report clamps
    instead, max(floor, transformer(x)): the same range, but no gradient below the floor, so that an input that came
    there would stay, whatever the weight. Raises ValueError for a weight or floor that is negative, a floor of 1 or
    more and a transformer of another size, TypeError for what is no network. Source: Jow's report, section 4.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        transformer: nn.Module,
        *,
        weight: float,
        floor: float = 0.4,
        loss: str = "bce",
        decoder_output: str | None = None,
        image_shape: Sequence[int] | None = None,
    ):
        pixels: dict[str, Any] = {"loss": loss, "decoder_output": decoder_output, "image_shape": image_shape}
        super().__init__(encoder, decoder, **pixels)
        require_network("transformer", transformer)
        if not (is_number(weight) and math.isfinite(weight) and weight >= 0):
            raise ValueError(f"weight must be a finite number >= 0, got {shortened(weight)}")
        if not (is_number(floor) and 0 <= floor < 1):
            raise ValueError(f"floor must be a number >= 0 and < 1, got {shortened(floor)}")
        self.transformer, self.weight, self.floor = transformer, float(weight), float(floor)
        _require_share(transformer)
        require_sizes(self)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The parameters of each update: "reconstruction", of encoder and decoder, and "noise", of the transformer."""
        return {**super().parameter_groups(), "noise": list(self.transformer.parameters())}

    def sigma(self, x: Tensor) -> Tensor:
        """The deviation of the noise for each of x [N, ...] (uint8 or [0, 1] pixels), [N], in floor..1."""
        return self._sigma(Plan.of(self.transformer), as_float(x))

    def _sigma(self, transformer: Plan, x: Tensor) -> Tensor:
        share = as_float(transformer(x))
        if share.numel() != len(x):
            raise ValueError(f"transformer must give one number a row, [N, 1], got {list(share.shape)}")
        return self.floor + (1 - self.floor) * share.reshape(len(x))

    def corrupted(self, x: Tensor, noise: Noise, *, site: int, row_offset: int = 0) -> Tensor:
        """x~ = x + sigma(x) epsilon, in the shape of x [N, ...]; differentiable in x and in the transformer."""
        pixels = as_float(x)
        return _noisy(pixels, self.sigma(pixels), noise, site, row_offset)

    def step(
        self, x: Tensor, noise: Noise, update: Update, *, row_offset: int = 0, plans: dict[str, Plan] | None = None
    ) -> dict[str, Tensor]:
        """One training step on a batch x [N, ...] (uint8 or [0, 1] pixels); returns {loss name: 0-d tensor}.

        "reconstruction" is the autoencoder's loss and "noise" the transformer's, both before the updates. Arguments as
        `Autoencoder.step`.
        """
        plans = plans or self.plans()
        pixels = as_float(x)
        # x~ = x + sigma(x) epsilon
        sigma = self._sigma(plans["transformer"], pixels)
        x_tilde = _noisy(pixels, sigma, noise, Site.RECONSTRUCTION, row_offset)
        # the autoencoder's loss, from an x~ that is given to it
        given = x_tilde.detach().requires_grad_()
        l_rec = self.reconstruction_loss(plans["decoder"], plans["encoder"](given), x)
        (towards_x_tilde,) = torch.autograd.grad(l_rec, given, retain_graph=True)
        update("reconstruction", l_rec)
        # reconstruction - weight mean(sigma); the first has the gradient that came to x~, so that nothing runs twice
        through_x_tilde = ((x_tilde - given.detach()) * towards_x_tilde).sum()
        l_noise = l_rec.detach() + through_x_tilde - self.weight * sigma.mean()
        update("noise", l_noise)
        return {"reconstruction": l_rec, "noise": l_noise}

    @torch.no_grad()
    def validation_losses(self, x: Tensor, noise: Noise, *, row_offset: int = 0) -> dict[str, Tensor]:
        """Those of `Autoencoder`, and the mean of sigma over a batch x [N, ...]."""
        return {**super().validation_losses(x, noise, row_offset=row_offset), "sigma": self.sigma(x).mean()}


def _noisy(pixels: Tensor, sigma: Tensor, noise: Noise, site: int, row_offset: int) -> Tensor:
    epsilon = ops.normal(len(pixels), pixels[0].numel(), noise, row_offset=row_offset, site=site)[0]
    return pixels + (sigma[:, None] * epsilon.to(sigma.dtype)).reshape(pixels.shape)


def _require_share(transformer: nn.Module) -> None:
    """Raises ValueError for a transformer whose last layer tells that it gives no share in [0, 1] a row."""
    last = Plan.of(transformer).stages[-1:]
    if not (last and isinstance(last[0], Dense)):
        return
    outputs, activation = last[0].linear.out_features, last[0].activation
    if outputs != 1 or activation != SIGMOID:
        raise ValueError(
            f"transformer must give one number in [0, 1] a row, got {outputs} and the activation {activation.name!r}; "
            "end it in one output and nn.Sigmoid"
        )
