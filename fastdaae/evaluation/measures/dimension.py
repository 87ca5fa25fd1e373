"""The intrinsic dimension of samples and of real images."""

import warnings
from functools import partial

from torch import Tensor

from fastdaae.evaluation.attempt import attempt
from fastdaae.evaluation.case import Case
from fastdaae.evaluation.estimators.dimension import IntrinsicDimension
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.measures.seeds import over_seeds

DIMENSION = "intrinsic dimension"  # which has a figure of its own
_DIMENSION = partial(Measure, DIMENSION, digits=2)


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
