"""Networks that can be rebuilt from a configuration: plain `nn.Sequential` modules that remember how they were made."""

from fastdaae.networks.cae import cae_block_decoder, cae_block_encoder, cae_decoder, cae_encoder
from fastdaae.networks.choosing import ARCHITECTURES, for_images
from fastdaae.networks.dcgan import dcgan_decoder, dcgan_encoder
from fastdaae.networks.dense import mlp
from fastdaae.networks.textbook import textbook_decoder, textbook_encoder
from fastdaae.networks.tutorial import tutorial_decoder, tutorial_encoder

__all__ = [
    "ARCHITECTURES",
    "cae_block_decoder",
    "cae_block_encoder",
    "cae_decoder",
    "cae_encoder",
    "dcgan_decoder",
    "dcgan_encoder",
    "for_images",
    "mlp",
    "textbook_decoder",
    "textbook_encoder",
    "tutorial_decoder",
    "tutorial_encoder",
]
