"""Whether an order that a paper claims is in our numbers, and in the paper's own."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from fastdaae.experiments.recipe import Figure, Order, Place

HOLDS, FAILS, WITHIN = "holds", "does not hold", "within the spread"
ONE_SEED, ABSENT = "one seed has no spread", "not measured"
_WORST_FIRST = (ABSENT, ONE_SEED, FAILS, WITHIN, HOLDS)

# the values of a place by seed, where there is one
Values = Mapping[Place, Mapping[int, float]]


class Difference(NamedTuple):
    """How much better a place is than the next: the mean over the seeds of both, and the deviation over them."""

    mean: float | None
    deviation: float | None
    verdict: str


class Verdict(NamedTuple):
    """What became of an order: the worst of its differences, and whether the paper's own figures have it.

    `paper` is None where the paper prints no figure for one of the places.
    """

    order: Order
    verdict: str
    differences: list[Difference]
    paper: bool | None


def judge(order: Order, values: Values, figures: Sequence[Figure]) -> Verdict:
    """An order's verdict. A difference holds, or does not, where its mean is beyond its deviation (ddof = 1)."""
    sign = -1 if order.lower else 1
    differences = [
        _difference(values.get(one, {}), values.get(next_one, {}), sign) for one, next_one in pairwise(order.places)
    ]
    verdicts = {difference.verdict for difference in differences}
    worst = next(verdict for verdict in _WORST_FIRST if verdict in verdicts)
    return Verdict(order, worst, differences, _in_the_paper(order, figures, sign))


def _difference(one: Mapping[int, float], other: Mapping[int, float], sign: int) -> Difference:
    seeds = sorted(one.keys() & other.keys())
    if not seeds:
        return Difference(None, None, ABSENT)
    found = [sign * (one[seed] - other[seed]) for seed in seeds]
    mean = float(np.mean(found))
    if len(seeds) == 1:
        return Difference(mean, None, ONE_SEED)
    deviation = float(np.std(found, ddof=1))
    if abs(mean) <= deviation:
        return Difference(mean, deviation, WITHIN)
    return Difference(mean, deviation, HOLDS if mean > 0 else FAILS)


def _in_the_paper(order: Order, figures: Sequence[Figure], sign: int) -> bool | None:
    printed = {figure.place: sign * figure.value for figure in figures}
    if not all(place in printed for place in order.places):
        return None
    return all(printed[one] >= printed[other] for one, other in pairwise(order.places))
