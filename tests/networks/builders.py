"""Every convolutional pair of the papers, small or whole, with the images that it is made for."""

from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from fastdaae import networks


class Pair(NamedTuple):
    """An encoder's and a decoder's builder, their arguments, the shape of an image and the numbers of its code."""

    encoder: Callable[..., nn.Sequential]
    decoder: Callable[..., nn.Sequential]
    image_shape: tuple[int, ...]
    numbers: int
    choices: dict = {}

    def build(self, **more) -> tuple[nn.Sequential, nn.Sequential]:
        return tuple(make(self.image_shape, **self.choices, **more) for make in (self.encoder, self.decoder))


_BLOCKS = networks.cae_block_encoder, networks.cae_block_decoder
_CAE = networks.cae_encoder, networks.cae_decoder
_TUTORIAL = networks.tutorial_encoder, networks.tutorial_decoder
_DCGAN = networks.dcgan_encoder, networks.dcgan_decoder
_TEXTBOOK = networks.textbook_encoder, networks.textbook_decoder

PAIRS = {
    "the report's first block": Pair(*_BLOCKS, (28, 28), 16 * 14 * 14),
    "its second": Pair(*_BLOCKS, (16, 14, 14), 16 * 7 * 7, {"filters": (16, 16), "kernel": 5}),
    "a block of three": Pair(*_BLOCKS, (3, 6, 4), 5 * 3 * 2, {"filters": (3, 4, 5), "kernel": 1}),
    "a block of one": Pair(*_BLOCKS, (1, 2, 2), 4, {"filters": (4,), "kernel": 3}),
    "CIFAR-10": Pair(*_CAE, (3, 32, 32), 32 * 4 * 4),
    "CUB": Pair(*_CAE, (3, 128, 128), 32 * 16 * 16, {"kernel": 5}),
    "CUB's second": Pair(*_CAE, (32, 16, 16), 256 * 2 * 2, {"filters": (64, 128, 256), "kernel": 5}),
    "grey and oblong": Pair(*_CAE, (12, 8), 6 * 3 * 2, {"filters": (4, 6)}),
    "the tutorial": Pair(*_TUTORIAL, (28, 28), 2048),
    "the tutorial in colour": Pair(*_TUTORIAL, (3, 16, 20), 128 * 1 * 2),
    "faces": Pair(*_DCGAN, (3, 64, 64), 200),
    "small faces": Pair(*_DCGAN, (3, 32, 16), 7, {"filters": 4, "code": 7}),
    "released faces": Pair(*_DCGAN, (16, 16), 5, {"filters": 4, "code": 5, "batch_norm": False}),
    "the textbook": Pair(*_TEXTBOOK, (28, 28), 3136),
    "the textbook in colour": Pair(*_TEXTBOOK, (3, 8, 12), 64 * 2 * 3),
}
