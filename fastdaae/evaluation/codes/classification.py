"""How much class structure the codes keep: the test accuracy of a support vector machine on them."""

from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from torch import Tensor


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


def _rows(images) -> np.ndarray:
    images = _array(images)
    return images.reshape(len(images), -1)


def _array(values) -> np.ndarray:
    """As scikit-learn needs it: an array, of a tensor on any device."""
    return values.numpy(force=True) if isinstance(values, Tensor) else np.asarray(values)


def _accuracy(model, inputs, labels, test_inputs, test_labels) -> float:
    model.fit(_array(inputs), _array(labels))
    return float(model.score(_array(test_inputs), _array(test_labels)))
