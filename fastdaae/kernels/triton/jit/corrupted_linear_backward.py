"""The gradient of `corrupted_linear` by weight and bias on a GPU: x~ is made again, not stored."""

import triton
import triton.language as tl
from torch import Tensor

from fastdaae.activation import Activation
from fastdaae.draw import Draw
from fastdaae.kernels.memory import empty, rows_of
from fastdaae.kernels.triton.jit import activation as activations
from fastdaae.kernels.triton.jit.activation import activation_gradient
from fastdaae.kernels.triton.jit.configs import weight_gradient_config
from fastdaae.kernels.triton.jit.corrupted_linear import corrupted_columns
from fastdaae.kernels.triton.jit.launch import launch
from fastdaae.kernels.triton.jit.noise import lowp, state_words
from fastdaae.kernels.triton.jit.source import VALUES, Encoded


@triton.jit(do_not_specialize=VALUES)
def _weight_gradient_kernel(
    grad_ptr, y_ptr, x_ptr, index_ptr, state_ptr, dw_ptr, db_ptr, N, R, D, H, M, OUTPUTS,
    a, low, high, row_offset, site_bits, ahead, slope,
    KIND: tl.constexpr, HAS_INDEX: tl.constexpr, ACT: tl.constexpr,
    BH: tl.constexpr, BD: tl.constexpr, BR: tl.constexpr,
):  # fmt: skip
    """dW[h, d] = sum over outputs of g[output, h] x~[output, d]; db[h] = sum of g, by the programs of column 0."""
    pid = tl.program_id(0)
    column_blocks = tl.cdiv(D, BD)
    hidden = (pid // column_blocks) * BH + tl.arange(0, BH)
    col0 = (pid % column_blocks) * BD
    cols = col0 + tl.arange(0, BD)
    k0, k1, step = state_words(state_ptr, ahead)
    draw = (row_offset, site_bits, k0, k1, step, a, low, high)
    DTYPE: tl.constexpr = dw_ptr.dtype.element_ty
    start = tl.zeros((), tl.int64)
    dw = tl.zeros((BH, BD), tl.float32)
    db = tl.zeros((BH,), tl.float32)
    for block in range(0, tl.cdiv(OUTPUTS, BR)):
        flat = (start + block) * BR + tl.arange(0, BR)
        rows = flat // M
        copies = flat - rows * M
        inside = (rows < N)[:, None] & (hidden < H)[None, :]
        place = (copies * N + rows)[:, None] * H + hidden[None, :]
        g = tl.load(grad_ptr + place, mask=inside, other=0.0).to(tl.float32)
        if ACT > 0:
            y = tl.load(y_ptr + place, mask=inside, other=0.0).to(tl.float32)
            g = activation_gradient(g, y, slope, ACT)
        x_tilde = corrupted_columns(
            x_ptr, index_ptr, rows, copies, col0, N, R, D, draw, DTYPE, KIND, HAS_INDEX, BR, BD
        )  # fmt: skip
        dw = tl.dot(tl.trans(lowp(g, DTYPE)), x_tilde, dw, input_precision="tf32x3")
        if col0 == 0:
            db += tl.sum(g, 0)
    within = (hidden < H)[:, None] & (cols < D)[None, :]
    tl.store(dw_ptr + hidden[:, None].to(tl.int64) * D + cols[None, :], lowp(dw, DTYPE), mask=within)
    if col0 == 0:
        tl.store(db_ptr + hidden, lowp(db, DTYPE), mask=hidden < H)


def weight_gradient(
    grad: Tensor, y: Tensor, x: Tensor, index: Tensor | None, state: Tensor, activation: Activation, draw: Draw
) -> tuple[Tensor, Tensor]:
    """(dW [H, D], db [H]) in the dtype of y, for grad and y [copies, N, H], the result of `corrupted_linear`.

    Sums are float32; products as in the forward pass. The batch is not split over programs, so that equal calls give
    equal gradients.
    """
    rows, columns, hidden = rows_of(x, index), x.shape[1], y.shape[2]
    dw = empty(hidden, columns, dtype=y.dtype, device=x.device)
    db = empty(hidden, dtype=y.dtype, device=x.device)
    if hidden == 0 or rows == 0 or columns == 0:
        return dw.zero_(), grad.sum((0, 1))
    encoded, (act, slope) = Encoded.of(draw, rows), activations.encoded(activation)
    config = weight_gradient_config(y, draw.kind)
    programs = triton.cdiv(hidden, config["BH"]) * triton.cdiv(columns, config["BD"])
    sizes = (rows, x.shape[0], columns, hidden, draw.copies, rows * draw.copies)
    arguments = (grad, y, x, index, state, dw, db, *sizes, *encoded.arguments, slope)
    flags = {"KIND": encoded.kind, "HAS_INDEX": index is not None, "ACT": act}
    launch(_weight_gradient_kernel, programs, config, x.device, *arguments, **flags)
    return dw, db
