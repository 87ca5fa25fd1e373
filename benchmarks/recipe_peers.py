"""The models of the recipes as a PyTorch user writes them, with fused Adam.

A peer is called with a batch of uint8 images, as our training step is, and gives the same losses on the same noise.
"""

from collections.abc import Callable

import torch
from adversarial import AddressedDraws
from gates import Gate
from torch import Tensor, nn
from torch.nn import functional

Draw = Callable[..., Tensor]  # draw(name, rows, columns): standard normals
STEPS = 3  # that a gate compares


def random(name: str, *shape: int) -> Tensor:
    """PyTorch's own normals, whatever their name."""
    return torch.randn(shape)


class Peer:
    """What the peers share: one optimiser over some networks, and noise; a peer says what its losses are."""

    def __init__(self, networks: tuple[nn.Module, ...], draw: Draw = random):
        self.networks, self.draw = networks, draw
        self.optimizer = torch.optim.Adam(
            [p for network in networks for p in network.parameters()], lr=1e-3, fused=True
        )

    def losses(self, x: Tensor) -> dict[str, Tensor]:
        """The losses of a batch of pixels x, whose sum is minimised."""
        raise NotImplementedError

    def noise(self, name: str, x: Tensor) -> Tensor:
        """Standard normals in the shape of x."""
        return self.draw(name, len(x), x[0].numel()).reshape(x.shape)

    def __call__(self, batch: Tensor) -> dict[str, Tensor]:
        losses = self.losses(batch.float() / 255)
        self.optimizer.zero_grad(set_to_none=True)
        sum(losses.values()).backward()
        self.optimizer.step()
        return {name: loss.detach() for name, loss in losses.items()}


class Denoiser(Peer):
    """A denoising autoencoder of Gaussian noise, with the mean squared error."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, sigma: float, clips: bool, draw: Draw = random):
        super().__init__((encoder, decoder), draw)
        self.sigma, self.clips = sigma, clips

    def losses(self, x: Tensor) -> dict[str, Tensor]:
        """The reconstruction's."""
        encoder, decoder = self.networks
        noise = self.noise("reconstruction", x)
        x_tilde = torch.add(x, noise, alpha=self.sigma, out=noise)
        if self.clips:
            x_tilde.clamp_(0, 1)
        return {"reconstruction": functional.mse_loss(decoder(encoder(x_tilde)), x)}


def same_losses(ours: Callable, peer: Callable, batch: Tensor, *given: Tensor) -> Gate:
    """The losses of the first steps of ours and of a peer on the same noise, the worst of them relatively."""
    worst = 0.0
    for _ in range(STEPS):
        found, expected = ours(batch, *given), peer(batch, *given)
        worst = max(worst, *(abs(float(found[name]) / float(loss) - 1) for name, loss in expected.items()))
        if isinstance(peer.draw, AddressedDraws):
            peer.draw.noise.advance()
    return Gate("relative_loss_error", worst, 1e-4, f"of a loss within {STEPS} steps")
