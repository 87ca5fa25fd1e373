"""`corrupt` on a GPU: gather, pixel scaling, noise and all copies in one pass, and its gradient."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from fastdaae.draw import Draw
from fastdaae.kernels.memory import empty, rows_of
from fastdaae.kernels.triton.jit.configs import elementwise_config
from fastdaae.kernels.triton.jit.launch import launch
from fastdaae.kernels.triton.jit.noise import corrupt_tile, lowp, passes_tile, state_words, tile_of
from fastdaae.kernels.triton.jit.source import VALUES, Encoded, load_tile


@triton.jit(do_not_specialize=VALUES)
def _corrupt_kernel(
    x_ptr, index_ptr, state_ptr, out_ptr, N, R, D, M, a, low, high, row_offset, site_bits, ahead,
    KIND: tl.constexpr, HAS_INDEX: tl.constexpr, BM: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    rows, noise_rows, col0, cols = tile_of(tl.program_id(0).to(tl.int64), D, row_offset, BM, BK)
    key, amounts = state_words(state_ptr, ahead), (a, low, high)
    x = load_tile(x_ptr, index_ptr, rows, cols, N, R, D, HAS_INDEX)
    inside = (rows < N)[:, None] & (cols < D)[None, :]
    out = out_ptr + rows[:, None] * D + cols[None, :]
    copy_size = tl.full((), 1, tl.int64) * N * D
    for copy in range(0, M):
        noisy = corrupt_tile(x, noise_rows, col0, site_bits + copy, key, amounts, KIND, BM, BK)
        tl.store(out + copy_size * copy, lowp(noisy, out_ptr.dtype.element_ty), mask=inside)


@triton.jit(do_not_specialize=VALUES)
def _corrupt_backward_kernel(
    grad_ptr, x_ptr, index_ptr, state_ptr, dx_ptr, N, R, D, M, a, low, high, row_offset, site_bits, ahead,
    KIND: tl.constexpr, HAS_INDEX: tl.constexpr, BM: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    rows, noise_rows, col0, cols = tile_of(tl.program_id(0).to(tl.int64), D, row_offset, BM, BK)
    key, amounts = state_words(state_ptr, ahead), (a, low, high)
    inside = (rows < N)[:, None] & (cols < D)[None, :]
    total = tl.zeros((BM, BK), tl.float32)
    x = total
    if KIND == 2:
        x = load_tile(x_ptr, index_ptr, rows, cols, N, R, D, HAS_INDEX)
    grad = grad_ptr + rows[:, None] * D + cols[None, :]
    copy_size = tl.full((), 1, tl.int64) * N * D
    for copy in range(0, M):
        one = tl.load(grad + copy_size * copy, mask=inside, other=0.0).to(tl.float32)
        passes = passes_tile(x, noise_rows, col0, site_bits + copy, key, amounts, KIND, BM, BK)
        total += tl.where(passes, one, 0.0)
    tl.store(dx_ptr + rows[:, None] * D + cols[None, :], total, mask=inside)


def _launch(kernel, tensors: tuple, x: Tensor, index: Tensor | None, draw: Draw) -> None:
    rows, columns = rows_of(x, index), x.shape[1]
    config, encoded = elementwise_config(rows), Encoded.of(draw, rows)
    programs = triton.cdiv(rows, config["BM"]) * triton.cdiv(columns, config["BK"])
    sizes = (rows, x.shape[0], columns, draw.copies)
    flags = {"KIND": encoded.kind, "HAS_INDEX": index is not None}
    launch(kernel, programs, config, x.device, *tensors, *sizes, *encoded.arguments, **flags)


def corrupt(x: Tensor, index: Tensor | None, state: Tensor, draw: Draw, dtype: torch.dtype) -> Tensor:
    """Corrupts rows of x [R, D] (uint8 as value / 255, or floating, contiguous) into `dtype` [copies, N, D].

    Row i of the result is row index[i] of x, or row i. A row whose index lies outside x is NaN where its values would
    show: nothing is read outside x, and nothing waits for the device to raise.
    """
    out = empty(draw.copies, rows_of(x, index), x.shape[1], dtype=dtype, device=x.device)
    if out.numel():
        _launch(_corrupt_kernel, (x, index, state, out), x, index, draw)
    return out


def corrupt_backward(grad: Tensor, x: Tensor, index: Tensor | None, state: Tensor, draw: Draw) -> Tensor:
    """The sum over copies of grad [copies, N, D] where x passed, float32 [N, D]: the gradient of each output row."""
    dx = empty(*grad.shape[1:], dtype=torch.float32, device=x.device)
    if dx.numel():
        _launch(_corrupt_backward_kernel, (grad, x, index, state, dx), x, index, draw)
    return dx
