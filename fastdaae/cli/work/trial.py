"""Own networks are tried on two black images before anything else, so that what does not fit is told in one line."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fastdaae.cli.work.own_networks import OwnNetworks

_ROWS = 2


def require_fit(
    own: OwnNetworks,
    modules: Mapping[str, nn.Module],
    image_shape: tuple[int, ...] | None,
    code: int | None = None,
    *,
    posterior: bool = False,
) -> None:
    """Raises ValueError where networks do not take what they must, or return another shape.

    encoder [N, *image_shape] -> [N, code], decoder -> as many numbers as an image has, discriminator -> [N, 1]; `code`
    is that of a prior, or None where it may be any. With a `posterior` the encoder gives [N, 2 code], mean and log
    variance. Networks that are not there are not tried.
    """
    if image_shape is None or "encoder" not in modules:
        return
    black = torch.zeros(_ROWS, *image_shape, dtype=torch.float32, device="cpu")
    if black.dim() == 3 and not _takes(modules["encoder"], black) and _takes(modules["encoder"], black[:, None]):
        raise ValueError(
            f"the encoder of {own} takes [N, 1, H, W], and these images are [N, {', '.join(map(str, image_shape))}]; "
            f"begin it with torch.nn.Unflatten(1, (1, {image_shape[0]}))"
        )
    z = _tried(own, "encoder", modules, black)
    parts = 2 if posterior else 1
    expected = f"[2, {'2 Z' if posterior else 'Z'}]" if code is None else f"[2, {parts * code}]"
    rows = z.dim() == 2 and len(z) == _ROWS and z.shape[1] % parts == 0
    if not rows or code not in (None, z.shape[1] // parts):
        advice = f"; add --code {z.shape[1] // parts}" if rows else ""
        what = "codes, mean and log variance," if posterior else "codes"
        _refuse(own, "encoder", f"{what} {expected} of two images", z, advice)
    z = z.chunk(parts, dim=1)[0]
    if "decoder" in modules:
        x = _tried(own, "decoder", modules, z)
        if x.dim() < 2 or len(x) != _ROWS or x[0].numel() != math.prod(image_shape):
            _refuse(own, "decoder", f"two images {[_ROWS, *image_shape]}", x)
    if "discriminator" in modules:
        logits = _tried(own, "discriminator", modules, z)
        if list(logits.shape) != [_ROWS, 1]:
            _refuse(own, "discriminator", "logits [2, 1] of two codes", logits)


@torch.no_grad()
def _output(network: nn.Module, given: Tensor):
    was_training = network.training
    try:
        return network.eval()(given)
    finally:
        network.train(was_training)


def _takes(network: nn.Module, given: Tensor) -> bool:
    try:
        _output(network, given)
    except Exception:  # whatever a user's code raises
        return False
    return True


def _tried(own: OwnNetworks, name: str, modules: Mapping[str, nn.Module], given: Tensor) -> Tensor:
    with own.told(f"the {name} cannot take {list(given.shape)}"):
        made = _output(modules[name], given)
    if not isinstance(made, Tensor):
        raise ValueError(f"the {name} of {own} must return a tensor, got {type(made).__name__}")
    return made


def _refuse(own: OwnNetworks, name: str, expected: str, made: Tensor, advice: str = "") -> None:
    raise ValueError(f"the {name} of {own} must return {expected}, got {list(made.shape)}{advice}")
