"""`linear_mean` on a GPU: a layer's activations are averaged over copies where they are made.

The gradient makes the activations again from h and the weight: only the inputs are saved.
"""

import triton
import triton.language as tl
from torch import Tensor

from fastdaae.activation import Activation
from fastdaae.kernels.memory import empty
from fastdaae.kernels.triton.jit import activation as activations
from fastdaae.kernels.triton.jit.activation import activate, activation_gradient
from fastdaae.kernels.triton.jit.configs import mean_config
from fastdaae.kernels.triton.jit.corrupted_linear import weight_columns
from fastdaae.kernels.triton.jit.launch import launch
from fastdaae.kernels.triton.jit.noise import lowp


@triton.jit
def _activations(
    h_ptr, w_ptr, b_ptr, rows, copy, block, N, K, Z, slope,
    HAS_BIAS: tl.constexpr, ACT: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    """activation(h[copy, rows] W^T + b) for a block of outputs, float32 [BM, BN]."""
    outputs = block * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for col0 in range(0, K, BK):
        cols = col0 + tl.arange(0, BK)
        inside = (rows < N)[:, None] & (cols < K)[None, :]
        h = tl.load(h_ptr + (rows + copy * N)[:, None] * K + cols[None, :], mask=inside, other=0.0)
        w = weight_columns(w_ptr, block, col0, Z, K, BN, BK)
        acc = tl.dot(lowp(h, w_ptr.dtype.element_ty), w, acc, input_precision="tf32x3")
    if HAS_BIAS:
        acc += tl.load(b_ptr + outputs, mask=outputs < Z, other=0.0).to(tl.float32)[None, :]
    return activate(acc, slope, ACT)


@triton.jit
def _linear_mean_kernel(
    h_ptr, w_ptr, b_ptr, out_ptr, N, K, Z, M, slope,
    HAS_BIAS: tl.constexpr, ACT: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    pid = tl.program_id(0).to(tl.int64)
    blocks = tl.cdiv(Z, BN)
    rows = (pid // blocks) * BM + tl.arange(0, BM)
    block = (pid % blocks).to(tl.int32)
    outputs = block * BN + tl.arange(0, BN)
    total = tl.zeros((BM, BN), tl.float32)
    for copy in range(0, M):
        total += _activations(h_ptr, w_ptr, b_ptr, rows, copy, block, N, K, Z, slope, HAS_BIAS, ACT, BM, BN, BK)
    mean = lowp(total / M, out_ptr.dtype.element_ty)
    tl.store(out_ptr + rows[:, None] * Z + outputs[None, :], mean, mask=(rows < N)[:, None] & (outputs < Z)[None, :])


@triton.jit
def _input_gradient_kernel(
    grad_ptr, h_ptr, w_ptr, b_ptr, out_ptr, N, K, Z, M, slope,
    HAS_BIAS: tl.constexpr, ACT: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    pid = tl.program_id(0).to(tl.int64)
    blocks = tl.cdiv(Z, BN)
    rows = (pid // blocks) * BM + tl.arange(0, BM)
    block = (pid % blocks).to(tl.int32)
    outputs = block * BN + tl.arange(0, BN)
    inside = (rows < N)[:, None] & (outputs < Z)[None, :]
    place = rows[:, None] * Z + outputs[None, :]
    grad = tl.load(grad_ptr + place, mask=inside, other=0.0).to(tl.float32) / M
    for copy in range(0, M):
        y = _activations(h_ptr, w_ptr, b_ptr, rows, copy, block, N, K, Z, slope, HAS_BIAS, ACT, BM, BN, BK)
        one = lowp(activation_gradient(grad, y, slope, ACT), out_ptr.dtype.element_ty)
        tl.store(out_ptr + (tl.zeros((), tl.int64) + N) * copy * Z + place, one, mask=inside)


def _launch(kernel, tensors: tuple, h: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation) -> None:
    (copies, rows, inner), outputs = h.shape, weight.shape[0]
    config, (act, slope) = mean_config(rows, weight), activations.encoded(activation)
    programs = triton.cdiv(rows, config["BM"]) * triton.cdiv(outputs, config["BN"])
    arguments, flags = (rows, inner, outputs, copies, slope), {"HAS_BIAS": bias is not None, "ACT": act}
    launch(kernel, programs, config, h.device, *tensors, *arguments, **flags)


def linear_mean(h: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation) -> Tensor:
    """The mean over M of activation(h W^T + b) for contiguous h [M, N, K] and weight [Z, K]: [N, Z], dtype of h."""
    out = empty(h.shape[1], weight.shape[0], dtype=h.dtype, device=h.device)
    if out.numel():
        _launch(_linear_mean_kernel, (h, weight, bias, out), h, weight, bias, activation)
    return out


def linear_mean_backward(
    grad: Tensor, h: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation
) -> Tensor:
    """The gradient by h W^T + b of every copy, [M, N, Z] in the dtype of h, for grad [N, Z]."""
    out = empty(*h.shape[:2], weight.shape[0], dtype=h.dtype, device=h.device)
    if out.numel():
        _launch(_input_gradient_kernel, (grad, h, weight, bias, out), h, weight, bias, activation)
    return out
