"""Addressed noise and corruptions on tiles in registers: the device functions that every Triton kernel shares.

A `key` is what `state_words` gives. Rows [BM] come with their offset, columns are col0 .. col0 + BK - 1 with col0 a
multiple of 4, and `copies`, the counter's word for copy and site, is one number or one a row.
"""

import os

import triton
import triton.language as tl

# the interpreter knows no inline assembly, and its bfloat16 casts truncate
INTERPRET = tl.constexpr(os.environ.get("TRITON_INTERPRET") == "1")


@triton.jit
def state_words(state_ptr, ahead):
    """(low half of the seed, its high half, `ahead` steps after the step) of a noise state int64 [3], as uint32."""
    low = tl.load(state_ptr).to(tl.uint32)
    high = tl.load(state_ptr + 1).to(tl.uint32)
    step = tl.load(state_ptr + 2).to(tl.uint32)
    return low, high, tl.add(step, ahead.to(tl.uint32), sanitize_overflow=False)


@triton.jit
def tile_of(program, columns, row_offset, BM: tl.constexpr, BK: tl.constexpr):
    """(rows, rows with their offset, first column, columns) of a program: column by column, then row by row."""
    column_blocks = tl.cdiv(columns, BK)
    rows = (program // column_blocks) * BM + tl.arange(0, BM)
    col0 = (program % column_blocks).to(tl.int32) * BK
    return rows, rows + row_offset, col0, col0 + tl.arange(0, BK)


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
def address_words(rows, col0, copies, key, BM: tl.constexpr, BK: tl.constexpr):
    """The four words of each counter of a tile."""
    k0, k1, step = key
    quads = (col0 // 4 + tl.arange(0, BK // 4)).to(tl.uint32)
    none = tl.zeros((BM, BK // 4), tl.uint32)
    # per row, so that a tile may hold several copies
    copies = (tl.zeros((BM,), tl.int64) + copies).to(tl.uint32)
    return philox(
        none + quads[None, :], none + rows.to(tl.uint32)[:, None], none + copies[:, None], none + step, k0, k1
    )


@triton.jit
def interleave(w0, w1, w2, w3, BM: tl.constexpr, BK: tl.constexpr):
    return tl.reshape(tl.join(tl.join(w0, w2), tl.join(w1, w3)), (BM, BK))


@triton.jit
def approximate_log2(x):
    if INTERPRET:
        return tl.log2(x)
    else:
        return tl.inline_asm_elementwise("lg2.approx.ftz.f32 $0, $1;", "=f,f", [x], tl.float32, is_pure=True, pack=1)


@triton.jit
def approximate_sqrt(x):
    if INTERPRET:
        return tl.sqrt(x)
    else:
        return tl.inline_asm_elementwise("sqrt.approx.ftz.f32 $0, $1;", "=f,f", [x], tl.float32, is_pure=True, pack=1)


@triton.jit
def unit_circle(angle):
    if INTERPRET:
        return tl.cos(angle), tl.sin(angle)
    else:
        c = tl.inline_asm_elementwise("cos.approx.ftz.f32 $0, $1;", "=f,f", [angle], tl.float32, is_pure=True, pack=1)
        s = tl.inline_asm_elementwise("sin.approx.ftz.f32 $0, $1;", "=f,f", [angle], tl.float32, is_pure=True, pack=1)
        return c, s


@triton.jit
def box_muller(u, v):
    """Two normals of two words: r cos and r sin, r = sqrt(-2 ln f), f = (u + 1/2) 2^-32."""
    f = u.to(tl.float32) * 2.3283064365386963e-10 + 1.1641532182693481e-10
    far = approximate_log2(f) * -1.3862943611198906
    # The approximate logarithm has an absolute error, which r amplifies near f = 1: from 31/32 on the complement g
    # keeps all its bits, and four terms of -2 ln(1 - g) leave a relative error of 2e-7.
    g = (~u).to(tl.float32) * 2.3283064365386963e-10 + 1.1641532182693481e-10
    near = g * (2.0 + g * (1.0 + g * (0.6666666666666666 + g * 0.5)))
    radius = approximate_sqrt(tl.where(u >= 0xF8000000, near, far))
    cosine, sine = unit_circle(v.to(tl.int32, bitcast=True).to(tl.float32) * 1.4629180792671596e-09)
    return radius * cosine, radius * sine


@triton.jit
def uniform_words_tile(rows, col0, copies, key, BM: tl.constexpr, BK: tl.constexpr):
    """The words of a tile, uint32 [BM, BK]."""
    w0, w1, w2, w3 = address_words(rows, col0, copies, key, BM, BK)
    return interleave(w0, w1, w2, w3, BM, BK)


@triton.jit
def normal_tile(rows, col0, copies, key, BM: tl.constexpr, BK: tl.constexpr):
    """Standard normal numbers of a tile, float32 [BM, BK]."""
    w0, w1, w2, w3 = address_words(rows, col0, copies, key, BM, BK)
    n0, n1 = box_muller(w0, w1)
    n2, n3 = box_muller(w2, w3)
    return interleave(n0, n1, n2, n3, BM, BK)


@triton.jit
def _in_rectangle(top_word, left_word, y, x, sizes):
    """Whether pixels (y, x) [BK] lie in the rectangle that two words a row [BM] place, bool [BM, BK]."""
    image_height, image_width, height, width = sizes
    top = ((top_word.to(tl.uint64) * (image_height - height + 1)) >> 32).to(tl.int32)
    left = ((left_word.to(tl.uint64) * (image_width - width + 1)) >> 32).to(tl.int32)
    # before the rectangle the difference wraps to a large number
    down, right = (y[None, :] - top[:, None]).to(tl.uint32), (x[None, :] - left[:, None]).to(tl.uint32)
    return (down < height.to(tl.uint32)) & (right < width.to(tl.uint32))


@triton.jit
def patched_tile(x, rows, col0, copies, key, sizes, patches, fill, BM: tl.constexpr, BK: tl.constexpr):
    """x [BM, BK] with its row's rectangles filled: rectangle r lies where the words of columns 2r and 2r + 1 say.

    `sizes`, packed, and the number of `patches` are those of `source.Encoded`. Filled one after the other, since a
    tile that remembers where they lie would cost the registers of another x.
    """
    k0, k1, step = key
    sizes = tl.zeros((), tl.int64) + sizes
    image_height, image_width = (sizes & 0xFFFF).to(tl.int32), ((sizes >> 16) & 0xFFFF).to(tl.int32)
    unpacked = (image_height, image_width, ((sizes >> 32) & 0xFFFF).to(tl.int32), ((sizes >> 48) & 0xFFFF).to(tl.int32))
    place = (col0 + tl.arange(0, BK)) % (image_height * image_width)
    y_of, x_of = place // image_width, place % image_width
    none = tl.zeros((BM,), tl.uint32)
    copies = (tl.zeros((BM,), tl.int64) + copies).to(tl.uint32)
    count = (tl.zeros((), tl.float32) + patches).to(tl.int32)
    for pair in range(0, (count + 1) // 2):
        w0, w1, w2, w3 = philox((none + pair).to(tl.uint32), none + rows.to(tl.uint32), copies, none + step, k0, k1)
        x = tl.where(_in_rectangle(w0, w1, y_of, x_of, unpacked), fill, x)
        if 2 * pair + 1 < count:
            x = tl.where(_in_rectangle(w2, w3, y_of, x_of, unpacked), fill, x)
    return x


@triton.jit
def corrupt_tile(x, rows, col0, copies, key, amounts, KIND: tl.constexpr, BM: tl.constexpr, BK: tl.constexpr):
    """x float32 [BM, BK] corrupted; KIND and the amounts (a, low, high) are those of `source.Encoded`."""
    a, low, high = amounts
    if KIND == 0:
        return x
    elif KIND <= 2:
        noisy = x + a * normal_tile(rows, col0, copies, key, BM, BK)
        if KIND == 2:
            # comparisons, not min and max: a NaN must stay one
            raised = tl.where(noisy < low, low, noisy)
            noisy = tl.where(raised > high, high, raised)
        return noisy
    elif KIND == 5:
        return patched_tile(x, rows, col0, copies, key, a, high, low, BM, BK)
    else:
        words = uniform_words_tile(rows, col0, copies, key, BM, BK)
        packed = (tl.zeros((1, 1), tl.int64) + a).to(tl.uint64, bitcast=True)
        if KIND == 3:
            return tl.where(words <= packed.to(tl.uint32), 0.0, x)
        else:
            salted = tl.where(words <= packed.to(tl.uint32), high, x)
            return tl.where(words < (packed >> 32).to(tl.uint32), low, salted)


@triton.jit
def passes_tile(x, rows, col0, copies, key, amounts, KIND: tl.constexpr, BM: tl.constexpr, BK: tl.constexpr):
    """Where the derivative of `corrupt_tile` by x is 1 (elsewhere it is 0), bool [BM, BK]; the same arguments."""
    a, low, high = amounts
    if KIND <= 1:
        return tl.full((BM, BK), 1, tl.int1)
    elif KIND == 2:
        noisy = x + a * normal_tile(rows, col0, copies, key, BM, BK)
        return (noisy >= low) & (noisy <= high)
    elif KIND == 5:
        ones = tl.full((BM, BK), 1.0, tl.float32)
        return patched_tile(ones, rows, col0, copies, key, a, high, 0.0, BM, BK) > 0
    else:
        words = uniform_words_tile(rows, col0, copies, key, BM, BK)
        packed = (tl.zeros((1, 1), tl.int64) + a).to(tl.uint64, bitcast=True)
        return words > packed.to(tl.uint32)


@triton.jit
def lowp(x, DTYPE: tl.constexpr):
    """x rounded to DTYPE, to be multiplied or stored; float32 in the interpreter, which cannot multiply bfloat16."""
    if INTERPRET:
        if tl.bfloat16 == DTYPE:
            bits = x.to(tl.float32).to(tl.uint32, bitcast=True)
            even = tl.add(bits, 0x7FFF + ((bits >> 16) & 1), sanitize_overflow=False)
            return (even & 0xFFFF0000).to(tl.float32, bitcast=True)
        else:
            return x.to(DTYPE).to(tl.float32)
    else:
        return x.to(DTYPE)
