"""Verdicts on orders: what the seeds' differences say, three-valued, and what the paper's own figures say."""

import pytest

from fastdaae.experiments import Figure, Order, Place, across
from fastdaae.experiments.verdicts import ABSENT, FAILS, HOLDS, ONE_SEED, WITHIN, judge

ORDER = across("accuracy", "codes", "a", "b", "c")


def values(**seeds: list[float]) -> dict:
    return {Place(cell, "accuracy", "codes"): dict(enumerate(some)) for cell, some in seeds.items()}


@pytest.mark.parametrize(
    "found, lower, verdict",
    [
        (values(a=[3, 3.1], b=[2, 2.1], c=[1, 1.1]), False, HOLDS),
        (values(a=[3, 3.1], b=[2, 2.1], c=[1, 1.1]), True, FAILS),
        (values(a=[1, 1.1], b=[2, 2.1], c=[3, 3.1]), True, HOLDS),
        # the seeds move together, so that the difference has no spread
        (values(a=[10, 20], b=[9, 19], c=[8, 18]), False, HOLDS),
        (values(a=[3, 3], b=[2, 4], c=[0, 0]), False, WITHIN),
        # one difference that fails outweighs one that is within
        (values(a=[3, 3], b=[2, 4], c=[9, 9]), False, FAILS),
        (values(a=[3], b=[2], c=[1]), False, ONE_SEED),
        (values(a=[3, 3], b=[2, 2]), False, ABSENT),
        # equal numbers are at least as good, and their difference is not beyond its spread
        (values(a=[1, 1], b=[1, 1], c=[0, 0]), False, WITHIN),
    ],
)
def test_an_order_is_judged_by_its_worst_difference(found, lower, verdict):
    assert judge(Order("a >= b >= c", ORDER, lower), found, ()).verdict == verdict


def test_only_seeds_that_both_have_are_compared():
    found = values(a=[5, 6, 7], b=[1, 2])
    [difference] = judge(Order("a >= b", ORDER[:2]), found, ()).differences
    assert (difference.mean, difference.deviation) == (4, 0)


@pytest.mark.parametrize(
    "printed, lower, expected",
    [((3, 2, 2), False, True), ((3, 2, 2), True, False), ((1, 2, 3), True, True), ((3, 2), False, None)],
)
def test_the_paper_s_own_figures_are_asked_too(printed, lower, expected):
    figures = [Figure(*place, value, "Table I") for place, value in zip(ORDER, printed, strict=False)]
    assert judge(Order("a >= b >= c", ORDER, lower), {}, figures).paper is expected
