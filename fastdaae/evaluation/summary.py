"""`evaluate`: the measures of a trained model and, beside each, those of the real data."""

from collections.abc import Callable

from fastdaae.evaluation.case import case_of
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.measures import MEASURES


def evaluate(
    model,
    dataset,
    *,
    samples: int = 10_000,
    steps: int = 5,
    k: int = 100,
    svm_images: int = 20_000,
    seed: int = 0,
    report: Callable[[str], None] = lambda stage: None,
) -> list[Measure]:
    """Reconstruction, likelihood, classification and dimension of a model on a Dataset, as a list of Measures.

    Likelihood (nats): Parzen windows on x(0), on x(steps) and on as many real training images, the bandwidth chosen on
    the validation split, scored on the test split. Classification: an RBF SVM on codes and on principal components, for
    labelled data. Dimension: of the real images and of both sample sets. A measure that cannot be taken, as of a model
    that collapsed or diverged, or of samples where a model has no prior, has no value and says why as `reason`; the
    others stay. `report` is told each stage. Raises ValueError for a Dataset without the splits, samples < 1, steps < 0
    or k < 2. Source: Creswell and Bharath 2018, Tables I and III-VI.
    """
    for name in ("train", "validation", "test"):
        if getattr(dataset, name, None) is None:
            raise ValueError(f"dataset must have the splits train, validation and test, got none named {name!r}")
    for name, given, least in (
        ("samples", samples, 1),
        ("steps", steps, 0),
        ("k", k, 2),
        ("svm_images", svm_images, 1),
    ):
        if given < least:
            raise ValueError(f"{name} must be >= {least}, got {given}")
    report("sampling")
    case = case_of(model, dataset, samples=samples, steps=steps, k=k, svm_images=svm_images, seed=seed)
    measures: list[Measure] = []
    for stage, measure in MEASURES.items():
        report(stage)
        measures += measure(case)
    return measures
