"""Addressed noise and corruptions on tiles in registers: the device functions that every Triton kernel shares."""

import math
import os

import triton
import triton.language as tl

# the interpreter knows no inline assembly, and its bfloat16 casts truncate: kernels are told by a constant
INTERPRET = os.environ.get("TRITON_INTERPRET") == "1"


def encode(kind: int, a: float, low: float, high: float) -> tuple[int, float | int, float, float]:
    """A corruption as `corrupt_tile` takes it: (KIND, a, low, high).

    `kind` and its parameters are those of the C++ kernel: 0 none, 1 Gaussian, 2 Gaussian clipped to [low, high],
    3 masking, 4 salt-and-pepper; `a` the standard deviation or the probability. For 3 and 4 the result's `a` packs the
    two integers that decide: the last word that is changed, and from bit 32 the number of words that become `low`.
    A corruption that changes nothing becomes KIND 0.
    """
    if kind in (0, 2) or (kind == 1 and a != 0.0):
        return kind, a, low, high
    changed = _words_below(a) if kind != 1 else 0
    if changed == 0:
        return 0, 0.0, 0.0, 0.0
    lowered = _words_below(a / 2) if kind == 4 else 0
    packed = lowered << 32 | (changed - 1)
    return kind, packed - (1 << 64) if packed >= 1 << 63 else packed, low, high


def _words_below(probability: float) -> int:
    """How many words w have (w + 1/2) 2^-32 < probability: exact, every step keeps all its bits."""
    return max(0, math.ceil(probability * 2.0**32 - 0.5))


@triton.jit
def state_words(state_ptr):
    """The key and the step of a noise state int64 [3], as three uint32 numbers."""
    low = tl.load(state_ptr).to(tl.uint32)
    high = tl.load(state_ptr + 1).to(tl.uint32)
    return low, high, tl.load(state_ptr + 2).to(tl.uint32)


@triton.jit
def philox(c0, c1, c2, c3, k0, k1):
    for _ in tl.static_range(10):
        # a 32 x 32 -> 64 bit product is one instruction; high and low halves on their own would be two
        first = c0.to(tl.uint64) * 0xD2511F53
        second = c2.to(tl.uint64) * 0xCD9E8D57
        c0 = (second >> 32).to(tl.uint32) ^ c1 ^ k0
        c2 = (first >> 32).to(tl.uint32) ^ c3 ^ k1
        c1 = second.to(tl.uint32)
        c3 = first.to(tl.uint32)
        k0 = tl.add(k0, 0x9E3779B9, sanitize_overflow=False)
        k1 = tl.add(k1, 0xBB67AE85, sanitize_overflow=False)
    return c0, c1, c2, c3


@triton.jit
def address_words(rows, col0, copy_and_site, step, k0, k1, BM: tl.constexpr, BK: tl.constexpr):
    """The four words of each counter of a tile: rows [BM], columns col0 .. col0 + BK - 1 (col0 a multiple of 4)."""
    quads = (col0 // 4 + tl.arange(0, BK // 4)).to(tl.uint32)
    none = tl.zeros((BM, BK // 4), tl.uint32)
    # per row, so that a tile may hold several copies
    copies = (tl.zeros((BM,), tl.int64) + copy_and_site).to(tl.uint32)
    return philox(
        none + quads[None, :], none + rows.to(tl.uint32)[:, None], none + copies[:, None], none + step, k0, k1
    )


@triton.jit
def interleave(w0, w1, w2, w3, BM: tl.constexpr, BK: tl.constexpr):
    return tl.reshape(tl.join(tl.join(w0, w2), tl.join(w1, w3)), (BM, BK))


@triton.jit
def approximate_log2(x, INTERP: tl.constexpr):
    if INTERP:
        return tl.log2(x)
    else:
        return tl.inline_asm_elementwise("lg2.approx.ftz.f32 $0, $1;", "=f,f", [x], tl.float32, is_pure=True, pack=1)


@triton.jit
def approximate_sqrt(x, INTERP: tl.constexpr):
    if INTERP:
        return tl.sqrt(x)
    else:
        return tl.inline_asm_elementwise("sqrt.approx.ftz.f32 $0, $1;", "=f,f", [x], tl.float32, is_pure=True, pack=1)


@triton.jit
def unit_circle(angle, INTERP: tl.constexpr):
    if INTERP:
        return tl.cos(angle), tl.sin(angle)
    else:
        c = tl.inline_asm_elementwise("cos.approx.ftz.f32 $0, $1;", "=f,f", [angle], tl.float32, is_pure=True, pack=1)
        s = tl.inline_asm_elementwise("sin.approx.ftz.f32 $0, $1;", "=f,f", [angle], tl.float32, is_pure=True, pack=1)
        return c, s


@triton.jit
def box_muller(u, v, INTERP: tl.constexpr):
    """Two normals of two words: r cos and r sin, r = sqrt(-2 ln f), f = (u + 1/2) 2^-32."""
    f = u.to(tl.float32) * 2.3283064365386963e-10 + 1.1641532182693481e-10
    far = approximate_log2(f, INTERP) * -1.3862943611198906
    # The approximate logarithm has an absolute error, which r amplifies near f = 1: from 31/32 on the complement g
    # keeps all its bits, and four terms of -2 ln(1 - g) leave a relative error of 2e-7.
    g = (~u).to(tl.float32) * 2.3283064365386963e-10 + 1.1641532182693481e-10
    near = g * (2.0 + g * (1.0 + g * (0.6666666666666666 + g * 0.5)))
    radius = approximate_sqrt(tl.where(u >= 0xF8000000, near, far), INTERP)
    cosine, sine = unit_circle(v.to(tl.int32, bitcast=True).to(tl.float32) * 1.4629180792671596e-09, INTERP)
    return radius * cosine, radius * sine


@triton.jit
def uniform_words_tile(
    rows, col0, copy_and_site, step, k0, k1, BM: tl.constexpr, BK: tl.constexpr, INTERP: tl.constexpr
):
    """The words of a tile, uint32 [BM, BK]: rows [BM] with their offset, copy_and_site one number or one a row."""
    w0, w1, w2, w3 = address_words(rows, col0, copy_and_site, step, k0, k1, BM, BK)
    return interleave(w0, w1, w2, w3, BM, BK)


@triton.jit
def normal_tile(rows, col0, copy_and_site, step, k0, k1, BM: tl.constexpr, BK: tl.constexpr, INTERP: tl.constexpr):
    """Standard normal numbers of a tile, float32 [BM, BK]; addresses as `uniform_words_tile`."""
    w0, w1, w2, w3 = address_words(rows, col0, copy_and_site, step, k0, k1, BM, BK)
    n0, n1 = box_muller(w0, w1, INTERP)
    n2, n3 = box_muller(w2, w3, INTERP)
    return interleave(n0, n1, n2, n3, BM, BK)


@triton.jit
def corrupt_tile(
    x,
    rows,
    col0,
    copy_and_site,
    step,
    k0,
    k1,
    a,
    low,
    high,
    KIND: tl.constexpr,
    BM: tl.constexpr,
    BK: tl.constexpr,
    INTERP: tl.constexpr,
):
    """x float32 [BM, BK] corrupted; (KIND, a, low, high) as `encode` makes them, addresses as `uniform_words_tile`."""
    if KIND == 0:
        return x
    elif KIND <= 2:
        noisy = x + a * normal_tile(rows, col0, copy_and_site, step, k0, k1, BM, BK, INTERP)
        if KIND == 2:
            # comparisons, not min and max: a NaN must stay one
            raised = tl.where(noisy < low, low, noisy)
            noisy = tl.where(raised > high, high, raised)
        return noisy
    else:
        words = uniform_words_tile(rows, col0, copy_and_site, step, k0, k1, BM, BK, INTERP)
        packed = (tl.zeros((1, 1), tl.int64) + a).to(tl.uint64, bitcast=True)
        if KIND == 3:
            return tl.where(words <= packed.to(tl.uint32), 0.0, x)
        else:
            salted = tl.where(words <= packed.to(tl.uint32), high, x)
            return tl.where(words < (packed >> 32).to(tl.uint32), low, salted)


@triton.jit
def passes_tile(
    x,
    rows,
    col0,
    copy_and_site,
    step,
    k0,
    k1,
    a,
    low,
    high,
    KIND: tl.constexpr,
    BM: tl.constexpr,
    BK: tl.constexpr,
    INTERP: tl.constexpr,
):
    """Where the derivative of `corrupt_tile` by x is 1 (elsewhere it is 0), bool [BM, BK]; the same arguments."""
    if KIND <= 1:
        return tl.full((BM, BK), 1, tl.int1)
    elif KIND == 2:
        noisy = x + a * normal_tile(rows, col0, copy_and_site, step, k0, k1, BM, BK, INTERP)
        return (noisy >= low) & (noisy <= high)
    else:
        words = uniform_words_tile(rows, col0, copy_and_site, step, k0, k1, BM, BK, INTERP)
        packed = (tl.zeros((1, 1), tl.int64) + a).to(tl.uint64, bitcast=True)
        return words > packed.to(tl.uint32)


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
def lowp(x, DTYPE: tl.constexpr, INTERP: tl.constexpr):
    """x rounded to DTYPE, to be multiplied or stored; float32 in the interpreter, which cannot multiply bfloat16."""
    if INTERP:
        if tl.bfloat16 == DTYPE:
            bits = x.to(tl.float32).to(tl.uint32, bitcast=True)
            even = tl.add(bits, 0x7FFF + ((bits >> 16) & 1), sanitize_overflow=False)
            return (even & 0xFFFF0000).to(tl.float32, bitcast=True)
        else:
            return x.to(DTYPE).to(tl.float32)
    else:
        return x.to(DTYPE)
