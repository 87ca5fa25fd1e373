"""Our training step, and its peer: Algorithm 1 (Creswell and Bharath 2018) as a PyTorch user writes it."""

from collections.abc import Callable

import torch
from common import CODES, SIGMA, add_noise, product_flops
from gates import Gate
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

import fastdaae as fd
from fastdaae import noise as addressed
from fastdaae.noise import Noise, Site

BATCH = 64
LEARNING_RATE = 2e-4
Networks = tuple[nn.Module, nn.Module, nn.Module]  # encoder, decoder to logits, discriminator


def flops_of_step(copies: int) -> int:
    """The products that no step can do without; a backward pass costs two forward ones, less the input's gradient."""
    first, last = product_flops(BATCH, 784, 1000), product_flops(BATCH, 1000, CODES)
    body, discriminate = product_flops(BATCH, 784, 1000, 1000), product_flops(BATCH, CODES, 1000, 1000, 1)
    both_networks = 6 * (body + last) - first
    # the mean over copies can move before the last layer
    encodings = copies * (3 * body - first) + 3 * last
    real_and_fake = 2 * (3 * discriminate - product_flops(BATCH, CODES, 1000))
    return both_networks + encodings + real_and_fake + 2 * discriminate


def our_step(networks: Networks, copies: int | None, codes: int) -> tuple[nn.Module, Callable]:
    """An iDAAE of so many copies (None: an AAE) and its training step with fused Adam, which `step(batch)` runs."""
    choices = {"prior": fd.priors.Normal(codes), "decoder_output": "logits"}
    if copies is None:
        model = fd.AAE(*networks, **choices)
    else:
        model = fd.IDAAE(*networks, corruption=fd.corruptions.Gaussian(SIGMA), copies=copies, **choices)
    groups = model.parameter_groups()
    optimizers = {name: torch.optim.Adam(group, lr=LEARNING_RATE, fused=True) for name, group in groups.items()}
    return model, fd.compile_step(model, optimizers, seed=0)


class AddressedDraws:
    """The reference's noise of seed 0 at the addresses that our step reads, as a `draw` for the eager peer."""

    _SITES = {
        "reconstruction": Site.RECONSTRUCTION,
        "matching": Site.MATCHING,
        "prior": Site.PRIOR,
        "posterior": Site.POSTERIOR,
    }

    def __init__(self):
        self.noise = Noise(0)

    def __call__(self, name: str, *shape: int) -> Tensor:
        copies, rows, columns = (1, *shape) if len(shape) == 2 else shape
        drawn = addressed.normal(self.noise, rows, columns, copies=copies, site=self._SITES[name]).float()
        return drawn.reshape(shape)


def _random(name: str, *shape: int) -> Tensor:
    return torch.randn(shape)


class Eager:
    """An iDAAE (copies None: an AAE) in eager PyTorch; the copies of Algorithm 2 go through the encoder as one batch.

    At its best: gradients of the updated parameters alone, real and fake codes in one batch. `plain` is what people
    write: loss.backward(), one pass of the discriminator each. Adam is fused in both. `draw(name, *shape)` gives the
    standard normals of "reconstruction", "matching" and "prior", so that a gate can feed in other noise.
    """

    def __init__(self, networks: Networks, copies: int | None, draw=_random, plain=False, compiled=False):
        self.encoder, self.decoder, self.discriminator = networks
        self.copies, self.draw, self.plain = copies, draw, plain
        encoder, decoder = list(self.encoder.parameters()), list(self.decoder.parameters())
        self.parameters = {
            "reconstruction": encoder + decoder,
            "discriminator": list(self.discriminator.parameters()),
            "encoder": encoder,
        }
        self.optimizers = {
            name: torch.optim.Adam(group, lr=LEARNING_RATE, fused=True) for name, group in self.parameters.items()
        }
        if compiled:
            for part in ("reconstruction_loss", "fake_codes", "discriminator_loss", "encoder_loss"):
                setattr(self, part, torch.compile(getattr(self, part)))

    def reconstruction_loss(self, x: Tensor, noise: Tensor | None) -> Tensor:
        """The cross-entropy of a batch and its reconstruction."""
        return bce(self.decoder(self.encoder(x if noise is None else add_noise(x, noise))), x)

    def fake_codes(self, x: Tensor, noise: Tensor | None) -> Tensor:
        """Algorithm 2: the mean over the copies' encodings."""
        if noise is None:
            return self.encoder(x)
        x_tilde = add_noise(x, noise)
        return self.encoder(x_tilde.flatten(0, 1)).unflatten(0, (self.copies, len(x))).mean(0)

    def discriminator_loss(self, z_real: Tensor, z_fake: Tensor) -> Tensor:
        """The discriminator's cross-entropy, real against fake."""
        if self.plain:
            real, fake = self.discriminator(z_real), self.discriminator(z_fake)
        else:
            real, fake = self.discriminator(torch.cat((z_real, z_fake))).split((len(z_real), len(z_fake)))
        return bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))

    def encoder_loss(self, z_fake: Tensor) -> Tensor:
        """Minus the discriminator's loss on fake codes."""
        fake = self.discriminator(z_fake)
        return -bce(fake, torch.zeros_like(fake))

    def __call__(self, batch: Tensor) -> dict[str, Tensor]:
        """One step on a batch [N, D] of uint8 or pixels: {loss name: 0-d tensor}."""
        x = batch.float() / 255 if batch.dtype == torch.uint8 else batch
        corrupts = self.copies is not None
        drawn = self.draw("reconstruction", *x.shape) if corrupts else None
        reconstruction = self._update("reconstruction", self.reconstruction_loss(x, drawn))
        z_fake = self.fake_codes(x, self.draw("matching", self.copies, *x.shape) if corrupts else None)
        z_real = self.draw("prior", *z_fake.shape)
        discriminator = self._update("discriminator", self.discriminator_loss(z_real, z_fake.detach()))
        encoder = self._update("encoder", self.encoder_loss(z_fake))
        return {"reconstruction": reconstruction, "discriminator": discriminator, "encoder": encoder}

    def _update(self, name: str, loss: Tensor) -> Tensor:
        self.optimizers[name].zero_grad(set_to_none=True)
        loss.backward(inputs=None if self.plain else self.parameters[name])
        self.optimizers[name].step()
        return loss.detach()


def parameter_gate(ours: tuple[nn.Module, Callable], peer: Eager, batch: Tensor) -> Gate:
    """Our parameters against those of an eager peer on `AddressedDraws` after two steps: all but 1 in 1,000 are nearer.

    Adam divides by the gradient's size, and a unit at zero to rounding may lie on the other side of its kink: where a
    gradient nearly cancels, rounding then shows in the first steps.
    """
    model, step = ours
    for _ in range(2):
        step(batch)
        peer(batch)
        peer.draw.noise.advance()
    pairs = [
        zip(getattr(model, name).parameters(), getattr(peer, name).parameters(), strict=True)
        for name in ("encoder", "decoder", "discriminator")
    ]
    differences = torch.cat([(a - b).detach().abs().flatten() for pair in pairs for a, b in pair])
    error = float(differences.topk(1 + len(differences) // 1_000).values[-1])
    return Gate("parameter_error", error, 1e-5, "of a parameter after 2 steps")
