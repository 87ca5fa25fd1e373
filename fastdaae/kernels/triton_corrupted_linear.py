"""`corrupted_linear` on a GPU: x~ is made on chip, once, and every tile of the weight streams past it.

Output rows are numbered copies first, row * M + copy, so that the copies of a row share one read of x. A program keeps
x~ for its rows in pieces of BK columns (the last as narrow as D allows) and walks over its share of the H outputs.
Beyond the width that fits on chip, a tiled product makes the noise again for every block of outputs.
"""

import triton
import triton.language as tl
from torch import Tensor

from fastdaae.kernels.memory import empty
from fastdaae.kernels.triton_configs import COMMON, forward_config, on_device, tiled_config
from fastdaae.kernels.triton_noise import INTERPRET, corrupt_tile, lowp, state_words
from fastdaae.kernels.triton_source import Draw, load_tile, rows_of

_VALUES = ["a", "row_offset", "site_bits"]  # of no use to the compiler, and different from call to call


@triton.jit
def activate(y, ACT: tl.constexpr):
    """ACT 0 none, 1 relu, 2 sigmoid."""
    if ACT == 1:
        return tl.where(y < 0.0, 0.0, y)  # not max: a NaN must stay one
    elif ACT == 2:
        return tl.sigmoid(y)
    else:
        return y


@triton.jit
def corrupted_columns(
    x_ptr,
    index_ptr,
    rows,
    copies,
    col0,
    N,
    R,
    D,
    draw,
    DTYPE: tl.constexpr,
    KIND: tl.constexpr,
    HAS_INDEX: tl.constexpr,
    BM: tl.constexpr,
    BK: tl.constexpr,
    INTERP: tl.constexpr,
):
    """x~ for rows and copies [BM] and the columns from col0, as an operand of a product [BM, BK]."""
    row_offset, site_bits, step, k0, k1, a, low, high = draw
    x = load_tile(x_ptr, index_ptr, rows, col0 + tl.arange(0, BK), N, R, D, HAS_INDEX)
    words = site_bits + copies
    x = corrupt_tile(x, rows + row_offset, col0, words, step, k0, k1, a, low, high, KIND, BM, BK, INTERP)
    return lowp(x, DTYPE, INTERP)


@triton.jit
def weight_columns(w_ptr, block, col0, H, D, BN: tl.constexpr, BK: tl.constexpr, INTERP: tl.constexpr):
    """W^T for columns from col0 and the outputs of a block, as an operand [BK, BN]; 0 outside."""
    cols = col0 + tl.arange(0, BK)
    outputs = block * BN + tl.arange(0, BN)
    mask = (cols < D)[:, None] & (outputs < H)[None, :]
    w = tl.load(w_ptr + outputs[None, :].to(tl.int64) * D + cols[:, None], mask=mask, other=0.0)
    return lowp(w, w_ptr.dtype.element_ty, INTERP)


@triton.jit
def store_outputs(
    y_ptr, b_ptr, acc, rows, copies, hidden, N, H, HAS_BIAS: tl.constexpr, ACT: tl.constexpr, INTERP: tl.constexpr
):
    if HAS_BIAS:
        acc += tl.load(b_ptr + hidden, mask=hidden < H, other=0.0).to(tl.float32)[None, :]
    y = y_ptr + (copies * N + rows)[:, None] * H + hidden[None, :]
    value = lowp(activate(acc, ACT), y_ptr.dtype.element_ty, INTERP)
    tl.store(y, value, mask=(rows < N)[:, None] & (hidden < H)[None, :])


@triton.jit(do_not_specialize=_VALUES)
def _stationary_kernel(
    x_ptr,
    index_ptr,
    state_ptr,
    w_ptr,
    b_ptr,
    y_ptr,
    N,
    R,
    D,
    H,
    M,
    a,
    low,
    high,
    row_offset,
    site_bits,
    SPLITS,
    KIND: tl.constexpr,
    HAS_INDEX: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    ACT: tl.constexpr,
    PIECES: tl.constexpr,
    LAST: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BK: tl.constexpr,
    INTERP: tl.constexpr,
):
    pid = tl.program_id(0).to(tl.int64)
    flat = (pid // SPLITS) * BM + tl.arange(0, BM)
    rows = flat // M
    copies = flat - rows * M
    k0, k1, step = state_words(state_ptr)
    draw = (row_offset, site_bits, step, k0, k1, a, low, high)
    DTYPE: tl.constexpr = w_ptr.dtype.element_ty
    x_tilde = ()
    for piece in tl.static_range(PIECES):
        # without it the loads of all pieces are moved to the front, and their registers spill
        tl.debug_barrier()
        x_tilde = x_tilde + (
            corrupted_columns(
                x_ptr,
                index_ptr,
                rows,
                copies,
                piece * BK,
                N,
                R,
                D,
                draw,
                DTYPE,
                KIND,
                HAS_INDEX,
                BM,
                BK if piece < PIECES - 1 else LAST,
                INTERP,
            ),
        )
    blocks = tl.cdiv(tl.cdiv(H, BN), SPLITS)
    first = (pid % SPLITS).to(tl.int32) * blocks
    for block in range(first, tl.minimum(first + blocks, tl.cdiv(H, BN))):
        acc = tl.zeros((BM, BN), tl.float32)
        for piece in tl.static_range(PIECES):
            w = weight_columns(w_ptr, block, piece * BK, H, D, BN, BK if piece < PIECES - 1 else LAST, INTERP)
            acc = tl.dot(x_tilde[piece], w, acc, input_precision="tf32x3")
        store_outputs(y_ptr, b_ptr, acc, rows, copies, block * BN + tl.arange(0, BN), N, H, HAS_BIAS, ACT, INTERP)


@triton.jit(do_not_specialize=_VALUES)
def _tiled_kernel(
    x_ptr,
    index_ptr,
    state_ptr,
    w_ptr,
    b_ptr,
    y_ptr,
    N,
    R,
    D,
    H,
    M,
    a,
    low,
    high,
    row_offset,
    site_bits,
    KIND: tl.constexpr,
    HAS_INDEX: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    ACT: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BK: tl.constexpr,
    INTERP: tl.constexpr,
):
    pid = tl.program_id(0).to(tl.int64)
    hidden_blocks = tl.cdiv(H, BN)
    flat = (pid // hidden_blocks) * BM + tl.arange(0, BM)
    rows = flat // M
    copies = flat - rows * M
    block = (pid % hidden_blocks).to(tl.int32)
    k0, k1, step = state_words(state_ptr)
    draw = (row_offset, site_bits, step, k0, k1, a, low, high)
    DTYPE: tl.constexpr = w_ptr.dtype.element_ty
    acc = tl.zeros((BM, BN), tl.float32)
    for col0 in range(0, D, BK):
        x_tilde = corrupted_columns(
            x_ptr,
            index_ptr,
            rows,
            copies,
            col0,
            N,
            R,
            D,
            draw,
            DTYPE,
            KIND,
            HAS_INDEX,
            BM,
            BK,
            INTERP,
        )
        w = weight_columns(w_ptr, block, col0, H, D, BN, BK, INTERP)
        acc = tl.dot(x_tilde, w, acc, input_precision="tf32x3")
    store_outputs(y_ptr, b_ptr, acc, rows, copies, block * BN + tl.arange(0, BN), N, H, HAS_BIAS, ACT, INTERP)


def corrupted_linear(
    x: Tensor, index: Tensor | None, state: Tensor, weight: Tensor, bias: Tensor | None, draw: Draw, activation: int
) -> Tensor:
    """activation(x~ W^T + b) for x [R, D] as `triton_corrupt.corrupt`, weight [H, D] and bias [H]: [copies, N, H].

    The result has the dtype of weight: float32 (products in three TF32 parts), bfloat16 or float16 (float32 sums).
    """
    rows, (hidden, columns) = rows_of(x, index), weight.shape
    out = empty(draw.copies, rows, hidden, dtype=weight.dtype, device=x.device)
    if out.numel() == 0:
        return out
    outputs = rows * draw.copies
    config = forward_config(outputs, hidden, columns, weight)
    tensors = (x, index, state, weight, bias, out)
    numbers = (rows, x.shape[0], columns, hidden, draw.copies, draw.a, draw.low, draw.high)
    address = (draw.row_offset, draw.site_bits)
    flags = {"KIND": draw.kind, "HAS_INDEX": index is not None, "HAS_BIAS": bias is not None, "ACT": activation}
    with on_device(x.device):
        if config is not None:
            grid = (triton.cdiv(outputs, config["BM"]) * config["SPLITS"],)
            _stationary_kernel[grid](*tensors, *numbers, *address, **flags, INTERP=INTERPRET, **config, **COMMON)
        else:
            config = tiled_config(outputs, weight)
            grid = (triton.cdiv(outputs, config["BM"]) * triton.cdiv(hidden, config["BN"]),)
            _tiled_kernel[grid](*tensors, *numbers, *address, **flags, INTERP=INTERPRET, **config, **COMMON)
    return out
