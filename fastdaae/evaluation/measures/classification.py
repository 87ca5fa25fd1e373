"""How well classifiers on codes tell the classes apart, beside those on principal components."""

from functools import partial

from torch import Tensor

from fastdaae.evaluation.attempt import attempt
from fastdaae.evaluation.case import Case, rows_of
from fastdaae.evaluation.codes.classification import pca_svm_accuracy, svm_accuracy
from fastdaae.evaluation.measure import Measure

_ACCURACY = partial(Measure, "test accuracy", unit="share", digits=2)


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
        codes, test_codes = case.codes_of("train", len(images)), case.codes_of("test")
        return taken(svm_accuracy(codes, labels, test_codes, test.labels), codes.shape[1])

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
