"""First derivatives in PyTorch's own operators, for create_graph=True: they can be differentiated to any order.

The kernels' gradients are numbers without a history, so that a gradient of them would silently lack what the saved
tensors contribute. A backward pass that is to be differentiated itself takes these functions in their place.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from fastdaae import reference
from fastdaae.activation import Activation
from fastdaae.draw import Draw

Corrupt = Callable[[Tensor, Tensor | None, Tensor, Draw], Tensor]


def are_wanted() -> bool:
    """Whether the backward pass that asks is to be differentiated itself; never so in a traced graph."""
    return torch.is_grad_enabled() and not torch.compiler.is_compiling()


def gradient_through_corruption(
    grad: Tensor, x: Tensor, index: Tensor | None, state: Tensor, draw: Draw, corrupt: Corrupt
) -> Tensor:
    """The gradient by x [R, D] of its corrupted copies with the gradient [copies, N, D]; `corrupt` is the kernel."""
    with torch.no_grad():
        passes = None if draw.passes_all else _passes(x, index, state, draw, corrupt)
    grad = grad.float()
    per_row = (grad if passes is None else torch.where(passes, grad, 0.0)).sum(0)
    if index is not None:
        per_row = per_row.new_zeros(x.shape).index_add(0, index, per_row)
    return per_row.to(x.dtype)


def _passes(x: Tensor, index: Tensor | None, state: Tensor, draw: Draw, corrupt: Corrupt) -> Tensor:
    """Where x~ follows x, bool [copies, N, D]."""
    if draw.kind == "clipped_gaussian":
        noisy = corrupt(x, index, state, draw._replace(kind="gaussian"))
        return (noisy >= draw.low) & (noisy <= draw.high)
    rows = x.shape[0] if index is None else index.shape[0]
    ones = x.new_ones((rows, x.shape[1]), dtype=torch.float32)
    if draw.kind == "patches":
        return corrupt(ones, None, state, draw._replace(low=0.0)) > 0
    # salt, pepper and a mask change the same entries
    return corrupt(ones, None, state, draw._replace(kind="masking")) > 0


def through_activation(grad: Tensor, y: Tensor | None, activation: Activation) -> Tensor:
    """The gradient before an activation, from the one after it and the activation's output y (None for "none")."""
    match activation.name:
        case "none":
            return grad
        case "relu":
            return torch.ops.aten.threshold_backward(grad, y, 0)
        case "leaky_relu":
            return torch.ops.aten.leaky_relu_backward(grad, y, activation.slope, True)
        case "sigmoid":
            return torch.ops.aten.sigmoid_backward(grad, y)
    return torch.ops.aten.tanh_backward(grad, y)


def gradients_of_layer(
    grad: Tensor, y: Tensor | None, h: Tensor, weight: Tensor, activation: Activation
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients by h [M, N, K], weight [H, K] and the bias [H] of y = activation(h W^T + b), from grad [M, N, H]."""
    before = through_activation(grad.float(), None if y is None else y.float(), activation)
    by_weight = before.flatten(0, 1).T @ h.float().flatten(0, 1)
    return before @ weight.float(), by_weight.to(weight.dtype), before.sum((0, 1))


def gradients_of_mean(
    grad: Tensor, h: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients by h [M, N, K], weight and bias of the mean over M of activation(h W^T + b), from grad [N, H]."""
    bias = None if bias is None else bias.float()
    y = reference.activate(torch.nn.functional.linear(h.float(), weight.float(), bias), activation)
    shared = (grad.float() / h.shape[0]).expand_as(y)
    by_h, by_weight, by_bias = gradients_of_layer(shared, y, h, weight, activation)
    return by_h.to(h.dtype), by_weight, by_bias
