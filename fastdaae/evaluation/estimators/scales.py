"""Whether two sets of points are on one scale, as far as their values tell: [0, 1], [-1, 1] or 0..255."""

from typing import NamedTuple

import torch
from torch import Tensor

from fastdaae import pixels
from fastdaae.evaluation.estimators.warn import warn

_ROWS, _NUMBERS = 1000, 1 << 18  # the most of a set that is looked at
_MARGIN = 0.5  # what a decoder without a last sigmoid may miss [0, 1] by
_STRAY = 0.01  # the share of values beyond the margin that single pixels may have
_MANY = 0.05  # the share of values that tells a scale: the strokes of a drawing
_MOST = 0.9  # the share of rows that hold such values
_CHANCE = 1e-4  # that all rows of one set miss by accident what most rows of the other reach

_UNIT, _SIGNED, _GREY = (0, 1), (-1, 1), (0, 255)  # the scales that images have


class Seen(NamedTuple):
    """What a set's values show: their range, the scale they are on (None: any), and how much is far from [0, 1].

    `far` is a share of the values, `far_rows` of the rows; `bits` are uint8 of 0 and 1, which grey levels never are.
    """

    name: str
    rows: int
    dtype: torch.dtype
    low: float
    high: float
    scale: tuple[int, int] | None
    far: float = 0.0
    far_rows: float = 0.0
    bits: bool = False


def warn_of_another_scale(samples: Tensor, queries: Tensor, name: str = "queries") -> None:
    """Warns in one line, with both ranges and the remedy, where two sets [N, D] cannot be meant on one scale.

    uint8 means [0, 1], and many floats far from there are on another scale. Two sets of floats may have any: one must
    be on one of the scales of images and the other on another, in more rows than chance would have it.
    """
    sets = _look("samples", samples), _look(name, queries)
    bits = [seen for seen in sets if seen.bits]
    for seen in bits:
        warn(f"the {seen.name} are uint8 of 0 and 1 alone, which mean 0 and 1/255; pass x * 255, or floats in [0, 1]")
    if bits or not _differ(*sets):
        return
    ranges = ", ".join(f"the {seen.name} ({_told(seen.dtype)}) from {seen.low:.4g} to {seen.high:.4g}" for seen in sets)
    ways = "; ".join(f"{seen.name}: {_remedy(seen)}" for seen in sets if seen.scale != _UNIT)
    warn(f"two sets of different scales: {ranges}; log-densities need one scale, [0, 1] ({ways})")


def _look(name: str, points: Tensor) -> Seen:
    looked_at = points[: max(1, min(_ROWS, _NUMBERS // points.shape[1]))]
    low, high = (float(bound) for bound in looked_at.aminmax())
    seen = Seen(name, len(points), points.dtype, low, high, _UNIT)
    if points.dtype == torch.uint8:
        bits = high == 1 and _share(looked_at == 1) > _STRAY
        return seen._replace(low=low / 255, high=high / 255, bits=bits)
    far = (looked_at < -_MARGIN) | (looked_at > 1 + _MARGIN)
    # one row more, which is not: a share that few rows cannot make certain
    far_rows = float(far.any(1).sum()) / (len(looked_at) + 1)
    return seen._replace(scale=_scale_of(looked_at, low, high), far=_share(far), far_rows=far_rows)


def _scale_of(values: Tensor, low: float, high: float) -> tuple[int, int] | None:
    if low >= -_MARGIN and _MARGIN < high <= 1 + _MARGIN and _share(values < -0.1) < 0.25:
        return _UNIT
    # a tenth of each interval, for what is near its end and for what may stray beyond it
    if low >= -1.1 and high <= 1.1 and _share(values < -_MARGIN) > _MANY:
        return _SIGNED
    if low >= -25 and 100 < high <= 280 and _share(values > 25) > _MANY:
        return _GREY
    return None


def _differ(first: Seen, second: Seen) -> bool:
    grey = [seen.dtype == torch.uint8 for seen in (first, second)]
    less, more = sorted((first, second), key=lambda seen: seen.far)
    if any(grey):
        return not all(grey) and more.far > _STRAY
    if None in (less.scale, more.scale) or less.scale == more.scale:
        return False
    return more.far_rows >= _MOST and (1 - more.far_rows) ** less.rows < _CHANCE


def _share(which: Tensor) -> float:
    return float(which.double().mean())


def _told(dtype: torch.dtype) -> str:
    return "uint8, value / 255" if dtype == torch.uint8 else str(dtype).removeprefix("torch.")


def _remedy(seen: Seen) -> str:
    return pixels.advice(*(seen.scale or (seen.low, seen.high)))
