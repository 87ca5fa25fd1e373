"""How well each attribute can be read off codes, by a linear SVM of its own."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastdaae.evaluation.codes.classification import fit_linear
from fastdaae.evaluation.codes.representation import as_array, as_floats, one_scale
from fastdaae.evaluation.estimate import Estimate
from fastdaae.evaluation.proportion import proportion


class AttributeAccuracy(NamedTuple):
    """How well one attribute is told: its test accuracy with the binomial error, beside what a constant answer reaches.

    `balanced` is the mean of the accuracies where it holds and where it does not (NaN where the test images are all
    alike), `majority` the accuracy of the answer that is the more frequent in training; `right` [Q] says for which
    images the answer was right. Shares in [0, 1].
    """

    accuracy: Estimate
    balanced: float
    majority: float
    right: np.ndarray


def attribute_accuracies(
    codes: Any,
    attributes: Any,
    test_codes: Any,
    test_attributes: Any,
    *,
    report: Callable[[int], None] = lambda place: None,
) -> list[AttributeAccuracy | None]:
    """The accuracy of a linear SVM for each attribute [N, A] (bool) on codes [N, Z], on test codes [Q, Z].

    One for each attribute, in their order; None for one that all or none of the training images have, of which nothing
    can be learnt. Scaled as `linear_svm_accuracy`; the SVM is scikit-learn's LinearSVC. `report` is told each place.
    Raises ValueError for sets that do not fit. Source: Creswell and Bharath 2018, section VI-F2 and Figures 8-10, 15.
    """
    holds, test_holds = as_array(attributes).astype(bool), as_array(test_attributes).astype(bool)
    rows, test_rows = one_scale(as_floats(codes), as_floats(test_codes))
    for name, given, wanted in (("attributes", holds, rows), ("test_attributes", test_holds, test_rows)):
        if given.ndim != 2 or given.shape != (len(wanted), holds.shape[1]):
            raise ValueError(f"{name} must be [{len(wanted)}, A] with A of both sets, got {list(given.shape)}")
    found = []
    for place in range(holds.shape[1]):
        report(place)
        found.append(_of_one(rows, holds[:, place], test_rows, test_holds[:, place]))
    return found


def _of_one(rows, holds, test_rows, test_holds) -> AttributeAccuracy | None:
    if holds.all() or not holds.any():
        return None
    right = fit_linear(rows, holds).predict(test_rows) == test_holds
    sides = [right[test_holds], right[~test_holds]]
    balanced = float(np.mean([side.mean() for side in sides])) if all(map(len, sides)) else float("nan")
    majority = float((test_holds == (holds.mean() > 0.5)).mean())
    return AttributeAccuracy(proportion(int(right.sum()), len(right)), balanced, majority, right)
