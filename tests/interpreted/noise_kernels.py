"""Kernels that show the device functions of addressed noise, for the interpreter and for a GPU."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from fastdaae.kernels.triton.jit import noise


@triton.jit
def _draw(state_ptr, words_ptr, normals_ptr, row_offset, col0, word, BM: tl.constexpr, BK: tl.constexpr):
    key = noise.state_words(state_ptr, tl.zeros((), tl.int32))
    rows = tl.arange(0, BM).to(tl.int64) + row_offset
    place = tl.arange(0, BM)[:, None] * BK + tl.arange(0, BK)[None, :]
    tl.store(words_ptr + place, noise.uniform_words_tile(rows, col0, word, key, BM, BK).to(tl.int64))
    tl.store(normals_ptr + place, noise.normal_tile(rows, col0, word, key, BM, BK))


def tile(state: Tensor, rows: int, columns: int, *, row_offset: int, col0: int, word: int) -> tuple[Tensor, Tensor]:
    """(words int64, normals float32) [rows, columns] of one tile; sizes are powers of two."""
    words = torch.zeros(rows, columns, dtype=torch.int64, device=state.device)
    normals = torch.zeros(rows, columns, device=state.device)
    _draw[(1,)](state, words, normals, row_offset, col0, word, BM=rows, BK=columns)
    return words, normals


@triton.jit
def _normals_of(u_ptr, v_ptr, out_ptr, SIZE: tl.constexpr):
    lanes = tl.arange(0, SIZE)
    u, v = tl.load(u_ptr + lanes).to(tl.uint32), tl.load(v_ptr + lanes).to(tl.uint32)
    first, second = noise.box_muller(u, v)
    tl.store(out_ptr + lanes, first)
    tl.store(out_ptr + SIZE + lanes, second)


def normals_of_words(u: Tensor, v: Tensor) -> Tensor:
    """The two normals [2, n] of each pair of words, int64 [n], n a power of two."""
    found = torch.zeros(2, len(u), device=u.device)
    _normals_of[(1,)](u, v, found, SIZE=len(u))
    return found


def forced_words() -> tuple[Tensor, Tensor]:
    """Pairs of words [512]: the ends of both, both sides of where the complement takes over, and words between."""
    edges = [0, 1, 2, 255, 2**31 - 1, 2**31, 2**32 - 1, 2**32 - 2, 2**32 - 255, 0xF8000000, 0xF7FFFFFF, 0xF8000001]
    edges += [2**32 - 2**k for k in range(8, 28)]
    second = [torch.tensor(edges[:8]).repeat_interleave(32), torch.randint(0, 2**32, (256,))]
    return torch.tensor(edges * 16), torch.cat(second)
