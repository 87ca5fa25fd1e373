"""AAE, DAAE and IDAAE: one algorithm (Creswell and Bharath 2018, Algorithm 1) and three ways to draw fake codes."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from fastdaae import priors
from fastdaae.arguments import whole_in
from fastdaae.corruptions import Corruption
from fastdaae.models import own_noise
from fastdaae.models.autoencoder import Autoencoder, Update, require_choice, require_network
from fastdaae.models.fitting import require_sizes
from fastdaae.noise import Noise, Site
from fastdaae.ops.checks import COPIES_LIMIT
from fastdaae.ops.network import Plan
from fastdaae.priors import Prior
from fastdaae.schema import shortened

FORMS = ("paper", "released")
ADVERSARIAL_LOSSES = ("saturating", "non_saturating")
INTEGRATIONS = ("encodings", "inputs")


class Adversarial(Autoencoder):
    """What the three models share: a discriminator that tells fake codes from the prior's, and Algorithm 1.

    Other arguments as `Autoencoder`; discriminator [N, Z] -> logits [N, 1]. `adversarial_loss` is "saturating" (the
    paper's log(1 - D)) or "non_saturating" (-log D). `form` is "paper" (Algorithm 1, three updates) or "released" (the
    authors' code: z_fake from before the update, one joint update of encoder and decoder, non-saturating, discriminator
    loss halved). A model says how its fake codes are drawn. Raises ValueError for another choice, TypeError for what is
    no network, prior or corruption. Source: Makhzani et al. 2015; Creswell and Bharath 2018, section III.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        discriminator: nn.Module,
        *,
        prior: Prior,
        corruption: Corruption | None,
        loss: str,
        decoder_output: str | None,
        adversarial_loss: str | None,
        form: str,
        image_shape: Sequence[int] | None,
    ):
        pixels: dict[str, Any] = {"loss": loss, "decoder_output": decoder_output, "image_shape": image_shape}
        super().__init__(encoder, decoder, corruption=corruption, **pixels)
        require_network("discriminator", discriminator)
        priors.require(prior)
        require_choice("form", form, FORMS)
        if adversarial_loss is None:
            adversarial_loss = "saturating" if form == "paper" else "non_saturating"
        require_choice("adversarial_loss", adversarial_loss, ADVERSARIAL_LOSSES)
        self.discriminator, self.prior = discriminator, prior
        self.adversarial_loss, self.form = adversarial_loss, form
        require_sizes(self)

    def fake_codes(self, encoder: Plan, x: Tensor, x_tilde: Tensor, noise: Noise, row_offset: int) -> Tensor:
        """The codes z_fake [N, Z] of a batch that the discriminator shall not tell from draws of the prior."""
        raise NotImplementedError(f"{type(self).__name__} must say how its fake codes are drawn")

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The parameters of each update, each once: {update name: parameters}, in the order of the algorithm."""
        groups = {**super().parameter_groups(), "discriminator": list(self.discriminator.parameters())}
        return groups if self.form == "released" else {**groups, "encoder": list(self.encoder.parameters())}

    def step(
        self, x: Tensor, noise: Noise, update: Update, *, row_offset: int = 0, plans: dict[str, Plan] | None = None
    ) -> dict[str, Tensor]:
        """One training step on a batch x [N, ...] (uint8 or [0, 1] pixels); returns {loss name: 0-d tensor}, in nats.

        `update(name, loss)` takes one optimiser step on that group's parameters; row i of the batch reads the noise of
        row_offset + i; `plans` are those of `plans()`, which is read for this call where there are none. Source:
        Creswell and Bharath 2018, Algorithm 1, with its slips mended (line 7: the log is of the reconstruction; lines
        17-19: the encoder's parameters move along the gradient of L_prior).
        """
        plans = plans or self.plans()
        if self.form == "released":
            return self._released_step(plans, x, noise, update, row_offset)
        encoder, decoder, discriminator = _networks(plans)
        # lines 3-4: corrupt and encode
        x_tilde = self.training_input(x, noise, row_offset)
        z = encoder(x_tilde)
        # lines 5-9: reconstruct, and minimise the reconstruction cost in encoder and decoder
        l_rec = self.reconstruction_loss(decoder, z, x)
        update("reconstruction", l_rec)
        # lines 11-12: fake codes by the updated encoder, real codes from the prior
        z_fake = self.fake_codes(encoder, x, x_tilde, noise, row_offset)
        z_real = self.prior.sample(len(x), noise, row_offset=row_offset).to(z_fake.dtype)
        # lines 13-16: train the discriminator; -log D = softplus(-logit), -log(1 - D) = softplus(logit)
        real, fake = _discriminate(discriminator, z_real, z_fake.detach())
        l_dis = softplus(-real).mean() + softplus(fake).mean()
        update("discriminator", l_dis)
        # lines 17-19: train the encoder to match the prior
        l_prior = self._encoder_loss(discriminator(z_fake))
        update("encoder", l_prior)
        return {"reconstruction": l_rec, "discriminator": l_dis, "encoder": l_prior}

    def _released_step(self, plans: dict[str, Plan], x: Tensor, noise: Noise, update: Update, row_offset: int) -> dict:
        encoder, decoder, discriminator = _networks(plans)
        x_tilde = self.training_input(x, noise, row_offset)
        z = encoder(x_tilde)
        l_rec = self.reconstruction_loss(decoder, z, x)
        z_real = self.prior.sample(len(x), noise, row_offset=row_offset).to(z.dtype)
        real, fake = _discriminate(discriminator, z_real, z.detach())
        l_dis = 0.5 * (softplus(-real).mean() + softplus(fake).mean())
        l_prior = self._encoder_loss(discriminator(z))
        # both gradients are those of the old parameters: the two updates touch disjoint ones, so their order is free
        update("reconstruction", l_rec + l_prior)
        update("discriminator", l_dis)
        return {"reconstruction": l_rec, "discriminator": l_dis, "encoder": l_prior}

    def _encoder_loss(self, fake_logits: Tensor) -> Tensor:
        if self.adversarial_loss == "saturating":
            return -softplus(fake_logits).mean()
        return softplus(-fake_logits).mean()


def _networks(plans: dict[str, Plan]) -> tuple[Plan, Plan, Plan]:
    return plans["encoder"], plans["decoder"], plans["discriminator"]


def _discriminate(discriminator: Plan, z_real: Tensor, z_fake: Tensor) -> tuple[Tensor, Tensor]:
    if not discriminator.rowwise:
        return discriminator(z_real), discriminator(z_fake)
    # rows do not see each other there: one batch reads and updates the weights once
    return discriminator(torch.cat((z_real, z_fake))).split((len(z_real), len(z_fake)))


class AAE(Adversarial):
    """The adversarial autoencoder: codes of clean data are matched to the prior by a discriminator.

    Arguments and errors as `Adversarial`. Source: Makhzani et al. 2015.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        discriminator: nn.Module,
        *,
        prior: Prior,
        loss: str = "bce",
        decoder_output: str | None = None,
        adversarial_loss: str | None = None,
        form: str = "paper",
        image_shape: Sequence[int] | None = None,
    ):
        choices: dict[str, Any] = {"loss": loss, "decoder_output": decoder_output, "image_shape": image_shape}
        choices |= {"adversarial_loss": adversarial_loss, "form": form}
        super().__init__(encoder, decoder, discriminator, prior=prior, corruption=None, **choices)

    def fake_codes(self, encoder: Plan, x: Tensor, x_tilde: Tensor, noise: Noise, row_offset: int) -> Tensor:
        """The codes of x itself."""
        return encoder(x_tilde)


class DAAE(Adversarial):
    """The denoising adversarial autoencoder: reconstructs x from x~ ~ c(x~ | x) and matches E(x~) to the prior.

    z_fake is the encoding of the same x~ as the reconstruction, by the updated encoder, or with `fresh_corruption` of a
    new one. Other arguments and errors as `Adversarial`. Source: Creswell and Bharath 2018, section III-B.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        discriminator: nn.Module,
        *,
        prior: Prior,
        corruption: Corruption | None,
        fresh_corruption: bool = False,
        loss: str = "bce",
        decoder_output: str | None = None,
        adversarial_loss: str | None = None,
        form: str = "paper",
        image_shape: Sequence[int] | None = None,
    ):
        if not isinstance(fresh_corruption, bool):
            raise TypeError(f"fresh_corruption must be True or False, got {shortened(fresh_corruption)}")
        choices: dict[str, Any] = {"loss": loss, "decoder_output": decoder_output, "image_shape": image_shape}
        choices |= {"adversarial_loss": adversarial_loss, "form": form}
        super().__init__(encoder, decoder, discriminator, prior=prior, corruption=corruption, **choices)
        self.fresh_corruption = fresh_corruption

    def fake_codes(self, encoder: Plan, x: Tensor, x_tilde: Tensor, noise: Noise, row_offset: int) -> Tensor:
        """The codes of the x~ that was reconstructed, or of another one."""
        if not self.fresh_corruption:
            return encoder(x_tilde)
        return own_noise.mean_code(self, encoder, x, noise, copies=1, row_offset=row_offset)


class IDAAE(Adversarial):
    """The integrating DAAE: z_fake is the mean of `copies` encodings of fresh corruptions (Algorithm 2).

    `integration` "inputs" averages the M corrupted inputs instead and encodes once, as the authors' released code does;
    it is the default of form="released", where the reconstruction starts from that mean too. Other arguments and errors
    as `Adversarial`; ValueError for copies < 1. Source: Creswell and Bharath 2018, section III-A1 and Algorithm 2.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        discriminator: nn.Module,
        *,
        prior: Prior,
        corruption: Corruption | None,
        copies: int = 5,
        integration: str | None = None,
        loss: str = "bce",
        decoder_output: str | None = None,
        adversarial_loss: str | None = None,
        form: str = "paper",
        image_shape: Sequence[int] | None = None,
    ):
        choices: dict[str, Any] = {"loss": loss, "decoder_output": decoder_output, "image_shape": image_shape}
        choices |= {"adversarial_loss": adversarial_loss, "form": form}
        super().__init__(encoder, decoder, discriminator, prior=prior, corruption=corruption, **choices)
        if integration is None:
            integration = "encodings" if form == "paper" else "inputs"
        require_choice("integration", integration, INTEGRATIONS)
        if form == "released" and integration == "encodings":
            raise ValueError("integration must be 'inputs' with form='released', got 'encodings'; use form='paper'")
        self.integration, self.copies = integration, whole_in("copies", copies, 1, COPIES_LIMIT)

    def training_input(self, x: Tensor, noise: Noise, row_offset: int) -> Tensor:
        """One corruption of x; the released form takes the mean of M."""
        if self.form == "released":
            return self._mean_input(x, noise, row_offset, Site.RECONSTRUCTION)
        return super().training_input(x, noise, row_offset)

    def fake_codes(self, encoder: Plan, x: Tensor, x_tilde: Tensor, noise: Noise, row_offset: int) -> Tensor:
        """The mean of the codes of M corruptions, or the code of their mean."""
        if self.integration == "inputs":
            return encoder(self._mean_input(x, noise, row_offset, Site.MATCHING))
        return own_noise.mean_code(self, encoder, x, noise, copies=self.copies, row_offset=row_offset)

    def _mean_input(self, x: Tensor, noise: Noise, row_offset: int, site: int) -> Tensor:
        address = {"copies": self.copies, "row_offset": row_offset, "site": site}
        return own_noise.copies_of(self, x, noise, **address).mean(0)
