"""The networks that fit images, by the name of an architecture."""

from collections.abc import Sequence

from torch import nn

from fastdaae.networks.cae import cae_decoder, cae_encoder
from fastdaae.networks.dcgan import FACES_CODE, dcgan_decoder, dcgan_encoder
from fastdaae.networks.parts import maps_of
from fastdaae.networks.textbook import textbook_decoder, textbook_encoder
from fastdaae.networks.tutorial import tutorial_decoder, tutorial_encoder
from fastdaae.schema import shortened

ARCHITECTURES = ("cae", "tutorial", "dcgan", "textbook")


def for_images(
    architecture: str, image_shape: Sequence[int], code: int | None = None, given: int | None = None
) -> dict[str, nn.Sequential]:
    """{"encoder", "decoder"} of a convolutional architecture for images [H, W] or [C, H, W], with codes [N, code].

    architecture is "cae" (up to three layers, as many as the sides halve), "tutorial", "dcgan" or "textbook"; the
    decoder ends in a sigmoid. Where `code` is None the code is the last maps as a row (DCGAN's has 200 numbers); the
    encoder gives `given` numbers, as many as a code by default (a VAE's gives two for each). Raises ValueError for
    another architecture and for images that it cannot take. Sources: the builders'.
    """
    if not isinstance(architecture, str) or architecture not in ARCHITECTURES:
        listed = ", ".join(map(repr, ARCHITECTURES))
        raise ValueError(f"architecture must be one of {listed}, got {shortened(architecture)}")
    given = code if given is None else given
    if architecture == "cae":
        filters = _layers(image_shape)
        encoder = cae_encoder(image_shape, filters, code=given)
        return {"encoder": encoder, "decoder": cae_decoder(image_shape, filters, code=code, output="sigmoid")}
    if architecture == "tutorial":
        return {"encoder": tutorial_encoder(image_shape, given), "decoder": tutorial_decoder(image_shape, code)}
    if architecture == "dcgan":
        code = FACES_CODE if code is None else code
        encoder = dcgan_encoder(image_shape, code if given is None else given)
        return {"encoder": encoder, "decoder": dcgan_decoder(image_shape, code)}
    return {"encoder": textbook_encoder(image_shape, given), "decoder": textbook_decoder(image_shape, code)}


def _layers(image_shape: Sequence[int]) -> tuple[int, ...]:
    """As many of the filters 8, 16 and 32 as the sides halve evenly."""
    _, height, width = maps_of(image_shape, 2, 2)
    return tuple(8 * 2**place for place in range(3) if height % 2 ** (place + 1) == width % 2 ** (place + 1) == 0)
