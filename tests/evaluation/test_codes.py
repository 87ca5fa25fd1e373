"""Codes that hold all of the classes, some or nothing: what their measures must be, and what cannot change them."""

import math

import numpy as np
import pytest
import torch

from fastdaae import evaluation
from fastdaae.evaluation.codes.representation import one_scale
from fastdaae.evaluation.proportion import proportion

CLASSES, EACH, SIZE = 5, 40, 8


def coded(
    kind: str, rng: np.random.Generator, classes: int = CLASSES, each: int = EACH
) -> tuple[np.ndarray, np.ndarray]:
    """Codes [N, 8] and labels [N] in a random order: "perfect" (a place for each class), "overlapping" or "random"."""
    labels = rng.permutation(np.repeat(np.arange(classes), each))
    places = np.random.default_rng(7).standard_normal((classes, SIZE))
    spread, distance = {"perfect": (1e-3, 10), "overlapping": (1, 1), "random": (1, 0)}[kind]
    return distance * places[labels] + spread * rng.standard_normal((len(labels), SIZE)), labels


def sets(kind: str, seed: int = 0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    return (*coded(kind, rng), *coded(kind, rng))


def one_hot(labels) -> np.ndarray:
    return labels[:, None] == np.arange(CLASSES)


# what each measure of (codes, labels, test_codes, test_labels) is: numbers that are 1 for perfect codes
MEASURES = {
    "linear svm": lambda x, y, test_x, test_y: evaluation.linear_svm_accuracy(x, y, test_x, test_y)[0],
    "few-way": lambda x, y, *_: evaluation.few_way_accuracy(x, y, ways=CLASSES, tasks=1)[0],
    "many-way": lambda x, y, *_: evaluation.many_way_accuracy(x, y, folds=EACH // 4)[0],
    "attributes": lambda x, y, test_x, test_y: np.mean(
        [one.balanced for one in evaluation.attribute_accuracies(x, one_hot(y), test_x, one_hot(test_y))]
    ),
    "precision": lambda x, y, test_x, test_y: evaluation.retrieval(x, y, test_x, test_y, depth=10).precision[4],
    "average precision": lambda x, y, test_x, test_y: evaluation.retrieval(x, y, test_x, test_y).average_precision[0],
    # the adjusted Rand index, mutual information, accuracy and purity
    "clustering": lambda x, y, *_: np.array([estimate.mean for estimate in evaluation.clustering(x, y)]),
}
# the least and the greatest that each may be of codes that tell nothing, four deviations from chance for shares of 200
BY_CHANCE = {
    "linear svm": (0.09, 0.31),
    "few-way": (0.09, 0.31),
    "many-way": (0.0, 0.42),
    "attributes": (0.45, 0.55),
    "precision": (0.15, 0.25),
    "average precision": (0.0, 0.2),
    "clustering": (np.array([-0.03, 0.0, 0.2, 0.2]), np.array([0.03, 0.08, 0.36, 0.36])),
}


@pytest.mark.parametrize("name", MEASURES)
def test_perfect_codes_have_all_and_random_ones_chance(name):
    assert MEASURES[name](*sets("perfect")) == pytest.approx(1.0)
    low, high = BY_CHANCE[name]
    random, overlapping = (MEASURES[name](*sets(kind)) for kind in ("random", "overlapping"))
    assert np.all(low <= random) and np.all(random <= high)
    assert np.all(high < overlapping) and np.all(overlapping < 1.0)


@pytest.mark.parametrize("name", MEASURES)
def test_turning_moving_and_scaling_the_codes_changes_nothing(name):
    x, y, test_x, test_y = sets("overlapping")
    turn = np.linalg.qr(np.random.default_rng(3).standard_normal((SIZE, SIZE)))[0]
    found = MEASURES[name](x, y, test_x, test_y)
    turned = MEASURES[name](30 * x @ turn + 5, y, 30 * test_x @ turn + 5, test_y)
    # a point on a border may go to the other side by rounding, and LinearSVC stops where it is near enough
    assert turned == pytest.approx(found, abs=0.011)


@pytest.mark.parametrize("name", [name for name in MEASURES if name not in ("few-way", "many-way")])
def test_the_order_of_rows_changes_nothing(name):
    x, y, test_x, test_y = sets("overlapping")
    order = np.random.default_rng(4).permutation(len(x))
    found, again = (
        MEASURES[name](x, y, test_x, test_y),
        MEASURES[name](x[order], y[order], test_x[order], test_y[order]),
    )
    # k-means starts elsewhere, and may end elsewhere
    assert again == pytest.approx(found, abs=0.1 if name == "clustering" else 0.006)


@pytest.mark.parametrize("name", MEASURES)
def test_tensors_and_other_names_of_the_classes_are_the_same(name):
    x, y, test_x, test_y = sets("overlapping")
    renamed = (y, test_y) if name == "attributes" else (3 * y + 2, 3 * test_y + 2)
    given = (torch.from_numpy(part) for part in (x, renamed[0], test_x, renamed[1]))
    assert MEASURES[name](*given) == pytest.approx(MEASURES[name](x, y, test_x, test_y), abs=1e-12)


def test_the_error_of_tasks_is_over_tasks_and_their_choice_is_the_seed_s():
    x, y = coded("overlapping", np.random.default_rng(0), classes=24, each=6)
    whole = evaluation.few_way_accuracy(x, y, ways=4, tasks=6, seed=1)
    stages = []
    assert evaluation.few_way_accuracy(x, y, ways=4, tasks=6, seed=1, report=stages.append) == whole
    assert stages[0] == "task 1 of 6" and len(stages) == 6
    assert evaluation.few_way_accuracy(x, y, ways=4, tasks=6, seed=2).mean != whole.mean
    assert 0 < whole.standard_error < 0.1
    assert math.isnan(evaluation.few_way_accuracy(x, y, ways=4, tasks=1).standard_error)
    # tasks of all the classes there are have one accuracy
    assert evaluation.few_way_accuracy(x, y, ways=24, tasks=2).standard_error == 0.0


def test_retrieval_by_hand():
    codes, labels = torch.tensor([[0.0], [1.0], [2.0], [3.0]]), [0, 1, 0, 0]
    found = evaluation.retrieval(codes, labels, torch.tensor([[-1.0], [9.0], [9.0]]), [0, 1, 5], depth=4)
    # in order 0, 1, 0, 0 for the first and 0, 0, 1, 0 for the second; the third has nothing to find
    np.testing.assert_allclose(found.precision, np.mean([[1, 1 / 2, 2 / 3, 3 / 4], [0, 0, 1 / 3, 1 / 4]], axis=0))
    assert found.average_precision.mean == pytest.approx(((1 + 2 / 3 + 3 / 4) / 3 + 1 / 3) / 2)
    assert found.queries == 2 and found.chance == pytest.approx((3 / 4 + 1 / 4) / 2)


def test_clusters_of_the_same_seed_are_the_same_and_errors_shrink_with_images():
    few, many = (coded("overlapping", np.random.default_rng(0), each=each) for each in (20, 320))
    assert evaluation.clustering(*few, seed=3) == evaluation.clustering(*few, seed=3)
    small, large = (evaluation.clustering(*each).accuracy.standard_error for each in (few, many))
    assert small / large == pytest.approx(4, rel=0.5)


def test_an_attribute_that_all_or_none_have_is_none():
    x, y, test_x, test_y = sets("overlapping")
    holds = np.stack([np.ones(len(y)), np.zeros(len(y)), y == 0], 1)
    found = evaluation.attribute_accuracies(x, holds, test_x, holds)
    assert found[:2] == [None, None]
    assert found[2].accuracy == proportion(int(found[2].right.sum()), len(y))
    assert found[2].majority == pytest.approx(1 - 1 / CLASSES)
    one_sided = evaluation.attribute_accuracies(x, (y == 0)[:, None], test_x, np.zeros((len(y), 1)))
    assert math.isnan(one_sided[0].balanced)


def test_the_error_of_a_share_is_binomial_and_never_zero():
    assert proportion(30, 10_000) == pytest.approx((0.003, math.sqrt(0.003 * 0.997 / 10_000)), rel=0.04)
    assert proportion(4, 4).standard_error == pytest.approx(math.sqrt(0.75 * 0.25 / 8))
    rng = np.random.default_rng(0)
    draws = rng.binomial(200, 0.7, 4000) / 200
    assert proportion(140, 200).standard_error == pytest.approx(draws.std(), rel=0.05)


def test_one_scale_is_one_number():
    rows, others = one_scale(*(np.random.default_rng(0).normal(3, (1, 4), (100, 2)) for _ in range(2)))
    assert rows.var(0).mean() == pytest.approx(1) and np.abs(rows.mean(0)).max() < 1e-12
    assert rows[:, 1].std() / rows[:, 0].std() == pytest.approx(4, rel=0.2) and np.abs(others.mean(0)).max() > 0
    assert np.array_equal(one_scale(np.ones((3, 2)))[0], np.zeros((3, 2)))


X, Y = coded("overlapping", np.random.default_rng(0))
BROKEN = np.where(np.arange(len(X))[:, None] == 0, np.nan, X)


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("codes must be finite numbers", lambda: evaluation.linear_svm_accuracy(BROKEN, Y, X, Y)),
        (r"test_labels must be one for each of 200 codes", lambda: evaluation.linear_svm_accuracy(X, Y, X, Y[:9])),
        ("ways must be in 2..5, the number of classes, got 20", lambda: evaluation.few_way_accuracy(X, Y)),
        ("tasks must be >= 1, got 0", lambda: evaluation.few_way_accuracy(X, Y, ways=2, tasks=0)),
        ("at least 2 classes of at least 2 examples", lambda: evaluation.few_way_accuracy(X[:5], np.arange(5), ways=2)),
        ("folds must be in 1..40", lambda: evaluation.many_way_accuracy(X, Y, folds=41)),
        (r"attributes must be \[200, A\]", lambda: evaluation.attribute_accuracies(X, Y, X, Y)),
        (
            r"test_attributes must be \[200, A\] .*, got \[200, 1\]",
            lambda: evaluation.attribute_accuracies(X, one_hot(Y), X, one_hot(Y)[:, :1]),
        ),
        ("query_labels must be one for each of 200 codes", lambda: evaluation.retrieval(X, Y, X, Y[:3])),
        ("query_labels must share a label with labels", lambda: evaluation.retrieval(X, Y, X, Y + 9)),
        (r"k must be in 1..n = 200, got 201", lambda: evaluation.retrieval(X, Y, X, Y, depth=201)),
        ("labels must be one for each of 200 codes", lambda: evaluation.clustering(X, Y[:3])),
        ("clusters must be in 1..200, the number of codes, got 0", lambda: evaluation.clustering(X, Y, clusters=0)),
        ("count must be >= 1, got 0", lambda: proportion(0, 0)),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(message, call):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
