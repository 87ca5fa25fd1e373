"""How many of the test images a classifier labels right."""

from functools import partial

from fastdaae.evaluation.attempt import attempt
from fastdaae.evaluation.case import Case
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.models.accuracy import confusion
from fastdaae.evaluation.proportion import proportion

_ACCURACY = partial(Measure, "test accuracy", unit="share", digits=2)


def accuracy(case: Case) -> list[Measure]:
    """The accuracy of a classifier on the test images, with the counts of every pair of true and given labels."""
    test = case.dataset.test

    def of_classifier() -> dict:
        case.report("accuracy")
        case.require("classify", "accuracy needs one; classify its codes by 'linear svm' or 'classification'")
        if test.labels is None:
            raise ValueError("the test images have no labels, and accuracy needs them")
        counts = confusion(case.model, test.images, test.labels)
        value, error = proportion(int(counts.diagonal().sum()), len(test.images))
        label, predicted = counts.nonzero()
        images = counts[label, predicted]
        curve = {"label": label.tolist(), "predicted": predicted.tolist(), "images": images.tolist()}
        settings = {"classes": len(counts), "test_images": len(test.images)}
        return {"value": value, "standard_error": error, "settings": settings, "curve": curve}

    return [attempt(_ACCURACY, "classifier", of_classifier)]
