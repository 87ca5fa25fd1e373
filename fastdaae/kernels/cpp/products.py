"""Who multiplies a plain layer on the CPU: the C++ kernels, or PyTorch with its vendor's products.

MKL against C++, measured on two threads of a Xeon with 1000 inputs and outputs and weights outside the second-level
cache, GFLOP/s of C++ and of MKL with its elementwise passes (multiply-add ceiling 388):

    rows              64          128         320         1600
    forward           257, 229    288, 273    305, 296    301, 339
    input gradient    197, 240    236, 266    267, 291    281, 334
    weight gradient   206, 146    209, 271    264, 289    283, 304

On other processors MKL stays below half of the ceiling, so that C++ does everything there.
"""

import torch
from torch import Tensor

from fastdaae import backend
from fastdaae.kernels.compiled import load

MKL_MULTIPLIES = (
    backend.CPP_PROBLEM is None and torch.backends.mkl.is_available() and load().build_info()["vendor"] == "intel"
)
_LEAST_ROWS = {
    "forward": 513,
    "mean": 257,  # forward and backward together
    "input_gradient": 1,
    "weight_gradient": 97,
    "corrupted_weight_gradient": 257,  # with the corrupted rows made once more for it
}
# Below these sizes packing costs more than PyTorch's product takes. Measured on one thread of a Xeon with 1000 numbers
# on the other side: 320 rows to 10 outputs 0.18 ms against 0.09, to 64 outputs 0.37 against 0.25; 8 rows to 1000
# outputs 0.37 against 0.42, 4 rows 0.37 against 0.29. From 10 inputs the forward pass is up to twice PyTorch's speed,
# its gradients half of it.
_NARROW = 128
_FEWEST_ROWS = 8


def mkl_multiplies(product: str, rows: int, half: bool) -> bool:
    """Whether MKL is the faster one for a product of so many rows; a traced graph, which serves every number of rows,
    leaves them to C++."""
    if half or not MKL_MULTIPLIES or torch.compiler.is_compiling():
        return False
    return rows >= _LEAST_ROWS[product]


def packing_pays(rows: int, x: Tensor, weight: Tensor) -> bool:
    """Whether the C++ layer is faster than PyTorch's for so many rows like those of x, by the measurements above."""
    outputs, inputs = weight.shape
    trains = torch.is_grad_enabled() and (weight.requires_grad or x.requires_grad)
    wide = min(outputs, inputs if trains else outputs) >= _NARROW
    # a traced graph serves every number of rows
    return wide and (torch.compiler.is_compiling() or rows >= _FEWEST_ROWS)
