"""How much class structure the codes keep: the test accuracy of a support vector machine on them."""

import warnings
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, LinearSVC

from fastdaae.evaluation.codes.representation import as_array, as_floats, one_scale
from fastdaae.evaluation.estimate import Estimate
from fastdaae.evaluation.proportion import proportion

_PAIRS_UP_TO = 5_000  # training rows up to which an SVM for each pair of classes takes seconds
_MANY_CLASSES = 100  # from which one SVM against all the rest for each class takes longer than one for each pair


def svm_accuracy(codes: Any, labels: Any, test_codes: Any, test_labels: Any, *, kernel: str = "rbf") -> float:
    """The share of test codes [Q, Z] that an SVM (scikit-learn's SVC) fitted to codes [N, Z] labels right.

    A number in [0, 1]. Raises ValueError (scikit-learn's words) for sets that do not fit. Source: Creswell and Bharath
    2018, section VI-E and Table VI (RBF kernel on MNIST).
    """
    return _accuracy(SVC(kernel=kernel), codes, labels, test_codes, test_labels)


def pca_svm_accuracy(
    images: Any, labels: Any, test_images: Any, test_labels: Any, *, dimension: int, kernel: str = "rbf"
) -> float:
    """The same for the first `dimension` principal components of images [N, ...] in [0, 1]: the paper's baseline."""
    model = make_pipeline(PCA(dimension, random_state=0), SVC(kernel=kernel))
    return _accuracy(model, _rows(images), labels, _rows(test_images), test_labels)


def linear_svm_accuracy(codes: Any, labels: Any, test_codes: Any, test_labels: Any) -> Estimate:
    """The share of test codes [Q, Z] that a linear SVM fitted to codes [N, Z] labels right, and its binomial error.

    Numbers in [0, 1]. Codes are centred and divided by one number (`one_scale`), and C is 1, so that turning or scaling
    the codes changes nothing. Up to 5,000 rows and of more than 100 classes there is an SVM for each pair of classes
    (scikit-learn's SVC), else one against the rest for each class (its LinearSVC, squared hinge). Raises ValueError
    for codes that are not all finite numbers and (scikit-learn's words) for sets that do not fit, and for one class.
    Source: Creswell and Bharath 2018, section VI-F.
    """
    predicted = linear_predictions(codes, labels, test_codes)
    truth = as_array(test_labels)
    if truth.shape != predicted.shape:
        raise ValueError(f"test_labels must be one for each of {len(predicted)} codes, got shape {list(truth.shape)}")
    return proportion(int((predicted == truth).sum()), len(truth))


def linear_predictions(codes: Any, labels: Any, test_codes: Any) -> np.ndarray:
    """The labels [Q] that the same linear SVM gives test codes [Q, Z]."""
    labels = as_array(labels)
    rows, test_rows = one_scale(as_floats(codes), as_floats(test_codes))
    return fit_linear(rows, labels).predict(test_rows)


def fit_linear(rows: np.ndarray, labels: np.ndarray) -> SVC | LinearSVC:
    """A linear SVM with C = 1 fitted to rows [N, Z] of one scale: for each pair of classes or one against the rest."""
    classes = len(np.unique(labels))
    if classes > 2 and (len(rows) <= _PAIRS_UP_TO or classes > _MANY_CLASSES):
        return SVC(kernel="linear").fit(rows, labels)
    with warnings.catch_warnings():
        # the last iterations change no label that counts
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LinearSVC(dual="auto", random_state=0).fit(rows, labels)


def _rows(images) -> np.ndarray:
    images = as_array(images)
    return images.reshape(len(images), -1)


def _accuracy(model, inputs, labels, test_inputs, test_labels) -> float:
    model.fit(as_array(inputs), as_array(labels))
    return float(model.score(as_array(test_inputs), as_array(test_labels)))
