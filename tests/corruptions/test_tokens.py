"""Laws of the corruptions of token ids: what stays, how often, how long, and that a row is its address alone."""

import math

import pytest
import torch

import fastdaae as fd
from fastdaae.corruptions.tokens import Infilling, SpanMasking, TokenDeletion, TokenMasking, TokenPermutation

PAD, BEGIN, END, MASK, STOP = range(5)
KEEP = (BEGIN, END)
NOISE = fd.Noise(11, step=2)
KINDS = [
    None,
    TokenMasking(0.3, MASK),
    TokenDeletion(0.3),
    TokenPermutation(span=3),
    TokenPermutation(sentence_end=STOP),
    SpanMasking(0.3, 3.0, MASK),
    Infilling(0.3, 3.0, MASK),
    Infilling(0.8, 1.0, MASK),
]
kinds = pytest.mark.parametrize("corruption", KINDS, ids=repr)


def batch(lengths, width: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows that begin and end with their marks, of numbered words with a full stop here and there."""
    lengths = torch.as_tensor(lengths, dtype=torch.int64)
    width = int(lengths.max()) if width is None else width
    place = torch.arange(width)
    words = 10 + place + 1000 * torch.arange(len(lengths))[:, None]
    stops = torch.rand(len(lengths), 200, generator=torch.Generator().manual_seed(0)) < 0.2
    tokens = torch.where(stops[:, :width], STOP, words)
    tokens[:, :1] = BEGIN
    tokens = torch.where(place == lengths[:, None] - 1, END, tokens)
    return torch.where(place < lengths[:, None], tokens, PAD), lengths


def corrupt(given, corruption, **how):
    return fd.ops.corrupt_tokens(*given, corruption, NOISE, **{"pad_id": PAD, "keep": KEEP, **how})


def rows_of(found) -> list[list[int]]:
    return [row[:length] for row, length in zip(found.tokens.tolist(), found.lengths.tolist(), strict=True)]


RAGGED = batch([12, 5, 0, 1, 2, 3, 40, 17, 40, 0], width=43)


@kinds
def test_padding_kept_ids_shapes_and_lengths(corruption):
    for dtype in (torch.int64, torch.int32):
        found = corrupt((RAGGED[0].to(dtype), RAGGED[1].to(dtype)), corruption)
        width = 86 if isinstance(corruption, Infilling) else 43
        assert found.tokens.shape == (10, width) and found.tokens.dtype == dtype and found.lengths.dtype == torch.int64
        beyond = torch.arange(width) >= found.lengths[:, None]
        assert bool((found.tokens[beyond] == PAD).all()) and not bool((found.tokens[~beyond] == PAD).any())
    for clean, noisy in zip(rows_of(fd.ops.CorruptedTokens(*RAGGED)), rows_of(found), strict=True):
        assert [one for one in noisy if one in KEEP] == [one for one in clean if one in KEEP]
        assert noisy[:1] == clean[:1] and noisy[-1:] == clean[-1:]


@kinds
def test_a_row_depends_on_its_address_alone(corruption):
    whole = corrupt(RAGGED, corruption, row_offset=5, site=3)
    assert all(map(torch.equal, whole, corrupt(RAGGED, corruption, row_offset=5, site=3)))
    for i, j in ((0, 3), (3, 4), (4, 10)):
        part = corrupt((RAGGED[0][i:j], RAGGED[1][i:j]), corruption, row_offset=5 + i, site=3)
        assert rows_of(part) == rows_of(whole)[i:j]
    for width in (40, 90):
        assert rows_of(corrupt(batch(RAGGED[1], width), corruption, row_offset=5, site=3)) == rows_of(whole)


@kinds
def test_blocks_of_rows_and_compiled_calls_equal_the_whole(corruption, monkeypatch):
    whole = corrupt(RAGGED, corruption)
    monkeypatch.setattr("fastdaae.reference.numbers.BLOCK", 700)
    assert all(map(torch.equal, whole, corrupt(RAGGED, corruption)))
    compiled = torch.compile(lambda *given: corrupt(given, corruption), fullgraph=True, backend="aot_eager")
    assert all(map(torch.equal, whole, compiled(*RAGGED)))
    strided = RAGGED[0].T.contiguous().T
    assert all(map(torch.equal, whole, corrupt((strided, RAGGED[1]), corruption)))


@kinds
def test_nothing_to_corrupt(corruption):
    for given in ((RAGGED[0][:0], RAGGED[1][:0]), (RAGGED[0][:, :0], torch.zeros(10, dtype=torch.int64))):
        found = corrupt(given, corruption)
        assert found.tokens.shape[0] == len(given[0]) and bool((found.lengths == 0).all())
    kept_alone = torch.tensor([[BEGIN, END, PAD], [BEGIN, END, END]]), torch.tensor([2, 3])
    assert rows_of(corrupt(kept_alone, corruption)) == [[BEGIN, END], [BEGIN, END, END]]


NOTHING = [
    TokenMasking(0.0, MASK),
    TokenDeletion(0.0),
    TokenPermutation(100),
    SpanMasking(0, 3, MASK),
    Infilling(0, 3, MASK),
]


@pytest.mark.parametrize("nothing", NOTHING, ids=repr)
def test_no_corruption_is_the_identity(nothing):
    assert rows_of(corrupt(RAGGED, nothing)) == rows_of(fd.ops.CorruptedTokens(*RAGGED))


@pytest.mark.parametrize(
    ("everything", "left"),
    [
        (TokenMasking(1.0, MASK), None),
        (TokenDeletion(1.0), 0),
        (SpanMasking(1.0, 1.0, MASK), None),
        (Infilling(1.0, 100.0, MASK), 1),
    ],
    ids=repr,
)
def test_everything_is_corrupted_but_what_is_kept(everything, left):
    clean_rows = rows_of(fd.ops.CorruptedTokens(*RAGGED))
    for clean, noisy in zip(clean_rows, rows_of(corrupt(RAGGED, everything)), strict=True):
        movable = sum(one not in KEEP for one in clean)
        masks = movable if left is None else min(left, movable)
        assert noisy == [one for one in clean[:1] if one in KEEP] + [MASK] * masks + clean[max(1, len(clean) - 1) :]


def binomial(successes: float, trials: int, p: float) -> bool:
    """Within 5 standard deviations of the mean."""
    return abs(successes - trials * p) <= 5 * math.sqrt(trials * p * (1 - p)) + 1e-9


MANY = batch([102] * 2000)


@pytest.mark.parametrize("p", [0.05, 0.3, 0.9])
def test_rates_of_masking_and_deletion(p):
    masked = corrupt(MANY, TokenMasking(p, MASK)).tokens == MASK
    assert binomial(int(masked.sum()), 200_000, p)
    # no place is preferred
    by_place = masked[:, 1:-1].double().mean(0)
    assert float((by_place - p).abs().max()) < 5 * math.sqrt(p * (1 - p) / 2000)
    deleted = corrupt(MANY, TokenDeletion(p))
    assert binomial(200_000 + 4000 - int(deleted.lengths.sum()), 200_000, p)
    for clean, noisy in zip(MANY[0][:50].tolist(), rows_of(deleted)[:50], strict=True):
        rest = iter(clean)
        assert all(one in rest for one in noisy), "what stays keeps its order"


@pytest.mark.parametrize("share", [0.15, 0.3, 0.9])
@pytest.mark.parametrize("mean", [1.0, 3.0, 8.5])
def test_span_shares_are_exact_and_lengths_are_poisson(share, mean):
    masked = (corrupt(MANY, SpanMasking(share, mean, MASK)).tokens == MASK).sum(1)
    assert bool(((masked - 100 * share).abs() < 1).all())
    few = batch([7] * 20000)
    by_row = (corrupt(few, SpanMasking(share, mean, MASK)).tokens == MASK).sum(1)
    part = 5 * share - math.floor(5 * share)
    assert binomial(int(by_row.sum()) - 20000 * math.floor(5 * share), 20000, part)
    # one mask a span: n - masked + spans is the new length
    filled = corrupt(MANY, Infilling(share, mean, MASK))
    spans = (filled.tokens == MASK).sum(1)
    assert torch.equal(filled.lengths, 102 - masked + spans)
    if 100 * share / mean < 50:  # far from as many spans as tokens
        # draws until their sum reaches the share: the renewal theorem, the last one overshoots by mean / 2
        expected, deviation = 100 * share / mean + 0.5, math.sqrt(100 * share) / mean
        assert abs(float(spans.double().mean()) - expected) < 5 * deviation / math.sqrt(2000) + 0.03


def test_every_arrangement_of_spans_has_the_same_probability():
    found = corrupt(MANY, Infilling(0.3, 3.0, MASK))
    masks, slots = (found.tokens == MASK).sum(1).double(), found.lengths.double() - 2
    rows = torch.arange(2000)
    for slot in (torch.ones(2000), torch.full((2000,), 2), slots // 2, slots - 1, slots):
        is_mask = (found.tokens[rows, slot.long()] == MASK).double()
        expected, deviation = (masks / slots).mean(), (masks / slots * (1 - masks / slots)).mean().sqrt()
        assert abs(is_mask.mean() - expected) < 5 * deviation / math.sqrt(2000)
    tied = (found.tokens[:, 1] == MASK) & (found.tokens[:, 2] == MASK)
    assert binomial(int(tied.sum()), 2000, float((masks * (masks - 1) / (slots * (slots - 1))).mean()))


def test_spans_of_length_zero_insert_a_mask():
    filled = corrupt(MANY, Infilling(0.3, 1.0, MASK))
    longest = filled.lengths.max()
    grown, inserted = int((filled.lengths > 102).sum()), 0
    for clean, noisy in zip(MANY[0][:200].tolist(), rows_of(filled)[:200], strict=True):
        rest, place = clean, 0
        for before, one in zip([None, *noisy], noisy, strict=False):
            if one != MASK and one != STOP:
                at = rest.index(one)
                inserted += before == MASK and at == place
                place = at + 1
    assert grown > 0 and int(longest) <= 2 * 102 and inserted > 100


def test_permutations_move_whole_spans_with_the_same_probability():
    row = torch.tensor([[BEGIN, 10, 11, 12, 13, 14, END, PAD]]).expand(24000, 8), torch.full((24000,), 7)
    found = corrupt(row, TokenPermutation(span=2)).tokens
    orders, counts = found.unique(dim=0, return_counts=True)
    spans = [[10, 11], [12, 13], [14]]
    possible = {tuple(a + b + c) for a in spans for b in spans for c in spans if len({*map(tuple, (a, b, c))}) == 3}
    assert {tuple(order[1:6]) for order in orders.tolist()} == possible
    assert float(((counts.double() - 4000).square() / 4000).sum()) < 26  # chi-squared, 5 degrees: 1e-4
    row = torch.tensor([[BEGIN, 10, 11, STOP, 20, STOP, 30, END]]), torch.tensor([8])
    seen = set()
    for site in range(60):
        seen.add(tuple(corrupt(row, TokenPermutation(sentence_end=STOP), site=site).tokens[0, 1:7].tolist()))
    sentences = ((10, 11, STOP), (20, STOP), (30,))
    assert seen == {a + b + c for a in sentences for b in sentences for c in sentences if len({a, b, c}) == 3}
