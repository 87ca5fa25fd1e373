"""How likely the test images are at least, under a model with a posterior."""

import math
from functools import partial

from fastdaae.evaluation.attempt import attempt
from fastdaae.evaluation.case import Case
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.models.bounds import elbo, importance_weighted_bound

_BOUND = partial(Measure, "log-likelihood bound", unit="nats", digits=1)
_CODES = 50  # as many as the tables of Burda et al. 2016 train with


def bounds(case: Case) -> list[Measure]:
    """The ELBO and the importance-weighted bound of the test images, beside the Parzen windows' log-likelihood."""
    images = case.dataset.test.images

    def bound(of: str, take, k: int) -> dict:
        case.report(f"log-likelihood bound, {of}")
        case.require("posterior", "bounds need it")
        value, error = take(case.model, images, k=k, noise=case.noise())
        settings = {"k": k, "test_images": len(images), "pixels": _pixels(case.model)}
        return {"value": value, "standard_error": None if math.isnan(error) else error, "settings": settings}

    kinds = {"ELBO": (elbo, 1), "importance-weighted": (importance_weighted_bound, _CODES)}
    return [attempt(_BOUND, of, partial(bound, of, *how)) for of, how in kinds.items()]


def _pixels(model) -> str:
    """What the likelihood is of: a density as that of Parzen windows, or not."""
    deviation = getattr(model, "deviation", None)
    if deviation is None:
        return "of Bernoulli pixels, not a density"
    return f"a density of normal pixels, deviation {deviation:g}"
