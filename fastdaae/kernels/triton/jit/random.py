"""Addressed draws as they are, without a batch."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from fastdaae.draw import Draw
from fastdaae.kernels.memory import empty
from fastdaae.kernels.triton.jit.configs import elementwise_config
from fastdaae.kernels.triton.jit.launch import launch
from fastdaae.kernels.triton.jit.noise import normal_tile, state_words, tile_of, uniform_words_tile
from fastdaae.kernels.triton.jit.source import VALUES, Encoded


@triton.jit(do_not_specialize=VALUES)
def _draw_kernel(
    state_ptr, out_ptr, N, D, M, a, low, high, row_offset, site_bits, ahead,
    NORMAL: tl.constexpr, BM: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    rows, noise_rows, col0, cols = tile_of(tl.program_id(0).to(tl.int64), D, row_offset, BM, BK)
    key = state_words(state_ptr, ahead)
    inside = (rows < N)[:, None] & (cols < D)[None, :]
    out = out_ptr + rows[:, None] * D + cols[None, :]
    copy_size = tl.full((), 1, tl.int64) * N * D
    for copy in range(0, M):
        if NORMAL:
            drawn = normal_tile(noise_rows, col0, site_bits + copy, key, BM, BK)
        else:
            words = uniform_words_tile(noise_rows, col0, site_bits + copy, key, BM, BK)
            drawn = (words.to(tl.float64) + 0.5) * 2.3283064365386963e-10
        tl.store(out + copy_size * copy, drawn, mask=inside)


def draws(state: Tensor, rows: int, columns: int, draw: Draw, dtype: torch.dtype) -> Tensor:
    """[copies, rows, columns] of standard normal numbers in float32, or of (word + 1/2) 2^-32 in float64."""
    out = empty(draw.copies, rows, columns, dtype=dtype, device=state.device)
    config, encoded = elementwise_config(rows), Encoded.of(draw, rows)
    programs = triton.cdiv(rows, config["BM"]) * triton.cdiv(columns, config["BK"])
    sizes, normal = (rows, columns, draw.copies), dtype == torch.float32
    if out.numel():
        launch(_draw_kernel, programs, config, state.device, state, out, *sizes, *encoded.arguments, NORMAL=normal)
    return out
