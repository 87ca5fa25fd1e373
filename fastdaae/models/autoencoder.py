"""The autoencoder: what every model has, an encoder and a decoder, and the denoising model that these two are."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from fastdaae import corruptions, ops
from fastdaae.corruptions import Corruption
from fastdaae.models import decoding
from fastdaae.models.config import to_config
from fastdaae.models.describing import describe
from fastdaae.models.emphasis import as_emphasis, corrupted_entries
from fastdaae.models.fitting import require_fit, require_sizes
from fastdaae.models.sampling import sample
from fastdaae.models.shapes import as_images, as_shape, unlike
from fastdaae.noise import Noise, Site
from fastdaae.ops.network import Plan
from fastdaae.reference import as_float
from fastdaae.schema import shortened

Update = Callable[[str, Tensor], None]


def require_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raises ValueError, with the argument's name, for what is none of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {shortened(value)}")


def require_network(name: str, value) -> None:
    """Raises TypeError, with the argument's name and what to do, for what is no network."""
    if isinstance(value, nn.Module):
        return
    got, remedy = shortened(value), "make one, such as fastdaae.networks.mlp([784, 100, 10])"
    if isinstance(value, type):
        got, remedy = f"the class {value.__name__}", f"make one: {value.__name__}(...)"
    elif callable(value):
        got = f"the function {getattr(value, '__name__', type(value).__name__)}"
        remedy = "call it where it makes a network, or wrap it in a torch.nn.Module"
    raise TypeError(f"{name} must be a torch.nn.Module, got {got}; {remedy}")


class Autoencoder(nn.Module):
    """An autoencoder; with a `corruption` a denoising one, which reconstructs x from x~ ~ c(x~ | x).

    encoder [N, ...] -> [N, Z], decoder [N, Z] -> pixels (an `nn.Sequential` ending in `nn.Sigmoid`, or say what it
    returns in `decoder_output`: "logits", "probabilities" or "linear"). `loss` is "bce" (pixels in [0, 1]) or "mse".
    `image_shape` is the shape of one image, that the encoder takes and `decode`, `reconstruct` and `sample` give, also
    from a flat decoder; where it is None, `Trainer.fit` sets it to that of the training images. It has no prior:
    `sample` needs codes to start from. `emphasis` (alpha, beta) weighs each entry's loss, by alpha where the corruption
    took it and by beta where it is clean; the mean is over all entries. Masking an entry that is 0 takes it all the
    same, and Gaussian noise takes every entry. Raises ValueError for another choice, TypeError for what is no network,
    corruption or shape. Source: Vincent et al. 2010, section 3.4 for the emphasised loss.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        *,
        corruption: Corruption | None = None,
        loss: str = "bce",
        emphasis: tuple[float, float] | None = None,
        decoder_output: str | None = None,
        image_shape: Sequence[int] | None = None,
    ):
        super().__init__()
        require_network("encoder", encoder)
        require_network("decoder", decoder)
        corruptions.require(corruption)
        require_choice("loss", loss, decoding.LOSSES)
        self._output = decoding.infer_output(decoder, decoder_output)
        if loss == "bce" and self._output == "linear":
            raise ValueError("loss='bce' needs probabilities, and decoder_output='linear' has none; use loss='mse'")
        self.encoder, self.decoder, self.corruption = encoder, decoder, corruption
        self.loss, self.decoder_output, self.image_shape = loss, decoder_output, as_shape(image_shape)
        self.emphasis = as_emphasis(emphasis, corrupts=corruption is not None or self.draws_own_noise)
        require_sizes(self)

    @property
    def config(self) -> dict:
        """What makes this model, ready for JSON; a network or prior that is not ours stands as null."""
        return to_config(self)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The parameters of each update, each once: {update name: parameters}, in the order of the algorithm."""
        both = [*self.encoder.parameters(), *self.decoder.parameters()]
        return {"reconstruction": list(dict.fromkeys(both))}

    def plans(self) -> dict[str, Plan]:
        """{name: plan} of the networks, the model's submodules; good until a layer of them is replaced."""
        return {name: Plan.of(network) for name, network in self.named_children()}

    def step(
        self, x: Tensor, noise: Noise, update: Update, *, row_offset: int = 0, plans: dict[str, Plan] | None = None
    ) -> dict[str, Tensor]:
        """One training step on a batch x [N, ...] (uint8 or [0, 1] pixels); returns {loss name: 0-d tensor}.

        `update(name, loss)` takes one optimiser step on that group's parameters; row i of the batch reads the noise of
        row_offset + i; `plans` are those of `plans()`, which is read for this call where there are none.
        """
        plans = plans or self.plans()
        encoder, decoder = plans["encoder"], plans["decoder"]
        z = encoder(self.training_input(x, noise, row_offset))
        l_rec = self.emphasised_loss(decoder, z, x, noise, site=Site.RECONSTRUCTION, row_offset=row_offset)
        update("reconstruction", l_rec)
        return {"reconstruction": l_rec}

    def corrupted(self, x: Tensor, noise: Noise, *, site: int, row_offset: int = 0) -> Tensor:
        """x~ ~ c(x~ | x), once, in the shape of x [N, ...]; without a corruption the pixels of x as numbers.

        A class of one's own may override it for noise of its own, in training, reconstruction and chains alike; it then
        has corruption=None and draws at the address that it is given, by `fastdaae.ops.normal` or `uniform`.
        """
        return ops.corrupt(x, self.corruption, noise, row_offset=row_offset, site=site)[0]

    @property
    def draws_own_noise(self) -> bool:
        """Whether the class overrides `corrupted`."""
        return type(self).corrupted is not Autoencoder.corrupted

    def training_input(self, x: Tensor, noise: Noise, row_offset: int) -> Tensor:
        """What a training step encodes of a batch x [N, ...] to reconstruct it, in the shape of x."""
        return self.corrupted(x, noise, row_offset=row_offset, site=Site.RECONSTRUCTION)

    def reconstruction_loss(self, decoder: Plan | nn.Module, z: Tensor, x: Tensor) -> Tensor:
        """The mean loss over pixels of what `decoder` makes of codes z [N, Z], from logits where there are any; 0-d."""
        return self._loss(decoder, z, x, "mean")

    def emphasised_loss(
        self, decoder: Plan | nn.Module, z: Tensor, x: Tensor, noise: Noise, *, site: int, row_offset: int = 0
    ) -> Tensor:
        """`reconstruction_loss`, weighed by the emphasis where there is one, for an x~ drawn at this address; 0-d."""
        if self.emphasis is None:
            return self.reconstruction_loss(decoder, z, x)
        losses = self.losses_of_pixels(decoder, z, x)
        corrupted = corrupted_entries(self, x, noise, site=site, row_offset=row_offset)
        return (torch.where(corrupted.reshape(losses.shape), *self.emphasis) * losses).mean()

    def losses_of_pixels(self, decoder: Plan | nn.Module, z: Tensor, x: Tensor) -> Tensor:
        """The loss of each entry of what `decoder` makes of codes z [N, Z], in the decoder's shape [N, ...]."""
        return self._loss(decoder, z, x, "none")

    def _loss(self, decoder: Plan | nn.Module, z: Tensor, x: Tensor, reduction: str) -> Tensor:
        decoder = Plan.of(decoder)
        logits = decoder.logits()
        output = (logits or decoder)(z)
        kind = "logits" if logits else self._output
        return decoding.reconstruction_loss(output, as_float(x).reshape(output.shape), self.loss, kind, reduction)

    @property
    def loss_unit(self) -> str:
        """The unit of the reconstruction loss, for people."""
        return "pixel²" if self.loss == "mse" else "nats per pixel"

    def code_network(self) -> nn.Module:
        """The network of `encode`, [N, ...] -> [N, Z], for kernels that run it without gradients."""
        return self.encoder

    def take_images(self, images: Tensor) -> None:
        """Take the shape of training images [N, ...] as the model's.

        Raises ValueError where it has another one, and where its networks and its prior do not fit each other.
        """
        shape = tuple(images.shape[1:])
        if self.image_shape not in (None, shape):
            raise ValueError(unlike(self.image_shape, shape))
        require_fit(self, images[:2])
        self.image_shape = shape

    def encode(self, x: Tensor) -> Tensor:
        """The codes of clean inputs x [N, ...] (uint8 or [0, 1] pixels), [N, Z], deterministic."""
        return Plan.of(self.encoder)(as_float(x))

    def decode(self, z: Tensor) -> Tensor:
        """The pixels of codes z [N, Z], in [0, 1] unless the decoder is linear, as [N, *image_shape].

        Where the model knows no image_shape, in the decoder's own shape [N, ...]. Raises ValueError where the decoder
        gives another number of pixels.
        """
        output = Plan.of(self.decoder)(z)
        return as_images(torch.sigmoid(output) if self._output == "logits" else output, self.image_shape)

    def reconstruct(self, x: Tensor, noise: Noise | None = None, *, row_offset: int = 0) -> Tensor:
        """decode(encode(x)) as [N, *image_shape]; corrupted once before, as in training, if `noise` is given.

        Where the model knows no image_shape, in the shape of x [N, ...].
        """
        shape = x.shape
        if noise is not None:
            x = self.corrupted(x, noise, row_offset=row_offset, site=Site.EVALUATION)
        pixels = self.decode(self.encode(x))
        return pixels.reshape(shape) if self.image_shape is None else pixels

    def forward(self, x: Tensor, noise: Noise | None = None, *, row_offset: int = 0) -> Tensor:
        """`model(x)` is `model.reconstruct(x)`."""
        return self.reconstruct(x, noise, row_offset=row_offset)

    @torch.no_grad()
    def validation_losses(self, x: Tensor, noise: Noise, *, row_offset: int = 0) -> dict[str, Tensor]:
        """Means over a batch x [N, ...] without an update: the reconstruction loss and the MSE, of corrupted inputs."""
        z = Plan.of(self.encoder)(self.corrupted(x, noise, row_offset=row_offset, site=Site.VALIDATION))
        error = self.decode(z).reshape(x.shape) - as_float(x)
        l_rec = self.emphasised_loss(self.decoder, z, x, noise, site=Site.VALIDATION, row_offset=row_offset)
        return {"reconstruction": l_rec, "mse": error.square().mean()}

    sample = sample

    def __repr__(self) -> str:
        return describe(self)
