"""What `evaluate` measures: functions from a Case to Measures, all of them listed in MEASURES."""

import math
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from torch import Tensor

from fastdaae.evaluation.attempt import attempt, diverged
from fastdaae.evaluation.case import Case, rows_of
from fastdaae.evaluation.classification import pca_svm_accuracy, svm_accuracy
from fastdaae.evaluation.dimension import IntrinsicDimension
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.parzen import GRID_END, ParzenWindow, grid_end, warn_of_grid_end
from fastdaae.evaluation.reconstruction import reconstruction_error
from fastdaae.evaluation.seeds import over_seeds

LIKELIHOOD, DIMENSION = "log-likelihood", "intrinsic dimension"  # which have figures of their own
_LIKELIHOOD = partial(Measure, LIKELIHOOD, unit="nats", digits=1)
_DIMENSION = partial(Measure, DIMENSION, digits=2)
_RECONSTRUCTION = partial(Measure, "reconstruction MSE", unit="pixel²", digits=4)
_ACCURACY = partial(Measure, "test accuracy", unit="share", digits=2)


def reconstruction(case: Case) -> list[Measure]:
    """The mean squared error of reconstructed test images, from corrupted and from clean inputs."""
    images = case.dataset.test.images

    def error(of: str, noise) -> dict:
        case.report(f"reconstruction, {of}")
        mean, standard_error = reconstruction_error(case.model, images, noise)
        if not math.isfinite(mean):
            raise diverged("the reconstructions")
        return {"value": mean, "standard_error": standard_error, "settings": {"test_images": len(images)}}

    inputs = {"corrupted input": case.noise(), "clean input": None}
    return [attempt(_RECONSTRUCTION, of, partial(error, of, noise)) for of, noise in inputs.items()]


def log_likelihood(case: Case) -> list[Measure]:
    """The mean log-likelihood of the test images under Parzen windows on each set of points.

    One bandwidth serves all draws of a set: the best on the validation images, in the mean over draws.
    """
    validation, test = (getattr(case.dataset, part).images.to(case.device) for part in ("validation", "test"))

    def under(of: str) -> dict:
        windows = [_window(case, points, validation) for points in case.draws(of, f"{LIKELIHOOD} over bandwidths")]
        bandwidths, curves = windows[0].bandwidths_, [window.validation_log_likelihoods_ for window in windows]
        best = float(bandwidths[np.mean(curves, axis=0).argmax()])
        warn_of_grid_end(best, bandwidths, of)
        end = grid_end(best, bandwidths)
        note = {"note": f"the bandwidth is the {end} of its grid"} if end else {}
        counts = {"samples": case.count, "bandwidth": best, "test_images": len(test)}
        settings = {**counts, **case.how(of), **note}
        taken = []
        for window, points in zip(windows, case.draws(of, LIKELIHOOD), strict=True):
            mean, error = ParzenWindow(best).fit(points).mean_log_likelihood(test)
            curve = {"bandwidths": bandwidths, "validation": window.validation_log_likelihoods_}
            curve["standard_error"] = window.validation_standard_errors_
            taken.append({"value": mean, "standard_error": error, "settings": settings, "curve": curve})
        return over_seeds(taken)

    return [attempt(_LIKELIHOOD, of, partial(under, of)) for of in case.sets]


def _window(case: Case, points: Tensor, validation: Tensor) -> ParzenWindow:
    with warnings.catch_warnings():
        # of each draw's bandwidth; the one that is used is warned of
        warnings.filterwarnings("ignore", GRID_END, UserWarning)
        return ParzenWindow(bandwidths=case.bandwidths).fit(points, validation=validation)


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
        case.report("classification, SVM on codes")
        _require_classes(labels, test.labels)
        codes = case.codes(images)
        return taken(svm_accuracy(codes, labels, case.codes(test.images), test.labels), codes.shape[1])

    def on_components() -> dict:
        case.report("classification, SVM on PCA")
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

    def of_points(of: str, points: Tensor) -> dict:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # k, duplicates and ties are among the settings
            fitted = IntrinsicDimension(k=case.k).fit(points)
        left_out = {"duplicates_left_out": fitted.duplicates_, "tied_points_left_out": fitted.ties_}
        return {
            "value": fitted.dimension_,
            "standard_error": float(fitted.standard_error_),
            "settings": {"n": case.count, "k": fitted.k_, **left_out, **case.how(of)},
            "curve": {"k": fitted.ks_, "per_k": fitted.dimension_per_k_},
        }

    def of_draws(of: str) -> dict:
        return over_seeds([of_points(of, points) for points in case.draws(of, DIMENSION)])

    return [attempt(_DIMENSION, of, partial(of_draws, of)) for of in case.sets]


# a new measure is a function and its name here
MEASURES: tuple[Callable[[Case], list[Measure]], ...] = (
    reconstruction,
    log_likelihood,
    classification,
    intrinsic_dimension,
)
