"""What `evaluate` measures: functions from a Case to Measures, all of them listed in MEASURES."""

import math
import warnings
from collections.abc import Callable
from functools import partial

from torch import Tensor

from fastdaae.evaluation.attempt import attempt, diverged
from fastdaae.evaluation.case import Case, rows_of
from fastdaae.evaluation.classification import pca_svm_accuracy, svm_accuracy
from fastdaae.evaluation.dimension import IntrinsicDimension
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.parzen import ParzenWindow
from fastdaae.evaluation.reconstruction import reconstruction_error

LIKELIHOOD, DIMENSION = "log-likelihood", "intrinsic dimension"  # which have figures of their own
_LIKELIHOOD = partial(Measure, LIKELIHOOD, unit="nats", digits=1)
_DIMENSION = partial(Measure, DIMENSION, digits=2)
_RECONSTRUCTION = partial(Measure, "reconstruction MSE", unit="pixel²", digits=4)
_ACCURACY = partial(Measure, "test accuracy", unit="share", digits=2)


def reconstruction(case: Case) -> list[Measure]:
    """The mean squared error of reconstructed test images, from corrupted and from clean inputs."""
    images = case.dataset.test.images

    def error(noise) -> dict:
        mean, standard_error = reconstruction_error(case.model, images, noise)
        if not math.isfinite(mean):
            raise diverged("the reconstructions")
        return {"value": mean, "standard_error": standard_error, "settings": {"test_images": len(images)}}

    return [
        attempt(_RECONSTRUCTION, "corrupted input", lambda: error(case.noise())),
        attempt(_RECONSTRUCTION, "clean input", lambda: error(None)),
    ]


def log_likelihood(case: Case) -> list[Measure]:
    """The mean log-likelihood of the test images under Parzen windows on each set of points."""
    validation, test = (getattr(case.dataset, part).images.flatten(1) for part in ("validation", "test"))

    def under(points: Tensor) -> dict:
        window = ParzenWindow().fit(points, validation=validation)
        mean, error = window.mean_log_likelihood(test)
        bandwidths = window.bandwidths_.tolist()
        settings = {"samples": case.count, "bandwidth": window.bandwidth_, "test_images": len(test)}
        if window.bandwidth_ in (bandwidths[0], bandwidths[-1]):
            settings["note"] = "the bandwidth is at the end of its grid"
        curve = {"bandwidths": bandwidths, "validation": window.validation_log_likelihoods_.tolist()}
        return {"value": mean, "standard_error": error, "settings": settings, "curve": curve}

    return [attempt(_LIKELIHOOD, of, lambda of=of: under(case.points(of))) for of in case.sets]


def classification(case: Case) -> list[Measure]:
    """The accuracy of an RBF SVM on codes and on as many principal components; nothing for unlabelled data."""
    train, test = case.dataset.train, case.dataset.test
    if train.labels is None:
        return []
    images, labels = train.images[: case.svm_images], train.labels[: case.svm_images]

    def taken(accuracy: float, dimension: int) -> dict:
        counts = {"training_images": len(images), "test_images": len(test.images)}
        return {"value": accuracy, "settings": {"numbers_an_image": dimension, **counts}}

    def on_codes() -> dict:
        _require_classes(labels, test.labels)
        codes = case.codes(images)
        return taken(svm_accuracy(codes, labels, case.codes(test.images), test.labels), codes.shape[1])

    def on_components() -> dict:
        _require_classes(labels, test.labels)
        dimension = min(case.encoded(images[:1]).shape[1], images[0].numel(), len(images))
        sets = rows_of(images), labels, rows_of(test.images), test.labels
        return taken(pca_svm_accuracy(*sets, dimension=dimension), dimension)

    return [attempt(_ACCURACY, "SVM on codes", on_codes), attempt(_ACCURACY, "SVM on PCA", on_components)]


def _require_classes(labels: Tensor, test_labels: Tensor | None) -> None:
    if test_labels is None:
        raise ValueError("the test images have no labels, and accuracy needs them")
    if len(labels.unique()) < 2:
        raise ValueError(f"all {len(labels):,} training images have one label, and an SVM needs two classes")


def intrinsic_dimension(case: Case) -> list[Measure]:
    """The maximum-likelihood intrinsic dimension of each set of points."""

    def of_points(points: Tensor) -> dict:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # k, duplicates and ties are among the settings
            fitted = IntrinsicDimension(k=case.k).fit(points)
        left_out = {"duplicates_left_out": fitted.duplicates_, "tied_points_left_out": fitted.ties_}
        return {
            "value": fitted.dimension_,
            "standard_error": float(fitted.standard_error_),
            "settings": {"n": case.count, "k": fitted.k_, **left_out},
            "curve": {"k": fitted.ks_.tolist(), "per_k": fitted.dimension_per_k_.tolist()},
        }

    return [attempt(_DIMENSION, of, lambda of=of: of_points(case.points(of))) for of in case.sets]


# {what a person is told while it runs: the function}; a new measure is a function and its line here
MEASURES: dict[str, Callable[[Case], list[Measure]]] = {
    "reconstruction": reconstruction,
    "log-likelihood": log_likelihood,
    "classification": classification,
    "intrinsic dimension": intrinsic_dimension,
}
