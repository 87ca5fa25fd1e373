"""Classes with a few examples each: 20-way tasks that leave one out, and all classes at once."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn.svm import SVC

from fastdaae import noise
from fastdaae.evaluation.codes.classification import fit_linear
from fastdaae.evaluation.codes.representation import as_array, as_floats, one_scale
from fastdaae.evaluation.estimate import Estimate
from fastdaae.evaluation.proportion import proportion
from fastdaae.noise import Noise, Site


def few_way_accuracy(
    codes: Any,
    labels: Any,
    *,
    ways: int = 20,
    tasks: int = 30,
    seed: int = 0,
    report: Callable[[str], None] = lambda stage: None,
) -> Estimate:
    """The accuracy of linear SVMs that tell `ways` classes apart, one example of each class left out at a time.

    A task is `ways` of the classes of codes [N, Z] with labels [N]. A linear SVM (as in `linear_svm_accuracy`) is
    fitted to all examples but one of each class, and tested on those; each example is left out once. The result is the
    mean over `tasks` tasks, in [0, 1], and its standard error over tasks (NaN for one). Tasks are consecutive parts of
    addressed permutations of the classes: as long as tasks * ways is at most their number, no class is in two of them
    and the tasks are as good as independent; beyond it, classes come again and the error is a little too small. Of
    classes with more examples than the smallest the first are taken. Raises ValueError for ways < 2 or beyond the
    classes, tasks < 1, and a class with one example.
    Source: Creswell and Bharath 2018, section VI-F1 and Table II ("Eval Acc.": one task of 20 classes, 20 examples).
    """
    rows, examples = as_floats(codes), _examples(as_array(labels))
    if not 2 <= ways <= len(examples):
        raise ValueError(f"ways must be in 2..{len(examples)}, the number of classes, got {ways}")
    if tasks < 1:
        raise ValueError(f"tasks must be >= 1, got {tasks}")
    found = []
    for number, classes in enumerate(_tasks(len(examples), ways, tasks, seed), start=1):
        report(f"task {number} of {tasks}")
        found.append(_leaving_one_out(rows, examples[classes]))
    return Estimate.of(np.array(found))


def many_way_accuracy(codes: Any, labels: Any, *, folds: int = 1, kernel: str = "rbf") -> Estimate:
    """The accuracy of one SVM over all classes, an example of each class left out, for the last `folds` of them.

    codes [N, Z] and labels [N]; scikit-learn's SVC, with its scale of the kernel. A number in [0, 1] and its binomial
    error over the examples left out. Raises ValueError for fewer than two classes, a class with one example, and folds
    outside of 1..examples of a class. Source: Creswell and Bharath 2018, section VI-F1 (all classes of Omniglot).
    """
    rows, examples = as_floats(codes), _examples(as_array(labels))
    if not 1 <= folds <= examples.shape[1]:
        raise ValueError(f"folds must be in 1..{examples.shape[1]}, the examples of a class, got {folds}")
    right = 0
    for left_out in range(examples.shape[1] - folds, examples.shape[1]):
        kept, tested = _split(examples, left_out)
        classes = np.repeat(np.arange(len(examples)), examples.shape[1] - 1)
        predicted = SVC(kernel=kernel, cache_size=500).fit(rows[kept], classes).predict(rows[tested])
        right += int((predicted == np.arange(len(examples))).sum())
    return proportion(right, folds * len(examples))


def _examples(labels: np.ndarray) -> np.ndarray:
    """The rows of each class, [K, E]: the first E of each, where E is the number that the smallest class has."""
    _, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    fewest = int(counts.min())
    if len(counts) < 2 or fewest < 2:
        raise ValueError(
            f"labels must have at least 2 classes of at least 2 examples each, got {len(counts)} of at least {fewest}"
        )
    by_class = np.split(np.argsort(place, kind="stable"), np.cumsum(counts)[:-1])
    return np.stack([rows[:fewest] for rows in by_class])


def _tasks(classes: int, ways: int, tasks: int, seed: int) -> Iterator[np.ndarray]:
    a_permutation = classes // ways
    for task in range(tasks):
        number, part = divmod(task, a_permutation)
        drawn = noise.uniform(Noise(seed), 1, classes, row_offset=number, site=Site.DRAWS)[0, 0]
        # in one order, by which votes that tie are settled
        yield np.sort(drawn.argsort().numpy()[part * ways : (part + 1) * ways])


def _split(examples: np.ndarray, left_out: int) -> tuple[np.ndarray, np.ndarray]:
    return np.delete(examples, left_out, axis=1).ravel(), examples[:, left_out]


def _leaving_one_out(rows: np.ndarray, examples: np.ndarray) -> float:
    ways, shots = examples.shape[0], examples.shape[1] - 1
    right = []
    for left_out in range(shots + 1):
        kept, tested = _split(examples, left_out)
        train, test = one_scale(rows[kept], rows[tested])
        predicted = fit_linear(train, np.repeat(np.arange(ways), shots)).predict(test)
        right.append(predicted == np.arange(ways))
    return float(np.mean(right))
