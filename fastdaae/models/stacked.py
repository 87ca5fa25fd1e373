"""`StackedAutoencoder`: autoencoders on top of each other, each on the codes of the one below."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from fastdaae import ops
from fastdaae.arguments import whole_in
from fastdaae.models.autoencoder import Autoencoder
from fastdaae.models.fitting import require_chain, require_sizes
from fastdaae.models.shapes import as_images, as_shape, unlike
from fastdaae.noise import Noise, Site
from fastdaae.ops.checks import COPIES_LIMIT
from fastdaae.ops.network import Plan
from fastdaae.schema import shortened

_BLOCK = ("encoder", "decoder", "encode", "decode")  # what a block has, as every autoencoder does


class StackedAutoencoder(Autoencoder):
    """Autoencoders on top of each other: block k encodes, and reconstructs, the codes of block k - 1.

    `blocks` are autoencoders from the images up, each with its own corruption and loss: f(x) = f_L(... f_1(x)) and
    g(z) = g_1(... g_L(z)). `fastdaae.training.pretrain` trains them greedily, one after the other, each on the clean
    codes of the block below (of a VAE the means); then the encoder is fine-tuned in a `Classifier`. Its own `step`
    trains all of them together: the first block's loss between x and g(f(x~)), x~ by the first block's corruption;
    what the blocks minimise besides, such as a VAE's divergence, has no part in it. It has the prior of its last block,
    where that has one. `image_shape` is the first block's. Raises TypeError for blocks that are no autoencoders and
    ValueError for none, for one whose layers do not take the codes below, and for another image_shape than the first
    block's. Source: Vincent et al. 2010, section 3.5; Jow's report, section 2.
    """

    blocks: Any  # an nn.ModuleList of autoencoders, whose methods nn.Module does not name

    def __init__(self, blocks: Sequence[nn.Module], *, image_shape: Sequence[int] | None = None):
        # the networks are the blocks', which hold them once
        nn.Module.__init__(self)
        self.blocks = nn.ModuleList(_autoencoders(blocks))
        first, last = self.blocks[0], self.blocks[-1]
        self.corruption, self.loss, self.decoder_output = first.corruption, first.loss, first.decoder_output
        shape = as_shape(image_shape)
        if shape is not None and self.image_shape not in (None, shape):
            raise ValueError(f"image_shape must be the first block's, {list(self.image_shape)}, got {list(shape)}")
        self.image_shape = shape or self.image_shape
        if hasattr(last, "prior"):
            self.prior = last.prior
        require_chain(self.blocks)
        require_sizes(self)

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """The shape of one image, which is the first block's; None where it is not known."""
        return getattr(self.blocks[0], "image_shape", None)

    @image_shape.setter
    def image_shape(self, shape: tuple[int, ...] | None) -> None:
        self.blocks[0].image_shape = shape

    @property
    def encoder(self) -> nn.Sequential:  # type: ignore[override]  # made of the blocks' networks whenever it is asked for
        """The blocks' encoders one after the other, from the images up."""
        return nn.Sequential(*(_encoding(block) for block in self.blocks))

    @property
    def decoder(self) -> nn.Sequential:  # type: ignore[override]
        """The blocks' decoders one after the other, from the top down; it returns what the first block's returns."""
        first, *above = self.blocks
        return nn.Sequential(*(_decoding(block) for block in reversed(above)), first.decoder)

    @property
    def draws_own_noise(self) -> bool:
        """Whether the first block's class overrides `corrupted`."""
        return self.blocks[0].draws_own_noise

    def plans(self) -> dict[str, Plan]:
        """{name: plan} of the whole encoder and the whole decoder; good until a layer of them is replaced."""
        return {"encoder": Plan.of(self.encoder), "decoder": Plan.of(self.decoder)}

    def corrupted(self, x: Tensor, noise: Noise, *, site: int, row_offset: int = 0) -> Tensor:
        """x~ ~ c(x~ | x) by the first block, in the shape of x [N, ...]."""
        return self.blocks[0].corrupted(x, noise, site=site, row_offset=row_offset)

    def emphasised_loss(
        self, decoder: Plan | nn.Module, z: Tensor, x: Tensor, noise: Noise, *, site: int, row_offset: int = 0
    ) -> Tensor:
        """The first block's loss with its emphasis, for an x~ drawn at this address; 0-d."""
        return self.blocks[0].emphasised_loss(decoder, z, x, noise, site=site, row_offset=row_offset)

    @property
    def loss_unit(self) -> str:
        """The unit of the first block's loss."""
        return self.blocks[0].loss_unit

    def reconstruction_loss(self, decoder: Plan | nn.Module, z: Tensor, x: Tensor) -> Tensor:
        """The first block's mean loss over pixels of what `decoder` makes of top codes z [N, Z]; 0-d."""
        return self.blocks[0].reconstruction_loss(decoder, z, x)

    def take_images(self, images: Tensor) -> None:
        """Take the shape of training images [N, ...] as the model's, and those of the codes as its blocks'.

        Raises ValueError where it has another one.
        """
        shape = tuple(images.shape[1:])
        if self.image_shape not in (None, shape):
            raise ValueError(unlike(self.image_shape, shape))
        x = images[:2].to(next(self.parameters()).device)
        with torch.no_grad(), _evaluating(self):
            for block in self.blocks:
                block.take_images(x)
                x = block.encode(x)

    def encode(self, x: Tensor) -> Tensor:
        """The top block's codes of clean inputs x [N, ...] (uint8 or [0, 1] pixels), [N, Z], deterministic."""
        for block in self.blocks:
            x = block.encode(x)
        return x

    def decode(self, z: Tensor) -> Tensor:
        """The pixels of top codes z [N, Z] as [N, *image_shape], decoded block by block."""
        for block in reversed(self.blocks):
            z = block.decode(z)
        return as_images(z, self.image_shape)

    @torch.no_grad()
    def sample_top_down(
        self, x: Tensor | None = None, n: int = 1, *, codes: Tensor | None = None, seed: int = 0, row_offset: int = 0
    ) -> Tensor:
        """n samples of each image x [N, ...] (or of its top `codes` [N, Z]) from the top down, [n, N, *image_shape].

        y_L ~ B(f(x)), then y_{k-1} ~ B(g_k(y_k)) for k = L, ..., 2, with independent components of those means, and the
        pixels are g_1(y_1), which are not sampled. Sample c of row i reads copy c, row row_offset + i at Site.TOP_DOWN,
        each layer a step of its own, so that pieces equal the whole. Raises ValueError for n < 1, for codes outside
        [0, 1], and unless one of x and `codes` is given. Source: Vincent et al. 2010, section 7; Jow's report, fig. 5.
        """
        n = whole_in("n", n, 1, COPIES_LIMIT)
        if (x is None) == (codes is None):
            raise ValueError(f"x or codes must be given, got {'neither' if x is None else 'both'}; give one of them")
        noise = Noise(seed, device=next(self.parameters()).device)
        with _evaluating(self):
            top = self.encode(x.to(noise.device)) if x is not None else torch.as_tensor(codes, device=noise.device)
            mean = top.expand(n, *top.shape)
            for layer, block in enumerate(reversed(self.blocks)):
                y = _bernoulli(mean, noise.ahead(layer), row_offset, len(self.blocks) - layer)
                mean = block.decode(y.flatten(0, 1)).unflatten(0, (n, len(top)))
        return as_images(mean, self.image_shape, leading=2)


class _evaluating:
    """A model in evaluation mode for a while; its blocks take the mode that it had."""

    def __init__(self, model: nn.Module):
        self._model, self._was_training = model, model.training

    def __enter__(self) -> None:
        self._model.eval()

    def __exit__(self, *error) -> None:
        self._model.train(self._was_training)


class _Method(nn.Module):
    """A block's own `encode` or `decode` as a network, whose parameters are those of the network that it calls."""

    def __init__(self, network: nn.Module, method):
        super().__init__()
        # a bound method is no module, so that the block's other networks stay out
        self.network, self._method = network, method

    def forward(self, x: Tensor) -> Tensor:
        return self._method(x)


def _encoding(block) -> nn.Module:
    plain = type(block).encode in (Autoencoder.encode, StackedAutoencoder.encode)
    return block.encoder if plain else _Method(block.encoder, block.encode)


def _decoding(block) -> nn.Module:
    """What makes codes of the block below of a block's own; as its layers, where they give rows of their right size."""
    plain = type(block).decode is Autoencoder.decode and len(block.image_shape or (1,)) == 1
    if not plain:
        return _Method(block.decoder, block.decode)
    return nn.Sequential(block.decoder, nn.Sigmoid()) if block.decoder_output == "logits" else block.decoder


def _bernoulli(mean: Tensor, noise: Noise, row_offset: int, block: int) -> Tensor:
    """One draw of each of the means [n, N, ...], 0 or 1."""
    low, high = (float(bound) for bound in mean.aminmax())
    if not (low >= 0 and high <= 1):
        raise ValueError(
            f"codes of block {block} must be in [0, 1] to be drawn from the top down, got {low:g}..{high:g}; end its "
            "encoder, and the decoder above it, in a sigmoid"
        )
    copies, rows, columns = mean.flatten(2).shape
    drawn = ops.uniform(rows, columns, noise, copies=copies, row_offset=row_offset, site=Site.TOP_DOWN)
    return (drawn < mean.flatten(2)).to(mean.dtype).reshape(mean.shape)


def _autoencoders(blocks) -> list[nn.Module]:
    if not isinstance(blocks, Iterable) or isinstance(blocks, nn.Module) and not isinstance(blocks, nn.ModuleList):
        raise TypeError(f"blocks must be a list of autoencoders, got {type(blocks).__name__}; pass [block, block]")
    blocks = list(blocks)
    if not blocks:
        raise ValueError("blocks must be at least one autoencoder, got none")
    for place, block in enumerate(blocks):
        if not (isinstance(block, nn.Module) and all(hasattr(block, name) for name in _BLOCK)):
            got = type(block).__name__ if isinstance(block, nn.Module) else shortened(block)
            raise TypeError(
                f"blocks[{place}] must be an autoencoder, got {got}; make one, such as "
                "fastdaae.models.Autoencoder(encoder, decoder)"
            )
    return blocks
