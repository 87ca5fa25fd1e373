"""The two passes of the Parzen window as Triton kernels; `parzen` explains and launches them."""

import triton
import triton.language as tl

# of no use to the compiler: one compiled kernel serves every size
_COUNTS = ["queries", "samples", "bandwidths", "per_split"]

# BM queries x BN samples a tile; by architecture family
STREAM = {
    "sm_80": dict(BM=128, BN=64, BK=16, num_warps=8, num_stages=3),
    "sm_90": dict(BM=128, BN=64, BK=32, num_warps=8, num_stages=3),
    "sm_100": dict(BM=128, BN=64, BK=32, num_warps=8, num_stages=3),
    "interpreter": dict(BM=32, BN=64, BK=64, num_warps=4, num_stages=1),
}
# BC listed samples, BK columns at a time
DIRECT = {
    "sm_80": dict(BC=16, BK=64, num_warps=4, num_stages=2),
    "sm_90": dict(BC=16, BK=64, num_warps=4, num_stages=2),
    "sm_100": dict(BC=16, BK=64, num_warps=4, num_stages=2),
    "interpreter": dict(BC=64, BK=512, num_warps=4, num_stages=1),
}


@triton.jit
def _squared_distances(
    q_ptr, s_ptr, q_norms, s_norms, queries, rest, padded, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):  # fmt: skip
    """[BM, BN] from the block's first query and the tile's first sample on; what lies past the end repeats the last."""
    rows = tl.minimum(tl.arange(0, BM), queries - 1)
    columns = tl.minimum(tl.arange(0, BN), rest - 1)
    inner = tl.arange(0, BK)
    q = q_ptr + rows[:, None] * padded + inner[None, :]
    s = s_ptr + columns[None, :] * padded + inner[:, None]
    product = tl.zeros((BM, BN), tl.float32)
    for k in range(0, padded, BK):
        # subtracted, not accumulated by the tensor core, whose sums truncate: K columns at a time bound that error
        product -= tl.dot(tl.load(q + k), tl.load(s + k), input_precision="tf32x3")
    norms = tl.load(q_norms + rows)[:, None] + tl.load(s_norms + columns)[None, :]
    return tl.maximum(norms + 2.0 * product, 0.0)


@triton.jit(do_not_specialize=_COUNTS)
def stream_kernel(
    q_ptr, s_ptr, q_norms, s_norms, slack_ptr, rates_ptr, near_ptr, sums_ptr, found_ptr, listed_ptr,
    queries, samples, padded, bandwidths, per_split,
    CAPACITY: tl.constexpr, BP: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    """near [S, Q], sums [S, B, Q], found [S, Q] and listed [S, Q, CAPACITY] of one block of queries and one split."""
    program = tl.program_id(0).to(tl.int64)
    blocks = tl.cdiv(queries, BM)
    split = program // blocks
    block = (program % blocks) * BM
    mine = tl.arange(0, BM) < queries - block
    rows = split * queries + block + tl.arange(0, BM)
    slack = tl.load(slack_ptr + block + tl.arange(0, BM), mine, float("-inf"))
    lists = listed_ptr + (split * queries + block) * CAPACITY
    which = tl.arange(0, BP)[None, :]
    near = tl.full((BM,), float("inf"), tl.float32)
    sums = tl.zeros((BM, BP), tl.float64)
    found = tl.zeros((BM,), tl.int32)
    first = split * per_split
    entries = tl.minimum(samples - first, per_split).to(tl.int32)
    # invariants moved out of this loop would take the registers that the product needs
    for start in tl.range(0, entries, BN, disable_licm=True):
        tile = first + start
        distances = _squared_distances(
            q_ptr + block * padded, s_ptr + tile * padded, q_norms + block, s_norms + tile,
            (queries - block).to(tl.int32), entries - start, padded, BM, BN, BK,
        )  # fmt: skip
        column = tl.arange(0, BN)[None, :]
        distances = tl.where(column < entries - start, distances, float("inf"))
        closer = tl.minimum(near, tl.min(distances, 1))
        # an infinite limit, of a query that wants no list, is below every distance
        matters = distances <= (closer + slack)[:, None]
        fresh = tl.sum(matters.to(tl.int32), 1)
        if tl.max(fresh, 0) > 0:
            place = found[:, None] + tl.cumsum(matters.to(tl.int32), 1) - 1
            # narrow offsets from one wide pointer: fewer registers
            slot = lists + (tl.arange(0, BM)[:, None] * CAPACITY + place)
            tl.store(slot, start + column + tl.zeros((BM, BN), tl.int32), matters & (place < CAPACITY))
            found += fresh
        for b in range(bandwidths):
            rate = tl.load(rates_ptr + b)
            arrived = tl.sum(tl.exp2((closer[:, None] - distances) * rate), 1).to(tl.float64)
            faded = tl.exp2((closer - near) * rate).to(tl.float64)
            sums = tl.where(which == b, sums * faded[:, None] + arrived[:, None], sums)
        near = closer
    tl.store(near_ptr + rows, near, mine)
    tl.store(found_ptr + rows, found, mine)
    out = sums_ptr + (split * bandwidths + which) * queries + (block + tl.arange(0, BM))[:, None]
    tl.store(out, sums, mine[:, None] & (which < bandwidths))


@triton.jit
def _as_float64(x, WHOLE: tl.constexpr):
    """A loaded tile; uint8 means value / 255, unless whole numbers are compared."""
    if x.dtype == tl.uint8 and not WHOLE:
        return x.to(tl.float64) / 255.0
    else:
        return x.to(tl.float64)


@triton.jit(do_not_specialize=_COUNTS)
def direct_kernel(
    q_ptr, s_ptr, rates_ptr, near_ptr, sums_ptr, found_ptr, listed_ptr, queries, samples, width, bandwidths, per_split,
    CAPACITY: tl.constexpr, BP: tl.constexpr, WHOLE: tl.constexpr, BC: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    """near [S, Q] and sums [S, B, Q] in float64 over the listed samples of one query and one split.

    WHOLE: both are uint8 and compared as whole numbers, exactly; the rates are in the same unit.
    """
    program = tl.program_id(0).to(tl.int64)
    split = program // queries
    row = program % queries
    found = tl.load(found_ptr + program)
    if found == 0:
        return
    overflows = found > CAPACITY
    first = split * per_split
    entries = tl.where(overflows, tl.minimum(samples - first, per_split).to(tl.int32), found)
    which = tl.arange(0, BP)
    rates = tl.load(rates_ptr + which, which < bandwidths, 1.0)
    near = tl.full((1,), float("inf"), tl.float64)
    sums = tl.zeros((BP,), tl.float64)
    for start in range(0, entries, BC):
        entry = start + tl.arange(0, BC)
        live = entry < entries
        listed = tl.load(listed_ptr + program * CAPACITY + entry, live & (entry < CAPACITY), 0)
        index = first + tl.where(overflows, entry, listed)
        squares = tl.zeros((BC, BK), tl.float64)
        for k in range(0, width, BK):
            inner = k + tl.arange(0, BK)
            within = inner < width
            q = tl.load(q_ptr + row * width + inner, within, 0)
            s = tl.load(s_ptr + index[:, None] * width + inner[None, :], live[:, None] & within[None, :], 0)
            difference = _as_float64(q, WHOLE)[None, :] - _as_float64(s, WHOLE)
            squares += difference * difference
        distances = tl.where(live, tl.sum(squares, 1), float("inf"))
        closer = tl.minimum(near, tl.min(distances, 0))
        # the exponents are float64; their exponentials need no more than float32
        weights = tl.exp2(((closer - distances)[:, None] * rates[None, :]).to(tl.float32))
        sums = sums * tl.exp2(((closer - near) * rates).to(tl.float32)) + tl.sum(weights.to(tl.float64), 0)
        near = closer
    tl.store(near_ptr + program + tl.zeros((1,), tl.int32), near)
    tl.store(sums_ptr + (split * bandwidths + which) * queries + row, sums, which < bandwidths)
