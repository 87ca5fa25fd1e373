"""`linear_mean` on a GPU: a layer's activations are averaged over copies where they are made.

The gradient makes the activations again from h and the weight: only the inputs are saved.
"""

import triton
import triton.language as tl
from torch import Tensor

from fastdaae.kernels.memory import empty
from fastdaae.kernels.triton_configs import COMMON, mean_config, on_device
from fastdaae.kernels.triton_corrupted_linear import activate, weight_columns
from fastdaae.kernels.triton_corrupted_linear_backward import activation_gradient
from fastdaae.kernels.triton_noise import INTERPRET, lowp


@triton.jit
def _activations(
    h_ptr,
    w_ptr,
    b_ptr,
    rows,
    copy,
    block,
    N,
    K,
    Z,
    HAS_BIAS: tl.constexpr,
    ACT: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BK: tl.constexpr,
    INTERP: tl.constexpr,
):
    """activation(h[copy, rows] W^T + b) for a block of outputs, float32 [BM, BN]."""
    outputs = block * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for col0 in range(0, K, BK):
        cols = col0 + tl.arange(0, BK)
        inside = (rows < N)[:, None] & (cols < K)[None, :]
        h = tl.load(h_ptr + (rows + copy * N)[:, None] * K + cols[None, :], mask=inside, other=0.0)
        w = weight_columns(w_ptr, block, col0, Z, K, BN, BK, INTERP)
        acc = tl.dot(lowp(h, w_ptr.dtype.element_ty, INTERP), w, acc, input_precision="tf32x3")
    if HAS_BIAS:
        acc += tl.load(b_ptr + outputs, mask=outputs < Z, other=0.0).to(tl.float32)[None, :]
    return activate(acc, ACT)


@triton.jit
def _linear_mean_kernel(
    h_ptr,
    w_ptr,
    b_ptr,
    out_ptr,
    N,
    K,
    Z,
    M,
    HAS_BIAS: tl.constexpr,
    ACT: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BK: tl.constexpr,
    INTERP: tl.constexpr,
):
    pid = tl.program_id(0).to(tl.int64)
    blocks = tl.cdiv(Z, BN)
    rows = (pid // blocks) * BM + tl.arange(0, BM)
    block = (pid % blocks).to(tl.int32)
    outputs = block * BN + tl.arange(0, BN)
    total = tl.zeros((BM, BN), tl.float32)
    for copy in range(0, M):
        total += _activations(h_ptr, w_ptr, b_ptr, rows, copy, block, N, K, Z, HAS_BIAS, ACT, BM, BN, BK, INTERP)
    mean = lowp(total / M, out_ptr.dtype.element_ty, INTERP)
    tl.store(out_ptr + rows[:, None] * Z + outputs[None, :], mean, mask=(rows < N)[:, None] & (outputs < Z)[None, :])


@triton.jit
def _input_gradient_kernel(
    grad_ptr,
    h_ptr,
    w_ptr,
    b_ptr,
    out_ptr,
    N,
    K,
    Z,
    M,
    HAS_BIAS: tl.constexpr,
    ACT: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BK: tl.constexpr,
    INTERP: tl.constexpr,
):
    pid = tl.program_id(0).to(tl.int64)
    blocks = tl.cdiv(Z, BN)
    rows = (pid // blocks) * BM + tl.arange(0, BM)
    block = (pid % blocks).to(tl.int32)
    outputs = block * BN + tl.arange(0, BN)
    inside = (rows < N)[:, None] & (outputs < Z)[None, :]
    place = rows[:, None] * Z + outputs[None, :]
    grad = tl.load(grad_ptr + place, mask=inside, other=0.0).to(tl.float32) / M
    for copy in range(0, M):
        y = _activations(h_ptr, w_ptr, b_ptr, rows, copy, block, N, K, Z, HAS_BIAS, ACT, BM, BN, BK, INTERP)
        one = lowp(activation_gradient(grad, y, ACT), out_ptr.dtype.element_ty, INTERP)
        tl.store(out_ptr + (tl.zeros((), tl.int64) + N) * copy * Z + place, one, mask=inside)


def _launch(kernel, tensors: tuple, h: Tensor, weight: Tensor, bias: Tensor | None, activation: int) -> None:
    copies, rows, inner = h.shape
    config = mean_config(rows, weight)
    grid = (triton.cdiv(rows, config["BM"]) * triton.cdiv(weight.shape[0], config["BN"]),)
    flags = {"HAS_BIAS": bias is not None, "ACT": activation, "INTERP": INTERPRET}
    with on_device(h.device):
        kernel[grid](*tensors, rows, inner, weight.shape[0], copies, **flags, **config, **COMMON)


def linear_mean(h: Tensor, weight: Tensor, bias: Tensor | None, activation: int) -> Tensor:
    """The mean over M of activation(h W^T + b) for contiguous h [M, N, K] and weight [Z, K]: [N, Z], dtype of h."""
    out = empty(h.shape[1], weight.shape[0], dtype=h.dtype, device=h.device)
    if out.numel():
        _launch(_linear_mean_kernel, (h, weight, bias, out), h, weight, bias, activation)
    return out


def linear_mean_backward(grad: Tensor, h: Tensor, weight: Tensor, bias: Tensor | None, activation: int) -> Tensor:
    """The gradient by h W^T + b of every copy, [M, N, Z] in the dtype of h, for grad [N, Z]."""
    out = empty(*h.shape[:2], weight.shape[0], dtype=h.dtype, device=h.device)
    if out.numel():
        _launch(_input_gradient_kernel, (grad, h, weight, bias, out), h, weight, bias, activation)
    return out
