"""What corruption at test time costs: curves over its strength, of reconstructions and of classes."""

from collections.abc import Callable
from functools import partial

import numpy as np
from torch import Tensor

from fastdaae.arrays import to_tensor
from fastdaae.evaluation.attempt import attempt, diverged
from fastdaae.evaluation.case import Case
from fastdaae.evaluation.codes.classification import fit_linear
from fastdaae.evaluation.codes.representation import as_floats, one_scale
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.measures.representations import labels_of
from fastdaae.evaluation.models.robustness import STRENGTHS, corrupted_batches, over_strengths, reconstruction_errors

Predict = Callable[[Tensor], Tensor]
_MOST = 10_000  # training images of the classifier
_ERROR = partial(Measure, "reconstruction MSE over sigma", unit="pixel²", digits=4)
_ACCURACY = partial(Measure, "test accuracy over sigma", unit="share", digits=2)


def robustness(case: Case) -> list[Measure]:
    """Reconstruction error and accuracy as test images have Gaussian noise of sigma 0 to 1, with a curve over sigma.

    The accuracy is that of a linear SVM fitted to codes of clean training images, or of a classifier itself. A model
    trained with corruption and one without meet the same corrupted images. The paper's figures 10 and 15 are another
    robustness, to the sigma of training: attribute accuracies of several models.
    """
    if hasattr(case.model, "classify"):
        return [attempt(_ACCURACY, "classifier", partial(_accuracy, case, "classifier", _classified))]
    return [
        attempt(_ERROR, "reconstructions", partial(_error, case)),
        attempt(_ACCURACY, "linear SVM on codes", partial(_accuracy, case, "linear SVM on codes", _by_svm_on_codes)),
        attempt(_ACCURACY, "linear SVM on PCA", partial(_accuracy, case, "linear SVM on PCA", _by_svm_on_components)),
    ]


def _error(case: Case) -> dict:
    case.require("reconstruct", "reconstructions need it")
    images, errors = case.dataset.test.images, []
    for sigma in STRENGTHS:
        case.report(f"robustness, reconstruction at sigma {sigma:g}")
        errors.append(reconstruction_errors(case.model, images, sigma, case.noise()))
    if not np.isfinite(errors).all():
        raise diverged("the reconstructions")
    return _taken("mse", np.array(errors), {"test_images": len(images)})


def _accuracy(case: Case, of: str, prepare: Callable[[Case], tuple[Predict, dict]]) -> dict:
    [labels] = labels_of(case, "test")
    images, (predict, counts) = case.dataset.test.images, prepare(case)
    right = []
    for sigma in STRENGTHS:
        case.report(f"robustness, {of} at sigma {sigma:g}")
        given = corrupted_batches(images, sigma, case.noise(), lambda corrupted, _: predict(corrupted))
        right.append(given == labels.numpy())
    return _taken("accuracy", np.array(right, dtype=float), {**counts, "test_images": len(labels)})


def _taken(name: str, values: np.ndarray, counts: dict) -> dict:
    (value, error), means, errors = over_strengths(values, STRENGTHS)
    curve = {"sigma": STRENGTHS, name: means, "standard_error": errors}
    settings = {**counts, "corruption": f"Gaussian, sigma {STRENGTHS[0]:g} to {STRENGTHS[-1]:g}"}
    return {"value": value, "standard_error": error, "settings": settings, "curve": curve}


def _classified(case: Case) -> tuple[Predict, dict]:
    return lambda x: case.model.classify(x).flatten(1).argmax(1), {}


def _by_svm_on_codes(case: Case) -> tuple[Predict, dict]:
    return _by_svm(case, case.codes_of("train", _MOST), lambda x: case.codes(x).cpu())


def _by_svm_on_components(case: Case) -> tuple[Predict, dict]:
    def components(x: Tensor) -> Tensor:
        return to_tensor(case.components.transform(x.flatten(1).numpy(force=True)))

    return _by_svm(case, case.components_of("train", _MOST), components)


def _by_svm(case: Case, codes: Tensor, represent: Predict) -> tuple[Predict, dict]:
    labels = labels_of(case, "train")[0][: len(codes)]
    if len(labels.unique()) < 2:
        raise ValueError(f"all {len(labels):,} training images have one label, and an SVM needs two classes")
    rows = as_floats(codes)
    svm = fit_linear(one_scale(rows)[0], labels.numpy())

    def predict(x: Tensor) -> Tensor:
        return to_tensor(svm.predict(one_scale(rows, as_floats(represent(x)))[1]))

    return predict, {"numbers_an_image": codes.shape[1], "training_images": len(codes)}
