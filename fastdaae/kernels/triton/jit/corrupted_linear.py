"""`corrupted_linear` on a GPU: x~ is made on chip, once, and every tile of the weight streams past it.

Output rows are numbered copies first, row * M + copy, so that the copies of a row share one read of x. A program keeps
x~ for its rows in pieces of BK columns (the last as narrow as D allows) and walks over its share of the H outputs.
Beyond the width that fits on chip, a tiled product makes the noise again for every block of outputs.
"""

import triton
import triton.language as tl
from torch import Tensor

from fastdaae.activation import Activation
from fastdaae.draw import Draw
from fastdaae.kernels.memory import empty, rows_of
from fastdaae.kernels.triton.jit import activation as activations
from fastdaae.kernels.triton.jit.activation import activate
from fastdaae.kernels.triton.jit.configs import forward_config, tiled_config
from fastdaae.kernels.triton.jit.launch import launch
from fastdaae.kernels.triton.jit.noise import corrupt_tile, lowp, state_words
from fastdaae.kernels.triton.jit.source import VALUES, Encoded, load_tile


@triton.jit
def corrupted_columns(
    x_ptr, index_ptr, rows, copies, col0, N, R, D, draw,
    DTYPE: tl.constexpr, KIND: tl.constexpr, HAS_INDEX: tl.constexpr, BM: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    """x~ for rows and copies [BM] and the columns from col0, as an operand of a product [BM, BK]."""
    row_offset, site_bits, low_key, high_key, step, a, low, high = draw
    x = load_tile(x_ptr, index_ptr, rows, col0 + tl.arange(0, BK), N, R, D, HAS_INDEX)
    key, amounts = (low_key, high_key, step), (a, low, high)
    x = corrupt_tile(x, rows + row_offset, col0, site_bits + copies, key, amounts, KIND, BM, BK)
    return lowp(x, DTYPE)


@triton.jit
def weight_columns(w_ptr, block, col0, H, D, BN: tl.constexpr, BK: tl.constexpr):
    """W^T for columns from col0 and the outputs of a block, as an operand [BK, BN]; 0 outside."""
    cols = col0 + tl.arange(0, BK)
    outputs = block * BN + tl.arange(0, BN)
    mask = (cols < D)[:, None] & (outputs < H)[None, :]
    w = tl.load(w_ptr + outputs[None, :].to(tl.int64) * D + cols[:, None], mask=mask, other=0.0)
    return lowp(w, w_ptr.dtype.element_ty)


@triton.jit
def _store_outputs(
    y_ptr, b_ptr, acc, rows, copies, hidden, N, H, slope, HAS_BIAS: tl.constexpr, ACT: tl.constexpr
):  # fmt: skip
    if HAS_BIAS:
        acc += tl.load(b_ptr + hidden, mask=hidden < H, other=0.0).to(tl.float32)[None, :]
    y = y_ptr + (copies * N + rows)[:, None] * H + hidden[None, :]
    value = lowp(activate(acc, slope, ACT), y_ptr.dtype.element_ty)
    tl.store(y, value, mask=(rows < N)[:, None] & (hidden < H)[None, :])


@triton.jit(do_not_specialize=VALUES)
def _stationary_kernel(
    x_ptr, index_ptr, state_ptr, w_ptr, b_ptr, y_ptr, N, R, D, H, M,
    a, low, high, row_offset, site_bits, ahead, slope, SPLITS,
    KIND: tl.constexpr, HAS_INDEX: tl.constexpr, HAS_BIAS: tl.constexpr, ACT: tl.constexpr,
    PIECES: tl.constexpr, LAST: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    pid = tl.program_id(0).to(tl.int64)
    flat = (pid // SPLITS) * BM + tl.arange(0, BM)
    rows = flat // M
    copies = flat - rows * M
    k0, k1, step = state_words(state_ptr, ahead)
    draw = (row_offset, site_bits, k0, k1, step, a, low, high)
    DTYPE: tl.constexpr = w_ptr.dtype.element_ty
    x_tilde = ()
    for piece in tl.static_range(PIECES):
        # without it the loads of all pieces are moved to the front, and their registers spill
        tl.debug_barrier()
        x_tilde = x_tilde + (
            corrupted_columns(
                x_ptr, index_ptr, rows, copies, piece * BK, N, R, D, draw,
                DTYPE, KIND, HAS_INDEX, BM, BK if piece < PIECES - 1 else LAST,
            ),
        )  # fmt: skip
    blocks = tl.cdiv(tl.cdiv(H, BN), SPLITS)
    first = (pid % SPLITS).to(tl.int32) * blocks
    for block in range(first, tl.minimum(first + blocks, tl.cdiv(H, BN))):
        acc = tl.zeros((BM, BN), tl.float32)
        for piece in tl.static_range(PIECES):
            w = weight_columns(w_ptr, block, piece * BK, H, D, BN, BK if piece < PIECES - 1 else LAST)
            acc = tl.dot(x_tilde[piece], w, acc, input_precision="tf32x3")
        _store_outputs(y_ptr, b_ptr, acc, rows, copies, block * BN + tl.arange(0, BN), N, H, slope, HAS_BIAS, ACT)


@triton.jit(do_not_specialize=VALUES)
def _tiled_kernel(
    x_ptr, index_ptr, state_ptr, w_ptr, b_ptr, y_ptr, N, R, D, H, M,
    a, low, high, row_offset, site_bits, ahead, slope,
    KIND: tl.constexpr, HAS_INDEX: tl.constexpr, HAS_BIAS: tl.constexpr, ACT: tl.constexpr,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    pid = tl.program_id(0).to(tl.int64)
    hidden_blocks = tl.cdiv(H, BN)
    flat = (pid // hidden_blocks) * BM + tl.arange(0, BM)
    rows = flat // M
    copies = flat - rows * M
    block = (pid % hidden_blocks).to(tl.int32)
    k0, k1, step = state_words(state_ptr, ahead)
    draw = (row_offset, site_bits, k0, k1, step, a, low, high)
    DTYPE: tl.constexpr = w_ptr.dtype.element_ty
    acc = tl.zeros((BM, BN), tl.float32)
    for col0 in range(0, D, BK):
        x_tilde = corrupted_columns(
            x_ptr, index_ptr, rows, copies, col0, N, R, D, draw, DTYPE, KIND, HAS_INDEX, BM, BK
        )  # fmt: skip
        w = weight_columns(w_ptr, block, col0, H, D, BN, BK)
        acc = tl.dot(x_tilde, w, acc, input_precision="tf32x3")
    _store_outputs(y_ptr, b_ptr, acc, rows, copies, block * BN + tl.arange(0, BN), N, H, slope, HAS_BIAS, ACT)


def corrupted_linear(
    x: Tensor,
    index: Tensor | None,
    state: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    activation: Activation,
    draw: Draw,
) -> Tensor:
    """activation(x~ W^T + b) for x [R, D] as `corruption.corrupt`, weight [H, D] and bias [H]: [copies, N, H].

    The result has the dtype of weight: float32 (products in three TF32 parts), bfloat16 or float16 (float32 sums).
    """
    rows, (hidden, columns) = rows_of(x, index), weight.shape
    out = empty(draw.copies, rows, hidden, dtype=weight.dtype, device=x.device)
    if out.numel() == 0:
        return out
    outputs, encoded, (act, slope) = rows * draw.copies, Encoded.of(draw, rows), activations.encoded(activation)
    sizes = (rows, x.shape[0], columns, hidden, draw.copies)
    arguments = (x, index, state, weight, bias, out, *sizes, *encoded.arguments, slope)
    flags = {"KIND": encoded.kind, "HAS_INDEX": index is not None, "HAS_BIAS": bias is not None, "ACT": act}
    config = forward_config(outputs, hidden, columns, weight)
    if config is not None:
        programs = triton.cdiv(outputs, config["BM"]) * config["SPLITS"]
        launch(_stationary_kernel, programs, config, x.device, *arguments, **flags)
        return out
    config = tiled_config(outputs, weight)
    programs = triton.cdiv(outputs, config["BM"]) * triton.cdiv(hidden, config["BN"])
    launch(_tiled_kernel, programs, config, x.device, *arguments, **flags)
    return out
