"""How well classifiers on codes tell the classes apart, beside those on principal components."""

from functools import partial

from torch import Tensor

from fastdaae.evaluation.attempt import attempt
from fastdaae.evaluation.case import Case, rows_of
from fastdaae.evaluation.codes.classification import linear_svm_accuracy, pca_svm_accuracy, svm_accuracy
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.measures.representations import Rows, codes_and_components, labels_of
from fastdaae.evaluation.proportion import proportion

_ACCURACY = partial(Measure, "test accuracy", unit="share", digits=2)


def classification(case: Case) -> list[Measure]:
    """The accuracy of an RBF SVM on codes and on as many principal components; nothing for unlabelled data."""
    train, test = case.dataset.train, case.dataset.test
    if train.labels is None:
        return []
    images, labels = train.images[: case.svm_images], train.labels[: case.svm_images]

    def taken(accuracy: float, dimension: int) -> dict:
        counts = {"training_images": len(images), "test_images": len(test.images)}
        _, error = proportion(round(accuracy * len(test.images)), len(test.images))
        return {"value": accuracy, "standard_error": error, "settings": {"numbers_an_image": dimension, **counts}}

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


def linear_svm(case: Case) -> list[Measure]:
    """The accuracy of a linear SVM on codes and on as many principal components, each on one scale."""

    def on(of: str, rows: Rows) -> dict:
        case.report(f"linear SVM on {of}")
        labels, test_labels = labels_of(case, "train", "test")
        labels = labels[: case.svm_images]
        _require_classes(labels, test_labels)
        train, test = rows("train", len(labels)), rows("test", None)
        value, error = linear_svm_accuracy(train, labels, test, test_labels)
        counts = {"numbers_an_image": train.shape[1], "training_images": len(train), "test_images": len(test)}
        return {"value": value, "standard_error": error, "settings": counts}

    sets = codes_and_components(case)
    return [attempt(_ACCURACY, f"linear SVM on {of}", partial(on, of, rows)) for of, rows in sets.items()]


def _require_classes(labels: Tensor, test_labels: Tensor | None) -> None:
    if test_labels is None:
        raise ValueError("the test images have no labels, and accuracy needs them")
    if len(labels.unique()) < 2:
        raise ValueError(f"all {len(labels):,} training images have one label, and an SVM needs two classes")
