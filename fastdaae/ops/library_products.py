"""Where MKL's products serve a plain float32 layer better than the engine's, and these layers on them.

Measured on two threads of a Xeon with 1000 inputs and outputs and weights outside the second-level cache, GFLOP/s of
the engine and of MKL with its elementwise passes (multiply-add ceiling 388):

    rows              64          128         320         1600
    forward           257, 229    288, 273    305, 296    301, 339
    input gradient    197, 240    236, 266    267, 291    281, 334
    weight gradient   206, 146    209, 271    264, 289    283, 304

On other processors MKL stays below half of the ceiling, so that the engine does everything there.
"""

import torch
from torch import Tensor

from fastdaae import backend as backends
from fastdaae.kernels import extension

MKL_MULTIPLIES = (
    backends.EXTENSION_PROBLEM is None
    and torch.backends.mkl.is_available()
    and extension.load().build_info()["vendor"] == "intel"
)
_LEAST_ROWS = {
    "forward": 513,
    "mean": 257,  # forward and backward together
    "input_gradient": 1,
    "weight_gradient": 97,
    "corrupted_weight_gradient": 257,  # with the corrupted rows made once more for it
}


def faster(product: str, rows: int) -> bool:
    """Whether MKL is the faster one for a float32 product of so many rows; a traced graph, which serves every number of
    rows, leaves them to the engine."""
    return MKL_MULTIPLIES and not torch.compiler.is_compiling() and rows >= _LEAST_ROWS[product]


def through_activation(grad: Tensor, y: Tensor | None, activation: int) -> Tensor:
    """The gradient before activation 0 none, 1 relu, 2 sigmoid, from the one after it and the layer's output y."""
    if activation == 0:
        return grad
    if activation == 1:
        return torch.ops.aten.threshold_backward(grad, y, 0)
    return torch.ops.aten.sigmoid_backward(grad, y)


def input_gradient(grad: Tensor, weight: Tensor, sums_copies: bool) -> Tensor:
    """[copies, N, D], or [N, D] summed over the copies, of the gradient [copies, N, H] before the activation."""
    return (grad[0] if len(grad) == 1 else grad.sum(0)) @ weight if sums_copies else grad @ weight


def weight_gradient(grad: Tensor, x_tilde: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of weight [H, D] and bias [H], from the one before the activation and the rows x~ [N, D]."""
    grad = grad.flatten(0, -2)
    return grad.T @ x_tilde, grad.sum(0)
