"""What a decoder returns: logits for the loss, pixels for people and for the chain."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from fastdaae.ops.network import Plan

OUTPUTS = ("logits", "probabilities", "linear")
LOSSES = ("bce", "mse")


def infer_output(decoder: nn.Module, decoder_output: str | None) -> str:
    """The decoder's output in a word; "probabilities" for an `nn.Sequential` that ends in `nn.Sigmoid`."""
    if Plan.of(decoder).logits() is not None:
        if decoder_output not in (None, "probabilities"):
            raise ValueError(f"decoder ends in nn.Sigmoid, so decoder_output must be left out, got {decoder_output!r}")
        return "probabilities"
    if decoder_output not in OUTPUTS:
        raise ValueError(
            f"decoder_output must be one of {', '.join(map(repr, OUTPUTS))} for a decoder that is not an nn.Sequential "
            f"ending in nn.Sigmoid, got {decoder_output!r}"
        )
    return decoder_output


def reconstruction_loss(output: Tensor, target: Tensor, loss: str, kind: str, reduction: str = "mean") -> Tensor:
    """The loss of a decoder's raw output against targets: the mean over batch and features, 0-d; BCE in nats.

    kind "logits" | "probabilities" | "linear" says what the output is. BCE from logits is softplus(l) - x l. With
    reduction="none" the loss of each entry, in the shape of the output.
    """
    if loss == "mse":
        return functional.mse_loss(torch.sigmoid(output) if kind == "logits" else output, target, reduction=reduction)
    if kind == "logits":
        return functional.binary_cross_entropy_with_logits(output, target, reduction=reduction)
    return functional.binary_cross_entropy(output, target, reduction=reduction)


def gaussian_nats(squared_error: Tensor, deviation: float) -> Tensor:
    """-log N(x; mean, deviation^2) of entries, in nats, from their squared errors, or of the mean of these."""
    return squared_error / (2 * deviation**2) + math.log(deviation * math.sqrt(2 * math.pi))
