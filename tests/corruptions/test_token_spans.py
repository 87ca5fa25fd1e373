"""Spans beside plain loops over one row, by the addresses that `SpanMasking` documents; and what does not fit."""

import math

import pytest
import torch

import fastdaae as fd
from fastdaae import noise as addressed
from fastdaae.corruptions import Gaussian
from fastdaae.corruptions.tokens import Infilling, SpanMasking, TokenDeletion, TokenMasking, TokenPermutation

PAD, KEPT, MASK = 0, 1, 2
NOISE = fd.Noise(5)


def poisson(word: int, mean: float) -> int:
    uniform, number, term = (word + 0.5) / 2**32, 0, math.exp(-mean)
    total = term
    while uniform > total:
        number += 1
        term *= mean / number
        total += term
    return number


def slots_of(movable: int, share: float, mean: float, words: list[int]) -> list[int | None]:
    """The slots of one row: None for a single token, else the length of a span."""
    left, lengths = math.floor(movable * share + (words[0] + 0.5) / 2**32), []
    while left > 0:
        last = len(lengths) == movable - 1
        drawn = left if last else min(left, poisson(words[4 * len(lengths) + 5], mean))
        lengths.append(drawn)
        left -= drawn
    slots = movable - sum(lengths) + len(lengths)
    ranked = sorted(range(slots), key=lambda slot: words[4 * (slot // 2) + 6 + slot % 2])
    spans = sorted(ranked[: len(lengths)])
    return [lengths[spans.index(slot)] if slot in spans else None for slot in range(slots)]


def expected(row: list[int], corruption, words: list[int]) -> list[int]:
    """One row corrupted, token by token: but for those in front, kept ones follow inserted masks and a span's mask."""
    movable = [token for token in row if token != KEPT]
    out, place = [], 0
    waiting = [sum(token != KEPT for token in row[:i]) for i, token in enumerate(row) if token == KEPT]

    def kept(until: int) -> list[int]:
        due = [place for place in waiting if place <= until]
        del waiting[: len(due)]
        return [KEPT] * len(due)

    out += kept(0)
    for length in slots_of(len(movable), corruption.share, corruption.mean_length, words):
        out += kept(place - 1 if length == 0 else place)
        if isinstance(corruption, Infilling):
            out += movable[place : place + 1] if length is None else [MASK]
            place += 1 if length is None else length
            continue
        for _ in range(1 if length is None else length):
            out += [*kept(place), movable[place] if length is None else MASK]
            place += 1
    return out + kept(len(row))


@pytest.mark.parametrize("kind", [SpanMasking, Infilling])
@pytest.mark.parametrize(("share", "mean"), [(0.3, 3.0), (0.6, 1.0), (1.0, 1.5), (0.05, 20.0)])
def test_spans_are_those_of_a_plain_loop(kind, share, mean):
    generator, corruption = torch.Generator().manual_seed(1), kind(share, mean, MASK)
    lengths = torch.randint(0, 31, (300,), generator=generator)
    tokens = torch.randint(10, 99, (300, 30), generator=generator)
    tokens = torch.where(torch.rand(300, 30, generator=generator) < 0.15, KEPT, tokens)
    found = fd.ops.corrupt_tokens(tokens, lengths, corruption, NOISE, pad_id=PAD, keep=(KEPT,), row_offset=7, site=4)
    words = addressed.words(NOISE, 300, 4 * 31, row_offset=7, site=4)[0].tolist()
    for row in range(300):
        wanted = expected(tokens[row, : lengths[row]].tolist(), corruption, words[row])
        assert found.tokens[row, : found.lengths[row]].tolist() == wanted


T, L = torch.full((3, 5), 9), torch.tensor([5, 0, 2])


def call(tokens=T, lengths=L, corruption=None, noise=NOISE, **how):
    return fd.ops.corrupt_tokens(tokens, lengths, corruption, noise, **{"pad_id": 0, **how})


@pytest.mark.parametrize(
    ("error", "message", "wrong"),
    [
        (TypeError, r"tokens must be an int64 or int32 tensor of ids \[N, L\], got list", lambda: call([[1]])),
        (TypeError, r"tokens must be .* got torch.float32 \[3, 5\]", lambda: call(T.float())),
        (TypeError, r"tokens must be .* got torch.int64 \[3\]", lambda: call(L)),
        (TypeError, r"lengths must be .* tensor \[3\].* got torch.int64 \[2\]", lambda: call(lengths=L[:2])),
        (ValueError, r"lengths must be in 0\.\.5, the width of tokens, got 6", lambda: call(lengths=L + 1)),
        (ValueError, r"lengths must be in 0\.\.5, the width of tokens, got -1", lambda: call(lengths=L - 1)),
        (TypeError, "one of fastdaae.corruptions.tokens .* got Gaussian", lambda: call(corruption=Gaussian(1.0))),
        (TypeError, "noise must be a fastdaae.Noise, got int", lambda: call(noise=3)),
        (TypeError, "pad_id must be a whole number >= 0, got None", lambda: call(pad_id=None)),
        (ValueError, r"keep\[1\] must be a whole number >= 0, got -1", lambda: call(keep=(1, -1))),
        (ValueError, "keep must not hold", lambda: call(corruption=TokenPermutation(sentence_end=4), keep=(4,))),
        (ValueError, "row_offset must be >= 0, got -1", lambda: call(row_offset=-1)),
        (ValueError, "p must be a probability", lambda: TokenMasking(1.5, 1)),
        (ValueError, "mask_id must be a whole number >= 0, got -1", lambda: TokenMasking(0.5, -1)),
        (ValueError, "p must be a probability", lambda: TokenDeletion("a")),
        (ValueError, "span or sentence_end must be given, and not both", lambda: TokenPermutation()),
        (ValueError, "span or sentence_end must be given, and not both", lambda: TokenPermutation(3, 4)),
        (ValueError, "span must be a whole number >= 1, got 0", lambda: TokenPermutation(0)),
        (ValueError, r"mean_length must be a number of tokens in 1\.\.100, got 0.5", lambda: SpanMasking(0.3, 0.5, 1)),
        (ValueError, "share must be a probability", lambda: Infilling(1.3, 3, 1)),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(error, message, wrong):
    with pytest.raises(error, match=message) as caught:
        wrong()
    assert "\n" not in str(caught.value)


def test_gathering_copies_nothing_into_the_given_tokens():
    before = T.clone()
    call(corruption=Infilling(0.5, 2, MASK))
    call(corruption=TokenMasking(1.0, MASK))
    assert torch.equal(T, before)
