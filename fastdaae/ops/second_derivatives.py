"""First derivatives in PyTorch's own operators, for create_graph=True: they can be differentiated to any order.

The kernels' gradients are numbers without a history, so that a gradient of them would silently lack what the saved
tensors contribute. A backward pass that is to be differentiated itself takes these functions in their place.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from fastdaae import reference
from fastdaae.ops.library_products import through_activation

_GAUSSIAN, _CLIPPED, _MASKING = 1, 2, 3  # kinds of corruption, as operators take them


def are_wanted() -> bool:
    """Whether the backward pass that asks is to be differentiated itself; never so in a traced graph."""
    return torch.is_grad_enabled() and not torch.compiler.is_compiling()


def gradient_through_corruption(
    grad: Tensor, x: Tensor, index: Tensor | None, state: Tensor, address: tuple, corrupt: Callable
) -> Tensor:
    """The gradient by x [R, D] of its corrupted copies with the gradient [copies, N, D]; `corrupt` is the kernel."""
    with torch.no_grad():
        passes = _passes(x, index, state, address, corrupt)
    grad = grad.float()
    per_row = (grad if passes is None else torch.where(passes, grad, 0.0)).sum(0)
    if index is not None:
        per_row = per_row.new_zeros(x.shape).index_add(0, index, per_row)
    return per_row.to(x.dtype)


def _passes(x: Tensor, index: Tensor | None, state: Tensor, address: tuple, corrupt: Callable) -> Tensor | None:
    """Where x~ follows x, bool [copies, N, D]; None for everywhere."""
    kind, amount, low, high, *draw = address
    if kind <= _GAUSSIAN:
        return None
    if kind == _CLIPPED:
        noisy = corrupt(x, index, state, _GAUSSIAN, amount, 0.0, 0.0, *draw)
        return (noisy >= low) & (noisy <= high)
    # salt, pepper and a mask change the same entries
    rows = x.shape[0] if index is None else index.shape[0]
    ones = x.new_ones((rows, x.shape[1]), dtype=torch.float32)
    return corrupt(ones, None, state, _MASKING, amount, 0.0, 0.0, *draw) > 0


def gradients_of_layer(
    grad: Tensor, y: Tensor | None, h: Tensor, weight: Tensor, activation: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients by h [M, N, K], weight [H, K] and the bias [H] of y = activation(h W^T + b), from grad [M, N, H]."""
    before = through_activation(grad.float(), None if y is None else y.float(), activation)
    by_weight = before.flatten(0, 1).T @ h.float().flatten(0, 1)
    return before @ weight.float(), by_weight.to(weight.dtype), before.sum((0, 1))


def gradients_of_mean(
    grad: Tensor, h: Tensor, weight: Tensor, bias: Tensor | None, activation: str, number: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients by h [M, N, K], weight and bias of the mean over M of activation(h W^T + b), from grad [N, H]."""
    bias = None if bias is None else bias.float()
    y = reference.activate(torch.nn.functional.linear(h.float(), weight.float(), bias), activation)
    shared = (grad.float() / h.shape[0]).expand_as(y)
    by_h, by_weight, by_bias = gradients_of_layer(shared, y, h, weight, number)
    return by_h.to(h.dtype), by_weight, by_bias
