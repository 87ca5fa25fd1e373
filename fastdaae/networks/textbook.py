"""The convolutional denoising autoencoder of the textbook chapter "Denoising Autoencoders", as it prints it."""

from collections.abc import Sequence

from torch import nn

from fastdaae.networks.parts import Maps, from_code, maps_of, remembering, to_code, to_images


def textbook_encoder(image_shape: Sequence[int] = (28, 28), code: int | None = None) -> nn.Sequential:
    """Convolutions of 3 with 32 and 64 filters, ReLU and pooled by 2 each.

    images [N, *image_shape] -> codes [N, 64 H/4 W/4], 3136 numbers for 28 x 28, or with a `code` [N, code] of a last
    layer. image_shape is (H, W) or (C, H, W) with sides that are multiples of 4. Raises ValueError for another. Source:
    the chapter's ConvDenoisingAutoencoder; pooling stands before ReLU, which gives the same numbers for less work.
    """
    maps = maps_of(image_shape, 4, 4)
    layers: list[nn.Module] = [
        Maps(*maps),
        nn.Conv2d(maps[0], 32, 3, padding=1),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.MaxPool2d(2),
        nn.ReLU(),
        *to_code((64, maps[1] // 4, maps[2] // 4), code),
    ]
    return remembering(layers, network="textbook_encoder", image_shape=list(image_shape), code=code)


def textbook_decoder(
    image_shape: Sequence[int] = (28, 28), code: int | None = None, output: str | None = "sigmoid"
) -> nn.Sequential:
    """The mirror of `textbook_encoder`: two transposed convolutions of 2 with stride 2, ReLU between them.

    codes [N, 64 H/4 W/4] or [N, code] -> images [N, *image_shape]; `output` is "sigmoid", None (linear), "tanh" or
    "relu". Errors as there. Source: the chapter's ConvDenoisingAutoencoder.
    """
    maps = maps_of(image_shape, 4, 4)
    layers: list[nn.Module] = [
        *from_code((64, maps[1] // 4, maps[2] // 4), code),
        nn.ConvTranspose2d(64, 32, 2, stride=2),
        nn.ReLU(),
        nn.ConvTranspose2d(32, maps[0], 2, stride=2),
        *to_images(image_shape, output),
    ]
    config = {"image_shape": list(image_shape), "code": code, "output": output}
    return remembering(layers, network="textbook_decoder", **config)
