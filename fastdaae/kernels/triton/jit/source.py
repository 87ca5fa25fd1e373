"""A batch as kernels take it: the gather by index and the scaling of pixels on tiles, and a Draw in numbers."""

import math
from typing import NamedTuple

import triton
import triton.language as tl

from fastdaae.draw import Draw
from fastdaae.noise import MASK, require_rows

# arguments of no use to the compiler, and different from call to call
VALUES = ["a", "row_offset", "site_bits", "ahead"]
_KINDS = {"none": 0, "gaussian": 1, "clipped_gaussian": 2, "masking": 3, "salt_and_pepper": 4, "patches": 5}


class Encoded(NamedTuple):
    """The KIND of a Draw and the arguments (a, low, high, row_offset, site_bits, ahead) of every kernel that draws.

    `a` is the deviation, or of masking and salt-and-pepper the two integers that decide, in one: the last word that is
    changed, and from bit 32 the number of words that become `low`. Of patches it is the height and width of the image
    and of a rectangle, 16 bits each from the lowest on, and `high` their number.
    A corruption that changes nothing has KIND 0.
    """

    kind: int
    arguments: tuple[float | int, float, float, int, int, int]

    @classmethod
    def of(cls, draw: Draw, rows: int) -> "Encoded":
        """Raises ValueError for rows beyond the counter's 2^32, which a traced call could not know."""
        require_rows(draw.row_offset, rows)
        kind, a = _kind_and_amount(draw)
        # rows modulo 2^32, as the counter holds them; the site in the upper half of its word
        high = float(draw.patches) if kind == _KINDS["patches"] else draw.high
        return cls(kind, (a, draw.low, high, draw.row_offset & MASK, draw.site << 16, draw.ahead))


def _kind_and_amount(draw: Draw) -> tuple[int, float | int]:
    kind = _KINDS[draw.kind]
    if kind <= 2:
        return (0 if draw.kind == "gaussian" and draw.amount == 0.0 else kind), draw.amount
    if draw.kind == "patches":
        sizes = (*draw.image[-2:], draw.patch_height, draw.patch_width)
        packed = sum(size << 16 * place for place, size in enumerate(sizes))
        return (kind, _signed(packed)) if draw.patches else (0, 0.0)
    changed = _words_below(draw.amount)
    if changed == 0:
        return 0, 0.0
    lowered = _words_below(draw.amount / 2) if draw.kind == "salt_and_pepper" else 0
    return kind, _signed(lowered << 32 | (changed - 1))


def _signed(packed: int) -> int:
    """64 bits as the int64 that has them."""
    return packed - (1 << 64) if packed >= 1 << 63 else packed


def _words_below(probability: float) -> int:
    """How many words w have (w + 1/2) 2^-32 < probability: exact, every step keeps all its bits."""
    return max(0, math.ceil(probability * 2.0**32 - 0.5))


@triton.jit
def as_float(x):
    """A loaded tile as float32; uint8 means value / 255, rounded as a division rounds it."""
    if x.dtype == tl.uint8:
        # 1/255 in two parts, the first of 16 bits: its product is exact, with or without contraction to an FMA
        wide = x.to(tl.float32)
        return wide * 0.0039215087890625 + wide * 5.983839201917363e-08
    else:
        return x.to(tl.float32)


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
