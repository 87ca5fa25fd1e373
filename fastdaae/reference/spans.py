"""Spans of tokens: how long they are, where they lie, and what becomes of them.

A row of n movable tokens is a row of slots: spans, and single tokens between them. A slot stands for the movable tokens
start .. start + length - 1; a single token has length 1, and a span any length.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Slots(NamedTuple):
    """The slots of each row, [N, 2 L]: which are spans, where each starts, how long it is; the first `used` [N] are."""

    is_span: Tensor
    start: Tensor
    length: Tensor
    used: Tensor


def span_slots(movable: Tensor, share: float, mean_length: float, drawn: Tensor) -> Slots:
    """The slots of rows with so many movable tokens [N], by the words [N, 4 (L + 1)] that `SpanMasking` describes."""
    width = drawn.shape[1] // 4 - 1
    fraction = (drawn[:, 0].double() + 0.5) * 2.0**-32
    wanted = torch.floor(movable.double() * share + fraction).to(torch.int64)
    by_place = drawn[:, 4:].unflatten(1, (width, 4))
    lengths, spans = _span_lengths(movable, wanted, _poisson(by_place[:, :, 1], mean_length))
    count = movable - lengths.sum(1) + spans
    slot = torch.arange(2 * width, dtype=torch.int64, device=drawn.device)
    keys = torch.where(slot < count[:, None], by_place[:, :, 2:].flatten(1), 1 << 32)
    order = torch.argsort(keys, dim=1, stable=True)
    is_span = torch.zeros_like(keys, dtype=torch.bool).scatter(1, order, slot < spans[:, None])
    number = (is_span.to(torch.int64).cumsum(1) - 1).clamp(min=0, max=max(0, width - 1))
    single = (slot < count[:, None]).to(torch.int64)
    length = torch.where(is_span, lengths.gather(1, number), single)
    return Slots(is_span, length.cumsum(1) - length, length, count)


def _span_lengths(movable: Tensor, wanted: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
    """The lengths [N, L] of the spans that are used, 0 beyond them, and their number [N]: the first that make `wanted`
    tokens, the last of them as long as it takes."""
    number = torch.arange(drawn.shape[1], dtype=torch.int64, device=drawn.device)
    before = drawn.cumsum(1) - drawn
    used, left = (before < wanted[:, None]) & (number < movable[:, None]), wanted[:, None] - before
    lengths = torch.where(number == movable[:, None] - 1, left, torch.minimum(drawn, left))
    return torch.where(used, lengths, 0), used.sum(1)


def _poisson(drawn: Tensor, mean: float) -> Tensor:
    """Poisson numbers of 32-bit words: how many values of the distribution function lie at or below a word's."""
    term, total = math.exp(-mean), 0.0
    limits: list[int] = []
    while total < 1.0 - 2.0**-33 and len(limits) < 1000:
        total += term
        limits.append(min(math.ceil(total * 2.0**32 - 0.5), 1 << 32))
        term *= mean / len(limits)
    table = torch.tensor(limits, dtype=torch.int64, device=drawn.device)
    return torch.searchsorted(table, drawn.contiguous(), right=True)


def spans_cover(slots: Slots, width: int) -> Tensor:
    """Which of the movable tokens 0..width-1 lie in a span, bool [N, width]."""
    edge = slots.is_span.to(torch.int64)
    changes = edge.new_zeros((edge.shape[0], width + 1))
    changes = changes.scatter_add(1, slots.start, edge).scatter_add(1, slots.start + slots.length, -edge)
    return changes.cumsum(1)[:, :width] > 0


def infilled(
    tokens: Tensor, movable: Tensor, inside: Tensor, slots: Slots, mask_id: int, pad_id: int
) -> tuple[Tensor, Tensor]:
    """The rows [N, 2 L] with one mask for each span and kept tokens between their neighbours, and their lengths."""
    width = tokens.shape[1]
    in_use = torch.arange(2 * width, dtype=torch.int64, device=tokens.device) < slots.used[:, None]
    kept = inside & ~movable
    before_kept = _slots_before(slots, in_use, width).gather(1, movable.to(torch.int64).cumsum(1))
    among_kept = kept.to(torch.int64).cumsum(1)
    kept_before_slot = kept.new_zeros((len(tokens), 2 * width + 1), dtype=torch.int64)
    kept_before_slot = kept_before_slot.scatter_add(1, before_kept, kept.to(torch.int64)).cumsum(1)[:, :-1]
    place = torch.arange(2 * width, dtype=torch.int64, device=tokens.device)
    # what is not there goes to a last place, which is cut off
    slot_to = torch.where(in_use, place + kept_before_slot, 2 * width)
    kept_to = torch.where(kept, before_kept + among_kept - 1, 2 * width)
    first = torch.argsort((~movable).to(torch.uint8), dim=1, stable=True)
    single = tokens.gather(1, first).gather(1, slots.start.clamp(max=max(0, width - 1)))
    values = torch.where(slots.is_span, mask_id, single)
    out = torch.full((len(tokens), 2 * width + 1), pad_id, dtype=tokens.dtype, device=tokens.device)
    out = out.scatter(1, slot_to, values).scatter(1, kept_to, tokens)
    lengths = slots.used + kept.sum(1)
    return torch.where(place < lengths[:, None], out[:, :-1], pad_id), lengths


def _slots_before(slots: Slots, in_use: Tensor, width: int) -> Tensor:
    """How many slots stand before a kept token that t movable ones precede, [N, L + 1] for t = 0..L.

    None before the first movable token; else those that start before it, and masks that are inserted just there.
    """
    empty = (slots.length == 0) & in_use
    counts = slots.start.new_zeros((len(in_use), width + 2))
    # a slot with tokens counts from the place after its start on
    counts = counts.scatter_add(1, torch.where(empty, slots.start, slots.start + 1).clamp(max=width + 1), in_use.long())
    before = counts.cumsum(1)[:, : width + 1]
    return torch.where(torch.arange(width + 1, dtype=torch.int64, device=before.device) == 0, 0, before)
