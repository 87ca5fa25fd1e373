"""Reading a batch on tiles: the gather by index, the scaling of pixels, and what every launch over a batch passes."""

from typing import NamedTuple

import triton
import triton.language as tl
from torch import Tensor

from fastdaae.kernels.triton_noise import as_float, encode


@triton.jit
def load_tile(x_ptr, index_ptr, rows, cols, N, R, D, HAS_INDEX: tl.constexpr):
    """x[index[rows], cols] as float32 for rows int64 [BM] and cols [BK]; 0 outside [N, D], NaN for a row outside x."""
    inside = rows < N
    if HAS_INDEX:
        rows = tl.load(index_ptr + rows, mask=inside, other=0)
        valid = (rows >= 0) & (rows < R)
        mask = (inside & valid)[:, None] & (cols < D)[None, :]
        x = as_float(tl.load(x_ptr + rows[:, None] * D + cols[None, :], mask=mask, other=0))
        # an index cannot be checked without waiting for the device: nothing is read, and the result says so
        return tl.where(valid[:, None], x, float("nan"))
    else:
        mask = inside[:, None] & (cols < D)[None, :]
        return as_float(tl.load(x_ptr + rows[:, None] * D + cols[None, :], mask=mask, other=0))


class Draw(NamedTuple):
    """What identifies the corruption of a batch, as kernels take it."""

    kind: int
    a: float | int
    low: float
    high: float
    copies: int
    row_offset: int  # modulo 2^32, as the counter holds it
    site_bits: int  # the site in the upper half of the counter's word

    @classmethod
    def of(cls, kind: int, a: float, low: float, high: float, copies: int, row_offset: int, site: int) -> "Draw":
        """From the arguments of the registered operators."""
        return cls(*encode(kind, a, low, high), copies, row_offset & 0xFFFFFFFF, site << 16)


def rows_of(x: Tensor, index: Tensor | None) -> int:
    """The number of rows a batch has."""
    return x.shape[0] if index is None else index.shape[0]
