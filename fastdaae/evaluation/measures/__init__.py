"""What `evaluate` measures: by name functions from a Case to Measures, one file a family."""

from collections.abc import Callable, Sequence
from typing import Any

from fastdaae.evaluation.case import Case
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.measures.accuracy import accuracy
from fastdaae.evaluation.measures.attributes import attributes
from fastdaae.evaluation.measures.bounds import bounds
from fastdaae.evaluation.measures.classification import classification, linear_svm
from fastdaae.evaluation.measures.clustering import clusters
from fastdaae.evaluation.measures.dimension import DIMENSION, intrinsic_dimension
from fastdaae.evaluation.measures.few_examples import twenty_way
from fastdaae.evaluation.measures.filters import filters
from fastdaae.evaluation.measures.likelihood import LIKELIHOOD, log_likelihood
from fastdaae.evaluation.measures.prior_fit import prior_fit
from fastdaae.evaluation.measures.reconstruction import pca_reconstruction, reconstruction
from fastdaae.evaluation.measures.retrieval import retrieval_of_classes
from fastdaae.evaluation.measures.robustness import robustness

__all__ = ["DIMENSION", "LIKELIHOOD", "MEASURES", "names_for"]

# a new measure is a function and its name here
MEASURES: dict[str, Callable[[Case], list[Measure]]] = {
    "reconstruction": reconstruction,
    "log-likelihood": log_likelihood,
    "bounds": bounds,
    "classification": classification,
    "dimension": intrinsic_dimension,
    "linear svm": linear_svm,
    "twenty-way": twenty_way,
    "attributes": attributes,
    "retrieval": retrieval_of_classes,
    "clustering": clusters,
    "robustness": robustness,
    "filters": filters,
    "accuracy": accuracy,
    "pca reconstruction": pca_reconstruction,
    "prior fit": prior_fit,
}
_USUAL = ("reconstruction", "log-likelihood", "classification", "dimension")


def names_for(model: Any, wanted: Sequence[str] | None) -> list[str]:
    """The names of the measures that are wanted, in the order of MEASURES; of None those that are usual for the model.

    Raises ValueError for a name that is none, for no name, and for what is no list of them.
    """
    if wanted is None:
        wanted = ("accuracy",) if hasattr(model, "classify") else _USUAL
    listed = ", ".join(map(repr, MEASURES))
    if isinstance(wanted, str) or not wanted:
        raise ValueError(f"measures must be a list of names out of {listed}; got {wanted!r}")
    for name in wanted:
        if name not in MEASURES:
            raise ValueError(f"measures must be names out of {listed}; got {name!r}")
    return [name for name in MEASURES if name in wanted]
