"""How well attributes of images can be read off their codes."""

from functools import partial

import numpy as np

from fastdaae.evaluation.attempt import attempt
from fastdaae.evaluation.case import Case
from fastdaae.evaluation.codes.attributes import AttributeAccuracy, attribute_accuracies
from fastdaae.evaluation.estimate import Estimate
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.measures.representations import Rows, attributes_of, codes_and_components

_ACCURACY = partial(Measure, "attribute accuracy", unit="share", digits=2)


def attributes(case: Case) -> list[Measure]:
    """The accuracy of a linear SVM on codes for each attribute, and the means over them of codes and of PCA."""
    each: dict[str, Measure] = {}

    def on(of: str, rows: Rows) -> dict:
        holds, test_holds = attributes_of(case, "train", "test")
        names = case.dataset.attributes or tuple(f"attribute {place}" for place in range(holds.shape[1]))
        train, test = rows("train", case.svm_images), rows("test", None)

        def told(place: int) -> None:
            case.report(f"attributes, linear SVM on {of}, {names[place]}")

        found = attribute_accuracies(train, holds[: len(train)], test, test_holds, report=told)
        counts = {"training_images": len(train), "test_images": len(test)}
        if of == "codes":
            each.update({name: _of_one(name, one, counts) for name, one in zip(names, found, strict=True)})
        return _mean(found, counts)

    sets = codes_and_components(case)
    means = [attempt(_ACCURACY, f"mean, linear SVM on {of}", partial(on, of, rows)) for of, rows in sets.items()]
    return [*each.values(), *means]


def _of_one(name: str, found: AttributeAccuracy | None, counts: dict) -> Measure:
    if found is None:
        return _ACCURACY(of=name, reason=f"all or none of {counts['training_images']:,} training images have it")
    balanced = {} if np.isnan(found.balanced) else {"balanced_accuracy": found.balanced}
    settings = {**balanced, "majority_rate": found.majority, **counts}
    return _ACCURACY(
        of=name, value=found.accuracy.mean, standard_error=found.accuracy.standard_error, settings=settings
    )


def _mean(found: list[AttributeAccuracy | None], counts: dict) -> dict:
    told = [one for one in found if one is not None]
    if not told:
        raise ValueError("every attribute is one that all or none of the training images have")
    # over images, of which each has all its attributes
    value, error = Estimate.of(np.mean([one.right for one in told], axis=0))
    shares = {"balanced_accuracy": [one.balanced for one in told], "majority_rate": [one.majority for one in told]}
    means = {name: float(np.nanmean(values)) for name, values in shares.items() if not np.isnan(values).all()}
    return {"value": value, "standard_error": error, "settings": {"attributes": len(told), **means, **counts}}
