"""Corruption of token ids: rows of their own length, padded to one width, all at once."""

from typing import NamedTuple

import torch
from torch import Tensor

from fastdaae import noise as addressed
from fastdaae.corruptions.tokens import (
    Infilling,
    SpanMasking,
    TokenCorruption,
    TokenDeletion,
    TokenMasking,
    TokenPermutation,
)
from fastdaae.noise import Noise
from fastdaae.reference.numbers import blocks
from fastdaae.reference.spans import infilled, span_slots, spans_cover


class CorruptedTokens(NamedTuple):
    """Corrupted token ids [N, L'], padded, and the length of each row, int64 [N]."""

    tokens: Tensor
    lengths: Tensor


def corrupt_tokens(
    tokens: Tensor,
    lengths: Tensor,
    corruption: TokenCorruption | None,
    noise: Noise,
    *,
    pad_id: int,
    keep: tuple[int, ...] = (),
    row_offset: int = 0,
    site: int = 0,
) -> CorruptedTokens:
    lengths = lengths.to(torch.int64).clamp(0, tokens.shape[1])
    if torch.compiler.is_compiling():
        return CorruptedTokens(*_corrupt_rows(tokens, lengths, corruption, noise, pad_id, keep, row_offset, site))
    cuts = list(blocks(len(tokens), 8 * tokens.shape[1])) or [slice(0, 0)]
    pieces = [
        _corrupt_rows(tokens[rows], lengths[rows], corruption, noise, pad_id, keep, row_offset + rows.start, site)
        for rows in cuts
    ]
    return CorruptedTokens(*(torch.cat(part) for part in zip(*pieces, strict=True)))


def _corrupt_rows(
    tokens: Tensor, lengths: Tensor, corruption, noise: Noise, pad_id: int, keep, row_offset: int, site: int
) -> tuple[Tensor, Tensor]:
    rows, width = tokens.shape
    place = torch.arange(width, dtype=torch.int64, device=tokens.device)
    inside = place < lengths[:, None]
    tokens = torch.where(inside, tokens, pad_id)
    movable = inside
    for one in keep:
        movable = movable & (tokens != one)
    spans = isinstance(corruption, SpanMasking | Infilling)
    columns = 4 * (width + 1) if spans else width
    drawn = addressed.words(noise, rows, columns, row_offset=row_offset, site=site)[0]
    match corruption:
        case TokenMasking():
            return torch.where(movable & _chosen(drawn, corruption.p), corruption.mask_id, tokens), lengths
        case TokenDeletion():
            return _without(tokens, inside, movable & _chosen(drawn, corruption.p), pad_id)
        case TokenPermutation():
            return _permuted(tokens, movable, corruption, drawn), lengths
        case SpanMasking():
            slots = span_slots(movable.sum(1), corruption.share, corruption.mean_length, drawn)
            covered = spans_cover(slots, width).gather(1, _rank(movable))
            return torch.where(movable & covered, corruption.mask_id, tokens), lengths
        case Infilling():
            slots = span_slots(movable.sum(1), corruption.share, corruption.mean_length, drawn)
            return infilled(tokens, movable, inside, slots, corruption.mask_id, pad_id)
    return tokens, lengths


def _chosen(drawn: Tensor, p: float) -> Tensor:
    return (drawn.double() + 0.5) * 2.0**-32 < p


def _rank(chosen: Tensor) -> Tensor:
    """How many chosen ones stand before each place, int64 of the shape of bool [N, L]."""
    counted = chosen.to(torch.int64)
    return (counted.cumsum(1) - counted).clamp(max=max(0, chosen.shape[1] - 1))


def _without(tokens: Tensor, inside: Tensor, left_out: Tensor, pad_id: int) -> tuple[Tensor, Tensor]:
    """The rows without some tokens, [N, L], and their lengths."""
    stays = inside & ~left_out
    lengths = stays.sum(1)
    # False sorts before True, and a stable sort keeps the order of those that stay
    order = torch.argsort((~stays).to(torch.uint8), dim=1, stable=True)
    place = torch.arange(tokens.shape[1], dtype=torch.int64, device=tokens.device)
    return torch.where(place < lengths[:, None], tokens.gather(1, order), pad_id), lengths


def _permuted(tokens: Tensor, movable: Tensor, corruption: TokenPermutation, drawn: Tensor) -> Tensor:
    """The rows with their spans of movable tokens in the order of the spans' words, [N, L]."""
    if corruption.span is not None:
        span = _rank(movable) // corruption.span
    else:
        span = _rank(movable & (tokens == corruption.sentence_end))
    # equal words leave spans in their order; a token that stays sorts after all that move
    key = torch.where(movable, drawn.gather(1, span), 1 << 32)
    by_span = torch.argsort(span, dim=1, stable=True)
    order = by_span.gather(1, torch.argsort(key.gather(1, by_span), dim=1, stable=True))
    places = torch.argsort((~movable).to(torch.uint8), dim=1, stable=True)
    return torch.empty_like(tokens).scatter(1, places, tokens.gather(1, order))
