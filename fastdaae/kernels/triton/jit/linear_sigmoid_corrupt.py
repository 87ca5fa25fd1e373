"""`linear_sigmoid_corrupt` on a GPU: product, bias, sigmoid and noise on one tile, so that x need never be written."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from fastdaae.draw import Draw
from fastdaae.kernels.memory import empty
from fastdaae.kernels.triton.jit.configs import configuration
from fastdaae.kernels.triton.jit.launch import launch
from fastdaae.kernels.triton.jit.noise import corrupt_tile, lowp, state_words
from fastdaae.kernels.triton.jit.source import VALUES, Encoded

_GROUP = 8  # blocks of rows that walk over the columns together, for their shared reads of the weight

# BM rows x BN columns a tile, BK of the K inputs at a time
HALF = {
    "sm_80": dict(BM=128, BN=128, BK=64, num_warps=8, num_stages=3),
    "sm_90": dict(BM=128, BN=128, BK=64, num_warps=8, num_stages=3),
    "sm_100": dict(BM=128, BN=128, BK=64, num_warps=8, num_stages=3),
    "interpreter": dict(BM=32, BN=64, BK=64, num_warps=4, num_stages=1),
}
FULL = {
    "sm_80": dict(BM=128, BN=64, BK=32, num_warps=8, num_stages=3),
    "sm_90": dict(BM=128, BN=128, BK=32, num_warps=8, num_stages=3),
    "sm_100": dict(BM=128, BN=128, BK=32, num_warps=8, num_stages=3),
    "interpreter": dict(BM=32, BN=64, BK=64, num_warps=4, num_stages=1),
}


@triton.jit
def _tile_of(program, N, D, BM: tl.constexpr, BN: tl.constexpr, GROUP: tl.constexpr):
    """The program's (block of rows, block of columns): GROUP blocks of rows take one block of columns after another."""
    row_blocks, column_blocks = tl.cdiv(N, BM), tl.cdiv(D, BN)
    group = program // (GROUP * column_blocks)
    height = tl.minimum(row_blocks - group * GROUP, GROUP)
    within = program % (GROUP * column_blocks)
    return group * GROUP + within % height, within // height


@triton.jit
def _linear_tile(
    h_ptr, w_ptr, b_ptr, rows, col0, N, K, D,
    HAS_BIAS: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    """h W^T + b in float32, [BM, BN]; rows and columns past the end repeat the last."""
    columns = tl.minimum(col0 + tl.arange(0, BN), D - 1)
    inner = tl.arange(0, BK)
    h = h_ptr + tl.minimum(rows, N - 1)[:, None] * K + inner[None, :]
    w = w_ptr + columns.to(tl.int64)[None, :] * K + inner[:, None]
    dtype = h_ptr.dtype.element_ty
    total = tl.zeros((BM, BN), tl.float32)
    for k in range(0, K, BK):
        within = inner < K - k
        left = lowp(tl.load(h + k, within[None, :], 0.0), dtype)
        right = lowp(tl.load(w + k, within[:, None], 0.0), dtype)
        total = tl.dot(left, right, total, input_precision="tf32x3")
    if HAS_BIAS:
        total += tl.load(b_ptr + columns).to(tl.float32)[None, :]
    return total


@triton.jit
def _store_corrupted(
    x, noisy_ptr, clean_ptr, rows, col0, N, D, addressed, site_bits, key, amounts,
    KIND: tl.constexpr, KEEP: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr,
):  # fmt: skip
    columns = col0 + tl.arange(0, BN)
    inside = (rows < N)[:, None] & (columns < D)[None, :]
    place = rows[:, None] * D + columns[None, :]
    dtype = noisy_ptr.dtype.element_ty
    if KEEP:
        tl.store(clean_ptr + place, lowp(x, dtype), inside)
    noisy = corrupt_tile(x, addressed, col0, site_bits, key, amounts, KIND, BM, BN)
    tl.store(noisy_ptr + place, lowp(noisy, dtype), inside)


@triton.jit(do_not_specialize=["N", "units", *VALUES])
def linear_sigmoid_corrupt_kernel(
    h_ptr, w_ptr, b_ptr, state_ptr, first_ptr, noisy_ptr, clean_ptr, N, units, D, a, low, high, row_offset, site_bits,
    ahead, KIND: tl.constexpr, UNIT: tl.constexpr, HAS_BIAS: tl.constexpr, HAS_FIRST: tl.constexpr, KEEP: tl.constexpr,
    GROUP: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    row_block, column_block = _tile_of(tl.program_id(0), N, D, BM, BN, GROUP)
    rows = row_block.to(tl.int64) * BM + tl.arange(0, BM)
    col0 = column_block * BN
    # a multiplication that tells the compiler which power of two divides K, so that its loads are wide
    x = tl.sigmoid(_linear_tile(h_ptr, w_ptr, b_ptr, rows, col0, N, units * UNIT, D, HAS_BIAS, BM, BN, BK))
    key, amounts = state_words(state_ptr, ahead), (a, low, high)
    addressed = rows + row_offset
    if HAS_FIRST:
        addressed += tl.load(first_ptr)
    # noise for half of the tile at a time: its words take as many registers as the tile itself
    left, right = tl.split(tl.permute(tl.reshape(x, (BM, 2, BN // 2)), (0, 2, 1)))
    _store_corrupted(
        left, noisy_ptr, clean_ptr, rows, col0, N, D, addressed, site_bits, key, amounts, KIND, KEEP, BM, BN // 2
    )  # fmt: skip
    _store_corrupted(
        right, noisy_ptr, clean_ptr, rows, col0 + BN // 2, N, D, addressed, site_bits, key, amounts,
        KIND, KEEP, BM, BN // 2,
    )  # fmt: skip


def linear_sigmoid_corrupt(
    h: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    state: Tensor,
    first_row: Tensor | None,
    keep_clean: bool,
    draw: Draw,
) -> tuple[Tensor, Tensor]:
    """x~ [N, D], and x [N, D] or an empty tensor, in the dtype of h [N, K], which weight [D, K] and bias [D] share.

    Rows are numbered from row_offset + first_row[0]; first_row int64 [1] is read on the device, so that one captured
    graph serves every block of rows.
    """
    h, weight = h.contiguous(), weight.contiguous()
    bias = None if bias is None else bias.contiguous()
    (rows, inputs), columns = h.shape, len(weight)
    noisy = empty(rows, columns, dtype=h.dtype, device=h.device)
    clean = torch.empty_like(noisy) if keep_clean else noisy.new_empty(0)
    if noisy.numel() == 0:
        return noisy, clean
    if inputs == 0:
        h, weight, inputs = h.new_zeros(rows, 1), weight.new_zeros(columns, 1), 1
    unit = next(unit for unit in (16, 8, 4, 2, 1) if inputs % unit == 0)
    config, encoded = configuration(FULL if h.dtype == torch.float32 else HALF, h.device), Encoded.of(draw, rows)
    programs = triton.cdiv(rows, config["BM"]) * triton.cdiv(columns, config["BN"])
    flags = {"HAS_BIAS": bias is not None, "HAS_FIRST": first_row is not None, "KEEP": keep_clean}
    launch(
        linear_sigmoid_corrupt_kernel, programs, config, h.device,
        h, weight, bias, state, first_row, noisy, clean, rows, inputs // unit, columns, *encoded.arguments,
        KIND=encoded.kind, UNIT=unit, GROUP=_GROUP, **flags,
    )  # fmt: skip
    return noisy, clean
