"""The models of the recipes as a PyTorch user writes them, with fused Adam.

A peer is called with a batch of uint8 images, as our training step is, and gives the same losses on the same noise.
"""

from collections.abc import Callable

import torch
from gates import Gate
from torch import Tensor, nn
from torch.nn import functional

from fastdaae.networks.parts import Maps

Draw = Callable[..., Tensor]  # draw(name, rows, columns): standard normals
LEARNING_RATE = 1e-3
STEPS = 3  # that a gate compares


def as_written(network: nn.Module, channels_last: bool = False) -> nn.Module:
    """A network of ours of PyTorch's layers alone, the channels of its weights first in memory, or last."""
    if isinstance(network, nn.Sequential):
        layers = [(nn.Flatten(), nn.Unflatten(1, one.shape)) if isinstance(one, Maps) else (one,) for one in network]
        network = nn.Sequential(*(layer for some in layers for layer in some))
    return network.to(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


def random(name: str, *shape: int) -> Tensor:
    """PyTorch's own normals, whatever their name."""
    return torch.randn(shape)


class Peer:
    """What the peers share: one optimiser over some networks, and noise; a peer says what its losses are."""

    def __init__(self, networks: tuple[nn.Module, ...], draw: Draw = random):
        self.networks, self.draw = networks, draw
        parameters = [parameter for network in networks for parameter in network.parameters()]
        self.optimizer = torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)

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


class Variational(Peer):
    """A denoising variational autoencoder of Gaussian noise, its losses summed over pixels; decoder to logits."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, sigma: float, draw: Draw = random):
        super().__init__((encoder, decoder), draw)
        self.sigma = sigma

    def losses(self, x: Tensor) -> dict[str, Tensor]:
        """The cross-entropy of the reconstruction, and the divergence from the prior; nats an image."""
        encoder, decoder = self.networks
        noise = self.noise("reconstruction", x)
        mean, log_variance = encoder(torch.add(x, noise, alpha=self.sigma, out=noise)).chunk(2, 1)
        z = mean + torch.exp(0.5 * log_variance) * self.noise("posterior", mean)
        cross_entropy = functional.binary_cross_entropy_with_logits(decoder(z), x, reduction="sum")
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()
        return {"reconstruction": cross_entropy / len(x), "kl": divergence / len(x)}


class LearnedNoise(Peer):
    """A denoising autoencoder whose third network says how much noise each input gets, above a floor of 0.4.

    At its best: one pass forward, and each loss backward to its own parameters alone.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, transformer: nn.Module, weight: float, draw: Draw = random
    ):
        super().__init__((encoder, decoder, transformer), draw)
        self.weight = weight

    def losses(self, x: Tensor) -> dict[str, Tensor]:
        """The reconstruction's, and the same less the weight of the mean sigma."""
        encoder, decoder, transformer = self.networks
        sigma = 0.4 + 0.6 * transformer(x)
        reconstruction = functional.mse_loss(decoder(encoder(x + sigma * self.noise("reconstruction", x))), x)
        return {"reconstruction": reconstruction, "noise": reconstruction - self.weight * sigma.mean()}

    def __call__(self, batch: Tensor) -> dict[str, Tensor]:
        losses = self.losses(batch.float() / 255)
        encoder, decoder, transformer = (list(network.parameters()) for network in self.networks)
        found = torch.autograd.grad(losses["reconstruction"], [*encoder, *decoder], retain_graph=True)
        found += torch.autograd.grad(losses["noise"], transformer)
        for parameter, gradient in zip([*encoder, *decoder, *transformer], found, strict=True):
            parameter.grad = gradient
        self.optimizer.step()
        return {name: loss.detach() for name, loss in losses.items()}


class Classifying(Peer):
    """An encoder and a head, trained on the labels of its batch."""

    def __init__(self, encoder: nn.Module, head: nn.Module, labels: Tensor, draw: Draw = random):
        super().__init__((encoder, head), draw)
        self.labels = labels

    def losses(self, x: Tensor) -> dict[str, Tensor]:
        """The cross-entropy of the classes, in nats."""
        encoder, head = self.networks
        return {"classification": functional.cross_entropy(head(encoder(x)), self.labels)}


def same_steps(ours: Callable, peer: Callable, batch: Tensor) -> tuple[Gate, Gate]:
    """The first steps of ours and of a peer on the same noise: the worst loss, and their parameters after them.

    All but 1 in 100 parameters are nearer than a fifth of one step of Adam, which divides by the gradient's size: those
    of biases before a batch norm are 0 but for rounding.
    """
    worst = 0.0
    for _ in range(STEPS):
        found, expected = ours(batch), peer(batch)
        worst = max(worst, *(abs(float(found[name]) / float(loss) - 1) for name, loss in expected.items()))
        peer.draw.noise.advance()
    pairs = zip(trained(ours), trained(peer), strict=True)
    differences = torch.cat([(a - b).detach().abs().flatten() for a, b in pairs])
    error = float(differences.topk(1 + len(differences) // 100).values[-1])
    after = f"after {STEPS} steps"
    return Gate("relative_loss_error", worst, 1e-5, f"of a loss {after}"), Gate(
        "parameter_error", error, LEARNING_RATE / 5, after
    )


def trained(step: Callable) -> list[Tensor]:
    """What a step's optimisers train, each once, in the order of its networks."""
    optimizers = step.optimizers.values() if hasattr(step, "optimizers") else [step.optimizer]
    groups = [group["params"] for optimizer in optimizers for group in optimizer.param_groups]
    return list(dict.fromkeys(parameter for group in groups for parameter in group))
