"""The encoder's operators: corruption plus first layer, mean over copies, and Algorithm 2 over them."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from fastdaae import backend as backends
from fastdaae import reference
from fastdaae.corruptions import Corruption
from fastdaae.noise import Noise, Site
from fastdaae.ops import checks
from fastdaae.ops.corruption import corrupt, extension_problem
from fastdaae.ops.splitting import split_last

# layers whose output for one row depends on the other rows of the batch
_BATCH_DEPENDENT = (nn.modules.batchnorm._BatchNorm,)


def corrupted_linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    corruption: Corruption | None,
    noise: Noise,
    *,
    copies: int = 1,
    activation: str = "relu",
    index: Tensor | None = None,
    row_offset: int = 0,
    site: int = Site.RECONSTRUCTION,
    backend: str = "auto",
) -> Tensor:
    """The first layer on corrupted inputs: activation(x~ W^T + b) for M copies of x [N, ...], as [copies, N, H].

    weight is [H, D] with D the flat size of a row, bias [H] or None; activation "relu", "sigmoid" or "none". The result
    has the dtype of weight. Differentiable in x, weight and bias. Addresses, index and errors as `corrupt`. With "cpp"
    the noise comes from the C++ kernel and the product from PyTorch.
    """
    checks.require_batch("x", x)
    checks.require_linear(weight, bias, x[:0].flatten(1).shape[1], activation)
    chosen = backends.choose("corrupted_linear", backend, {"cpp": extension_problem(x), "reference": None})
    x_tilde = corrupt(
        x,
        corruption,
        noise,
        copies=copies,
        index=index,
        row_offset=row_offset,
        site=site,
        dtype=weight.dtype,
        backend=chosen,
    )
    return reference.activate(nn.functional.linear(x_tilde.flatten(2), weight, bias), activation)


def linear_mean(
    h: Tensor, weight: Tensor, bias: Tensor | None, *, activation: str = "relu", backend: str = "auto"
) -> Tensor:
    """A layer averaged over copies: the mean over M of activation(h W^T + b) for h [M, N, K], as [N, H].

    Without an activation the mean is taken before the product, where it commutes. Differentiable in h, weight and bias.
    Raises ValueError for shapes that do not fit. Source: Creswell and Bharath 2018, Algorithm 2 (line 8).
    """
    checks.require_batch("h", h, floats_only=True)
    if h.dim() != 3 or h.shape[0] < 1:
        raise ValueError(f"h must have the shape [M, N, K] with M >= 1, got {list(h.shape)}")
    checks.require_linear(weight, bias, h.shape[2], activation)
    backends.choose("linear_mean", backend, {"reference": None})
    if activation == "none":
        return nn.functional.linear(h.mean(0), weight, bias)
    return reference.linear_mean(h, weight, bias, activation=activation)


def encode_mean(
    encoder: Callable[[Tensor], Tensor],
    x: Tensor,
    corruption: Corruption | None,
    noise: Noise,
    *,
    copies: int,
    index: Tensor | None = None,
    row_offset: int = 0,
    site: int = Site.MATCHING,
    backend: str = "auto",
) -> Tensor:
    """Algorithm 2: the mean of M encodings of fresh corruptions of x [N, ...], as [N, Z] in the dtype of the encoder.

    The copies go through the encoder as one batch and the mean is taken before a final `nn.Linear` of an
    `nn.Sequential`, both exact; an encoder with batch norm in training mode runs copy by copy. Differentiable in x and
    in the encoder's parameters. Addresses, index and errors as `corrupt`. Source: Creswell and Bharath 2018, Algorithm
    2.
    """
    checks.require_batch("x", x)
    chosen = backends.choose("encode_mean", backend, {"cpp": extension_problem(x), "reference": None})
    x_tilde = corrupt(
        x, corruption, noise, copies=copies, index=index, row_offset=row_offset, site=site, backend=chosen
    )
    if _depends_on_batch(encoder):
        return torch.stack([encoder(one_copy) for one_copy in x_tilde]).mean(0)
    split = split_last(encoder, nn.Linear)
    if split is None:
        return encoder(x_tilde.flatten(0, 1)).unflatten(0, x_tilde.shape[:2]).mean(0)
    body, last = split
    h = body(x_tilde.flatten(0, 1))
    if h.dim() != 2:
        return last(h).unflatten(0, x_tilde.shape[:2]).mean(0)
    return linear_mean(h.unflatten(0, x_tilde.shape[:2]), last.weight, last.bias, activation="none")


def _depends_on_batch(encoder: Callable) -> bool:
    modules = encoder.modules() if isinstance(encoder, nn.Module) else ()
    return any(isinstance(module, _BATCH_DEPENDENT) and module.training for module in modules)
