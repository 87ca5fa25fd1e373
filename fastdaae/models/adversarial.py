"""AAE, DAAE and IDAAE: one algorithm (Creswell and Bharath 2018, Algorithm 1) and three ways to draw fake codes."""

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from fastdaae import ops
from fastdaae.arguments import whole_in
from fastdaae.corruptions import Corruption
from fastdaae.models import decoding
from fastdaae.models.parts import describe
from fastdaae.models.sampling import sample
from fastdaae.noise import Noise, Site
from fastdaae.ops.checks import COPIES_LIMIT, CORRUPTIONS
from fastdaae.ops.network import Plan
from fastdaae.reference import as_float

Update = Callable[[str, Tensor], None]
FORMS = ("paper", "released")
ADVERSARIAL_LOSSES = ("saturating", "non_saturating")
INTEGRATIONS = ("encodings", "inputs")


def _require_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")


def _require_corruption(corruption) -> None:
    if corruption is not None and not isinstance(corruption, CORRUPTIONS):
        raise TypeError(f"corruption must be one of fastdaae.corruptions or None, got {corruption!r}")


class AAE(nn.Module):
    """The adversarial autoencoder: codes of clean data are matched to the prior by a discriminator.

    encoder [N, ...] -> [N, Z], decoder [N, Z] -> pixels (an `nn.Sequential` ending in `nn.Sigmoid`, or say what it
    returns in `decoder_output`: "logits", "probabilities" or "linear"), discriminator [N, Z] -> logits [N, 1]. `loss`
    is "bce" (pixels in [0, 1]) or "mse"; `adversarial_loss` is "saturating" (the paper's log(1 - D)) or
    "non_saturating" (-log D). `form` is "paper" (Algorithm 1, three updates) or "released" (the authors' code: z_fake
    from before the update, one joint update of encoder and decoder, non-saturating, discriminator loss halved). Raises
    ValueError for another choice. Source: Makhzani et al. 2015; Creswell and Bharath 2018, section III.
    """

    hyperparameters: ClassVar[tuple[str, ...]] = ("decoder_output", "loss", "adversarial_loss", "form")

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        discriminator: nn.Module,
        *,
        prior,
        decoder_output: str | None = None,
        loss: str = "bce",
        adversarial_loss: str | None = None,
        form: str = "paper",
    ):
        super().__init__()
        if not hasattr(prior, "sample"):
            raise TypeError(f"prior must be one of fastdaae.priors, got {prior!r}")
        _require_choice("loss", loss, decoding.LOSSES)
        _require_choice("form", form, FORMS)
        adversarial_loss = adversarial_loss or ("saturating" if form == "paper" else "non_saturating")
        _require_choice("adversarial_loss", adversarial_loss, ADVERSARIAL_LOSSES)
        self.encoder, self.decoder, self.discriminator = encoder, decoder, discriminator
        self.prior, self.corruption = prior, None
        self.decoder_output, self.loss, self.adversarial_loss, self.form = decoder_output, loss, adversarial_loss, form
        self._output = decoding.infer_output(decoder, decoder_output)
        if loss == "bce" and self._output == "linear":
            raise ValueError("loss='bce' needs probabilities, and decoder_output='linear' has none; use loss='mse'")

    @property
    def config(self) -> dict:
        """What makes this model, ready for JSON; a network or prior that is not ours stands as null."""
        return describe(self, self.hyperparameters)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The parameters of each update, each once: {update name: parameters}, in the order of the algorithm."""
        encoder, decoder = list(self.encoder.parameters()), list(self.decoder.parameters())
        both = list(dict.fromkeys(encoder + decoder))
        groups = {"reconstruction": both, "discriminator": list(self.discriminator.parameters())}
        return groups if self.form == "released" else {**groups, "encoder": encoder}

    def step(self, x: Tensor, noise: Noise, update: Update, *, row_offset: int = 0) -> dict[str, Tensor]:
        """One training step on a batch x [N, ...] (uint8 or [0, 1] pixels); returns {loss name: 0-d tensor}, in nats.

        `update(name, loss)` takes one optimiser step on that group's parameters; row i of the batch reads the noise of
        row_offset + i. Source: Creswell and Bharath 2018, Algorithm 1, with its slips mended (line 7: the log is of the
        reconstruction; lines 17-19: the encoder's parameters move along the gradient of L_prior).
        """
        if self.form == "released":
            return self._released_step(x, noise, update, row_offset)
        # lines 3-4: corrupt and encode
        x_tilde = self._corrupt(x, noise, row_offset)
        z = Plan.of(self.encoder)(x_tilde)
        # lines 5-9: reconstruct, and minimise the reconstruction cost in encoder and decoder
        l_rec = self._reconstruction_loss(z, x)
        update("reconstruction", l_rec)
        # lines 11-12: fake codes by the updated encoder, real codes from the prior
        z_fake = self._fake_codes(x, x_tilde, noise, row_offset)
        z_real = self.prior.sample(len(x), noise, row_offset=row_offset).to(z_fake.dtype)
        # lines 13-16: train the discriminator; -log D = softplus(-logit), -log(1 - D) = softplus(logit)
        real, fake = self._discriminate(z_real, z_fake.detach())
        l_dis = softplus(-real).mean() + softplus(fake).mean()
        update("discriminator", l_dis)
        # lines 17-19: train the encoder to match the prior
        l_prior = self._encoder_loss(Plan.of(self.discriminator)(z_fake))
        update("encoder", l_prior)
        return {"reconstruction": l_rec, "discriminator": l_dis, "encoder": l_prior}

    def _released_step(self, x: Tensor, noise: Noise, update: Update, row_offset: int) -> dict[str, Tensor]:
        x_tilde = self._corrupt(x, noise, row_offset)
        z = Plan.of(self.encoder)(x_tilde)
        l_rec = self._reconstruction_loss(z, x)
        z_real = self.prior.sample(len(x), noise, row_offset=row_offset).to(z.dtype)
        real, fake = self._discriminate(z_real, z.detach())
        l_dis = 0.5 * (softplus(-real).mean() + softplus(fake).mean())
        l_prior = self._encoder_loss(Plan.of(self.discriminator)(z))
        # both gradients are those of the old parameters: the two updates touch disjoint ones, so their order is free
        update("reconstruction", l_rec + l_prior)
        update("discriminator", l_dis)
        return {"reconstruction": l_rec, "discriminator": l_dis, "encoder": l_prior}

    def _corrupt(self, x: Tensor, noise: Noise, row_offset: int) -> Tensor:
        return ops.corrupt(x, self.corruption, noise, row_offset=row_offset, site=Site.RECONSTRUCTION)[0]

    def _fake_codes(self, x: Tensor, x_tilde: Tensor, noise: Noise, row_offset: int) -> Tensor:
        return Plan.of(self.encoder)(x_tilde)

    def _discriminate(self, z_real: Tensor, z_fake: Tensor) -> tuple[Tensor, Tensor]:
        if not Plan.of(self.discriminator).rowwise:
            return Plan.of(self.discriminator)(z_real), Plan.of(self.discriminator)(z_fake)
        # rows do not see each other there: one batch reads and updates the weights once
        return Plan.of(self.discriminator)(torch.cat((z_real, z_fake))).split((len(z_real), len(z_fake)))

    def _encoder_loss(self, fake_logits: Tensor) -> Tensor:
        if self.adversarial_loss == "saturating":
            return -softplus(fake_logits).mean()
        return softplus(-fake_logits).mean()

    def _reconstruction_loss(self, z: Tensor, x: Tensor) -> Tensor:
        logits = Plan.of(self.decoder).logits()
        output = (logits or Plan.of(self.decoder))(z)
        kind = "logits" if logits else self._output
        return decoding.reconstruction_loss(output, as_float(x).reshape(output.shape), self.loss, kind)

    def encode(self, x: Tensor) -> Tensor:
        """The codes of clean inputs x [N, ...] (uint8 or [0, 1] pixels), [N, Z], deterministic."""
        return Plan.of(self.encoder)(as_float(x))

    def decode(self, z: Tensor) -> Tensor:
        """The pixels of codes z [N, Z], in [0, 1] unless the decoder is linear, in the decoder's own shape [N, ...]."""
        output = Plan.of(self.decoder)(z)
        return torch.sigmoid(output) if self._output == "logits" else output

    def reconstruct(self, x: Tensor, noise: Noise | None = None, *, row_offset: int = 0) -> Tensor:
        """decode(encode(x)) in the shape of x [N, ...]; corrupted once before, as in training, if `noise` is given."""
        shape = x.shape
        if noise is not None:
            x = ops.corrupt(x, self.corruption, noise, row_offset=row_offset, site=Site.EVALUATION)[0]
        return self.decode(self.encode(x)).reshape(shape)

    @torch.no_grad()
    def validation_losses(self, x: Tensor, noise: Noise, *, row_offset: int = 0) -> dict[str, Tensor]:
        """Means over a batch x [N, ...] without an update: the reconstruction loss and the MSE, of corrupted inputs."""
        x_tilde = ops.corrupt(x, self.corruption, noise, row_offset=row_offset, site=Site.VALIDATION)[0]
        z = Plan.of(self.encoder)(x_tilde)
        error = self.decode(z).reshape(x.shape) - as_float(x)
        return {
            "reconstruction": self._reconstruction_loss(z, x),
            "mse": error.square().mean(),
        }

    sample = sample


class DAAE(AAE):
    """The denoising adversarial autoencoder: reconstructs x from x~ ~ c(x~ | x) and matches E(x~) to the prior.

    z_fake is the encoding of the same x~ as the reconstruction, by the updated encoder, or with `fresh_corruption` of a
    new one. Other arguments and errors as `AAE`. Source: Creswell and Bharath 2018, section III-B.
    """

    hyperparameters: ClassVar[tuple[str, ...]] = (*AAE.hyperparameters, "fresh_corruption")

    def __init__(
        self,
        encoder,
        decoder,
        discriminator,
        *,
        prior,
        corruption: Corruption,
        fresh_corruption: bool = False,
        **choices,
    ):
        super().__init__(encoder, decoder, discriminator, prior=prior, **choices)
        _require_corruption(corruption)
        self.corruption, self.fresh_corruption = corruption, fresh_corruption

    def _fake_codes(self, x: Tensor, x_tilde: Tensor, noise: Noise, row_offset: int) -> Tensor:
        if not self.fresh_corruption:
            return Plan.of(self.encoder)(x_tilde)
        return ops.encode_mean(self.encoder, x, self.corruption, noise, copies=1, row_offset=row_offset)


class IDAAE(AAE):
    """The integrating DAAE: z_fake is the mean of `copies` encodings of fresh corruptions (Algorithm 2).

    `integration` "inputs" averages the M corrupted inputs instead and encodes once, as the authors' released code does;
    it is the default of form="released", where the reconstruction starts from that mean too. Other arguments and errors
    as `AAE`; ValueError for copies < 1. Source: Creswell and Bharath 2018, section III-A1 and Algorithm 2.
    """

    hyperparameters: ClassVar[tuple[str, ...]] = (*AAE.hyperparameters, "copies", "integration")

    def __init__(
        self,
        encoder,
        decoder,
        discriminator,
        *,
        prior,
        corruption: Corruption,
        copies: int = 5,
        integration: str | None = None,
        **choices,
    ):
        super().__init__(encoder, decoder, discriminator, prior=prior, **choices)
        _require_corruption(corruption)
        self.integration = integration or ("encodings" if self.form == "paper" else "inputs")
        _require_choice("integration", self.integration, INTEGRATIONS)
        if self.form == "released" and self.integration == "encodings":
            raise ValueError("integration must be 'inputs' with form='released', got 'encodings'; use form='paper'")
        self.corruption, self.copies = corruption, whole_in("copies", copies, 1, COPIES_LIMIT)

    def _mean_input(self, x: Tensor, noise: Noise, row_offset: int, site: int) -> Tensor:
        return ops.corrupt(x, self.corruption, noise, copies=self.copies, row_offset=row_offset, site=site).mean(0)

    def _corrupt(self, x: Tensor, noise: Noise, row_offset: int) -> Tensor:
        if self.form == "released":
            return self._mean_input(x, noise, row_offset, Site.RECONSTRUCTION)
        return super()._corrupt(x, noise, row_offset)

    def _fake_codes(self, x: Tensor, x_tilde: Tensor, noise: Noise, row_offset: int) -> Tensor:
        if self.integration == "inputs":
            return Plan.of(self.encoder)(self._mean_input(x, noise, row_offset, Site.MATCHING))
        return ops.encode_mean(self.encoder, x, self.corruption, noise, copies=self.copies, row_offset=row_offset)
