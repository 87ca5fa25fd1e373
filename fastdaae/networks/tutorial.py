"""The networks of the tutorial "Denoising Autoencoders" (OpenGenus), as its Keras code prints their layers and sizes.

Its listing of the code lost the lines of batch norm, leaky ReLU, pooling, upsampling and reshaping; its summaries, with
93,568 and 92,943 numbers in all, have them, and are what is built. Keras counts the moving mean and variance of batch
norm (here buffers) with the parameters. Its defaults hold: a leaky slope of 0.3, batch norm with epsilon 1e-3 and
momentum 0.99 (PyTorch's 0.01), weights by Glorot's uniform and biases 0, which matter at its learning rate of 3e-6.
"""

from collections.abc import Sequence

from torch import nn

from fastdaae.networks.parts import Maps, from_code, maps_of, remembering, to_code, to_images


def tutorial_encoder(image_shape: Sequence[int] = (28, 28), code: int | None = None) -> nn.Sequential:
    """Convolutions of 3 with 32, 64 and 128 filters, batch norm and leaky ReLU each, pooled by 2 between them.

    images [N, *image_shape] -> codes [N, 128 (H/4 - 3) (W/4 - 3)], 2048 numbers for 28 x 28, or with a `code` [N, code]
    of a last layer. image_shape is (H, W) or (C, H, W) with sides that are multiples of 4, at least 16. Raises
    ValueError for another. Source: OpenGenus, "Denoising Autoencoders", its first summary.
    """
    maps = maps_of(image_shape, 4, 16)
    layers = [
        Maps(*maps),
        *_normalised(nn.Conv2d(maps[0], 32, 3, padding=1)),
        nn.MaxPool2d(2),
        *_normalised(nn.Conv2d(32, 64, 3)),
        nn.MaxPool2d(2),
        *_normalised(nn.Conv2d(64, 128, 3)),
        *to_code(_smallest(maps), code),
    ]
    network = remembering(layers, network="tutorial_encoder", image_shape=list(image_shape), code=code)
    return network.apply(_start_as_keras)


def tutorial_decoder(
    image_shape: Sequence[int] = (28, 28), code: int | None = None, output: str | None = "sigmoid"
) -> nn.Sequential:
    """The mirror of `tutorial_encoder`: transposed convolutions of 3 with 64 and 32 filters, upsampled by 2, and two.

    codes [N, 128 (H/4 - 3) (W/4 - 3)] or [N, code] -> images [N, *image_shape]; `output` is "sigmoid", None (linear),
    "tanh" or "relu". The last two layers have as many filters as the images channels. Errors as there. Source:
    OpenGenus, "Denoising Autoencoders", its second summary.
    """
    maps = maps_of(image_shape, 4, 16)
    channels = maps[0]
    layers = [
        *from_code(_smallest(maps), code),
        *_normalised(nn.ConvTranspose2d(128, 64, 3)),
        nn.Upsample(scale_factor=2),
        *_normalised(nn.ConvTranspose2d(64, 32, 3, padding=1)),
        nn.Upsample(scale_factor=2),
        *_normalised(nn.ConvTranspose2d(32, channels, 3)),
        nn.ConvTranspose2d(channels, channels, 3),
        *to_images(image_shape, output),
    ]
    config = {"image_shape": list(image_shape), "code": code, "output": output}
    return remembering(layers, network="tutorial_decoder", **config).apply(_start_as_keras)


def _smallest(maps: tuple[int, int, int]) -> tuple[int, int, int]:
    # two convolutions without padding, the first of them before the second pooling
    return 128, maps[1] // 4 - 3, maps[2] // 4 - 3


def _normalised(layer: nn.Conv2d | nn.ConvTranspose2d) -> list[nn.Module]:
    return [layer, nn.BatchNorm2d(layer.out_channels, eps=1e-3, momentum=0.01), nn.LeakyReLU(0.3)]


def _start_as_keras(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
