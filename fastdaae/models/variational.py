"""`VAE`: the variational autoencoder, with a weight on its KL divergence a beta-VAE, with a corruption a DVAE."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from fastdaae import ops, priors
from fastdaae.arguments import is_number, positive, whole_in
from fastdaae.corruptions import Corruption
from fastdaae.models import decoding, sampling
from fastdaae.models.autoencoder import Autoencoder, Update, require_choice
from fastdaae.models.fitting import code_size, outputs_of, require_sizes
from fastdaae.noise import Noise, Site
from fastdaae.ops.network import Dense, Plan
from fastdaae.priors import Normal
from fastdaae.reference import as_float
from fastdaae.schema import shortened

CODES = ("drawn", "mean")
# the copies of Site.POSTERIOR: one seed serves training, validation and chains, and none repeats another's draws
_TRAINING, _VALIDATION, _CHAIN = range(3)


class Posterior(NamedTuple):
    """The normal distributions q(z | x) of a batch: mean [N, Z] and log_variance [N, Z], log of sigma^2."""

    mean: Tensor
    log_variance: Tensor

    def kl(self) -> Tensor:
        """KL(q(z | x) || N(0, I)) of each row, nats [N]. Source: Kingma and Welling 2013, appendix B."""
        mean, log_variance = self
        return 0.5 * (mean.square() + log_variance.expm1() - log_variance).sum(1)

    def at(self, epsilon: Tensor) -> Tensor:
        """z = mean + exp(log_variance / 2) epsilon [N, Z] for standard normal epsilon, differentiable."""
        return torch.addcmul(self.mean, torch.exp(0.5 * self.log_variance), epsilon.to(self.mean.dtype))


class VAE(Autoencoder):
    """The variational autoencoder; with a `corruption` the denoising one, whose q(z | x~) sees x~ and explains x.

    encoder [N, ...] -> [N, 2 Z]: the mean and the log variance of q(z | x), in this order; decoder as `Autoencoder`.
    It maximises E[log p(x | z)] - beta KL(q(z | x~) || p(z)), z = mean + exp(log variance / 2) epsilon, summed over
    pixels, in nats an image. p(x | z) is Bernoulli for loss="bce" (the expectation over binary images, where x is
    grey), and N(decode(z), deviation^2) for "mse", by default of `deviation` 1. `prior` is Normal(Z), which is made
    where a layer tells Z. `warm_up` is the number of training steps in which the weight of the KL rises from 0 to beta;
    None and 0: none. Raises ValueError for numbers outside their range, another loss and sizes that do not fit,
    TypeError for another prior. Source: Kingma and Welling 2013, equations 7 and 10; Higgins et al. 2017 (beta); Im et
    al. 2015, equation 7 (corruption); Bowman et al. 2016 (warm-up).
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        *,
        prior: Normal | None = None,
        beta: float = 1.0,
        corruption: Corruption | None = None,
        warm_up: int | None = None,
        loss: str = "bce",
        deviation: float | None = None,
        decoder_output: str | None = None,
        image_shape: Sequence[int] | None = None,
    ):
        pixels: dict[str, Any] = {"loss": loss, "decoder_output": decoder_output, "image_shape": image_shape}
        super().__init__(encoder, decoder, corruption=corruption, **pixels)
        if not (is_number(beta) and math.isfinite(beta) and beta >= 0):
            raise ValueError(f"beta must be a finite number >= 0, got {shortened(beta)}")
        if deviation is not None and loss != "mse":
            raise ValueError(
                f"deviation must be left out with loss={loss!r}, got {shortened(deviation)}; use loss='mse'"
            )
        self.deviation = positive("deviation", 1.0 if deviation is None else deviation) if loss == "mse" else None
        self.warm_up = None if warm_up is None else whole_in("warm_up", warm_up, 0)
        self.beta, self.prior = float(beta), _normal_prior(prior, encoder, decoder)
        require_sizes(self)

    @property
    def loss_unit(self) -> str:
        """The unit of the reconstruction loss."""
        return "nats per image"

    def posterior(self, x: Tensor) -> Posterior:
        """q(z | x) of clean inputs x [N, ...] (uint8 or [0, 1] pixels), differentiable."""
        return self._posterior(Plan.of(self.encoder), as_float(x))

    def _posterior(self, encoder: Plan, x: Tensor) -> Posterior:
        numbers = as_float(encoder(x))
        if numbers.dim() != 2 or numbers.shape[1] % 2:
            raise ValueError(
                f"encoder must give 2 Z numbers a row, mean and log variance, got {list(numbers.shape)}; change its "
                "last layer"
            )
        return Posterior(*numbers.chunk(2, dim=1))

    def step(
        self, x: Tensor, noise: Noise, update: Update, *, row_offset: int = 0, plans: dict[str, Plan] | None = None
    ) -> dict[str, Tensor]:
        """One training step on a batch x [N, ...] (uint8 or [0, 1] pixels); returns {loss name: 0-d tensor}, in nats.

        "reconstruction" is -E[log p(x | z)] and "kl" the unweighted divergence, both means over images. Arguments as
        `Autoencoder.step`; the warm-up reads the step of the noise.
        """
        plans = plans or self.plans()
        # x~ ~ c(x~ | x), q(z | x~)
        posterior = self._posterior(plans["encoder"], self.training_input(x, noise, row_offset))
        # z = mean + sigma epsilon, epsilon ~ N(0, I)
        z = posterior.at(self._epsilon(posterior, noise, row_offset, _TRAINING))
        # -ELBO = -E[log p(x | z)] + beta KL(q(z | x~) || p(z))
        l_rec = self.reconstruction_loss(plans["decoder"], z, x)
        kl = posterior.kl().mean()
        update("reconstruction", l_rec + self.kl_weight(noise) * kl)
        return {"reconstruction": l_rec, "kl": kl}

    def kl_weight(self, noise: Noise) -> Tensor | float:
        """The weight of the KL divergence at the step of the noise: beta, or less of it within the warm-up."""
        if not self.warm_up:
            return self.beta
        # on the device: a captured graph rises too, and nobody waits
        return self.beta * (noise.state[2].float() / self.warm_up).clamp(max=1.0)

    def reconstruction_loss(self, decoder: Plan | nn.Module, z: Tensor, x: Tensor) -> Tensor:
        """-log p(x | z), summed over pixels and averaged over the batch, nats; 0-d."""
        return x[0].numel() * self._nats(super().reconstruction_loss(decoder, z, x))

    def _nats(self, losses: Tensor) -> Tensor:
        """-log p of entries, or the mean of it over entries, from their losses."""
        return losses if self.deviation is None else decoding.gaussian_nats(losses, self.deviation)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x | z) of images x [N, ...] and codes z [N, Z], nats summed over pixels, float64 [N]; differentiable.

        For loss="mse" a log-density, so it may be positive.
        """
        losses = self.losses_of_pixels(self.decoder, z, x).flatten(1)
        return -self._nats(losses).sum(1, dtype=torch.float64)

    def encode(self, x: Tensor) -> Tensor:
        """The mean codes of clean inputs x [N, ...] (uint8 or [0, 1] pixels), [N, Z], deterministic."""
        return self.posterior(x).mean

    def code_network(self) -> nn.Module:
        """The network of the mean alone, [N, ...] -> [N, Z], on the encoder's memory and without gradients.

        A last `nn.Linear` is cut to the rows that make the mean, so that the kernels know the network.
        """
        plan = Plan.of(self.encoder)
        last = plan.stages[-1] if plan.stages else None
        if not isinstance(last, Dense):
            return nn.Sequential(self.encoder, _FirstHalf())
        before = [module for module in plan.modules[: -len(last.modules)] if isinstance(module, nn.Module)]
        return nn.Sequential(*before, _first_half(last.linear), *last.modules[1:])

    def _epsilon(self, posterior: Posterior, noise: Noise, row_offset: int, copy: int) -> Tensor:
        """Standard normal numbers [N, Z], those of one copy of Site.POSTERIOR."""
        n, columns = posterior.mean.shape
        return ops.normal(n, columns, noise, copies=copy + 1, row_offset=row_offset, site=Site.POSTERIOR)[copy]

    @torch.no_grad()
    def validation_losses(self, x: Tensor, noise: Noise, *, row_offset: int = 0) -> dict[str, Tensor]:
        """Means over a batch x [N, ...] without an update, of corrupted inputs and drawn codes.

        "reconstruction" and "kl" as in training; "elbo" is the bound itself, whatever beta, nats an image; "mse" is in
        squared pixels.
        """
        x_tilde = self.corrupted(x, noise, row_offset=row_offset, site=Site.VALIDATION)
        posterior = self._posterior(Plan.of(self.encoder), x_tilde)
        z = posterior.at(self._epsilon(posterior, noise, row_offset, _VALIDATION))
        l_rec, kl = self.reconstruction_loss(self.decoder, z, x), posterior.kl().mean()
        error = self.decode(z).reshape(x.shape) - as_float(x)
        return {"reconstruction": l_rec, "kl": kl, "elbo": -l_rec - kl, "mse": error.square().mean()}

    def sample(
        self,
        n: int,
        *,
        steps: int = 0,
        initial: Tensor | np.ndarray | priors.Prior | None = None,
        corruption: Corruption | None = sampling.TRAINING,
        keep: tuple[int, ...] | None = None,
        seed: int = 0,
        precision: str = "fp32",
        codes: str = "drawn",
    ) -> Tensor:
        """n samples x(steps) as `Autoencoder.sample` gives them, from codes of the prior N(0, I) by default.

        The chain is x(t) = decode(z(t)), z(t+1) ~ q(z | x~(t)), with x~ of the `corruption`. With codes="mean" z(t+1)
        is the mean of q: the chain of Creswell and Bharath 2018, equation 3, in the fused kernels; without a
        corruption that is no Markov chain but a map that runs into its fixed points, which is why codes are drawn by
        default. Raises ValueError for other codes. Source: Rezende et al. 2014, appendix F.
        """
        require_choice("codes", codes, CODES)
        how: dict[str, Any] = {"steps": steps, "initial": initial, "corruption": corruption, "keep": keep}
        run = sampling.run_chain if codes == "mean" else _drawn_chain
        return sampling.draw_samples(self, n, run, **how, seed=seed, precision=precision)

    def draw_codes(self, x: Tensor, noise: Noise, *, row_offset: int = 0) -> Tensor:
        """z ~ q(z | x) for a chain's x [N, ...], [N, Z]; row i reads the noise of row_offset + i."""
        posterior = self.posterior(x)
        return posterior.at(self._epsilon(posterior, noise, row_offset, _CHAIN))


def _drawn_chain(model: VAE, z: Tensor, corruption: Any, noise: Noise, keep: tuple[int, ...], precision: str) -> Tensor:
    return sampling.run_methods(model, z, corruption, noise, keep, precision, model.draw_codes)


def _normal_prior(prior, encoder: nn.Module, decoder: nn.Module) -> Normal:
    """The prior that was given, or the one of codes of the size that a layer tells."""
    if prior is not None:
        priors.require(prior)
        if not isinstance(prior, Normal):
            raise TypeError(
                f"prior must be a fastdaae.priors.Normal, whose KL divergence is known, got {shortened(prior)}"
            )
        return prior
    outputs = outputs_of(encoder)
    dim = code_size(decoder) if outputs is None else outputs // 2
    if dim is None:
        raise ValueError("prior must be given where no layer tells the size of a code, as fastdaae.priors.Normal(Z)")
    return Normal(dim)


class _FirstHalf(nn.Module):
    def forward(self, numbers: Tensor) -> Tensor:
        return numbers.chunk(2, dim=1)[0]


def _first_half(linear: nn.Linear) -> nn.Linear:
    """The first half of a layer's outputs as a layer, on the same memory."""
    half = nn.Linear(linear.in_features, linear.out_features // 2, bias=linear.bias is not None, device="meta")
    for name, parameter in linear.named_parameters():
        rows = parameter.detach()[: half.out_features]
        setattr(half, name, nn.Parameter(rows, requires_grad=False))
    return half
