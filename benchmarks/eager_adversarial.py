"""The peer of our training step: Algorithm 1 (Creswell and Bharath 2018) as a PyTorch user writes it."""

import torch
from common import CODES, SIGMA, make_networks
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as bce


def _random(name: str, *shape: int) -> Tensor:
    return torch.randn(shape)


class EagerIDAAE:
    """An iDAAE with three fused Adam optimisers; the copies of Algorithm 2 go through the encoder as one batch.

    `draw(name, *shape)` gives the standard normals of "reconstruction", "matching" and "prior", so that a gate can feed
    in the noise of another implementation.
    """

    def __init__(self, copies: int, draw=_random, compiled: bool = False):
        self.encoder, self.decoder, self.discriminator = make_networks()
        self.copies, self.draw = copies, draw
        encoder, decoder = list(self.encoder.parameters()), list(self.decoder.parameters())
        self.reconstruction_optimizer = torch.optim.Adam(encoder + decoder, lr=2e-4, fused=True)
        self.discriminator_optimizer = torch.optim.Adam(self.discriminator.parameters(), lr=2e-4, fused=True)
        self.encoder_optimizer = torch.optim.Adam(encoder, lr=2e-4, fused=True)
        if compiled:
            for part in ("reconstruction_loss", "fake_codes", "discriminator_loss", "encoder_loss"):
                setattr(self, part, torch.compile(getattr(self, part)))

    def reconstruction_loss(self, x: Tensor, noise: Tensor) -> Tensor:
        return bce(self.decoder(self.encoder(x + SIGMA * noise)), x)

    def fake_codes(self, x: Tensor, noise: Tensor) -> Tensor:
        x_tilde = x + SIGMA * noise
        return self.encoder(x_tilde.flatten(0, 1)).unflatten(0, (self.copies, len(x))).mean(0)

    def discriminator_loss(self, z_real: Tensor, z_fake: Tensor) -> Tensor:
        real, fake = self.discriminator(z_real), self.discriminator(z_fake)
        return bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))

    def encoder_loss(self, z_fake: Tensor) -> Tensor:
        fake = self.discriminator(z_fake)
        return -bce(fake, torch.zeros_like(fake))

    def __call__(self, batch: Tensor) -> dict[str, Tensor]:
        x = batch.float() / 255
        reconstruction = self.reconstruction_loss(x, self.draw("reconstruction", *x.shape))
        _update(self.reconstruction_optimizer, reconstruction)
        z_fake = self.fake_codes(x, self.draw("matching", self.copies, *x.shape))
        z_real = self.draw("prior", len(x), CODES)
        discriminator = self.discriminator_loss(z_real, z_fake.detach())
        _update(self.discriminator_optimizer, discriminator)
        encoder = self.encoder_loss(z_fake)
        _update(self.encoder_optimizer, encoder)
        losses = {"reconstruction": reconstruction, "discriminator": discriminator, "encoder": encoder}
        return {name: loss.detach() for name, loss in losses.items()}


def _update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
