"""How likely the test images are under Parzen windows on samples, and on real images."""

import warnings
from functools import partial

import numpy as np
from torch import Tensor

from fastdaae.evaluation.attempt import attempt
from fastdaae.evaluation.case import Case
from fastdaae.evaluation.estimators.parzen import GRID_END, ParzenWindow, grid_end, warn_of_grid_end
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.measures.seeds import over_seeds

LIKELIHOOD = "log-likelihood"  # which has a figure of its own
_LIKELIHOOD = partial(Measure, LIKELIHOOD, unit="nats", digits=1)


def log_likelihood(case: Case) -> list[Measure]:
    """The mean log-likelihood of the test images under Parzen windows on each set of points.

    One bandwidth serves all draws of a set: the best on the validation images, in the mean over draws, or where a data
    set has none the best on each point under the others.
    """
    test, held_out = case.dataset.test.images.to(case.device), getattr(case.dataset, "validation", None)
    validation = None if held_out is None else held_out.images.to(case.device)
    chosen = {"chosen": "the bandwidth by leaving one sample out"} if validation is None else {}

    def under(of: str) -> dict:
        windows = [_window(case, points, validation) for points in case.draws(of, f"{LIKELIHOOD} over bandwidths")]
        bandwidths, curves = windows[0].bandwidths_, [window.validation_log_likelihoods_ for window in windows]
        best = float(bandwidths[np.mean(curves, axis=0).argmax()])
        warn_of_grid_end(best, bandwidths, of)
        end = grid_end(best, bandwidths)
        note = {"note": f"the bandwidth is the {end} of its grid"} if end else {}
        counts = {"samples": case.count, "bandwidth": best, "test_images": len(test)}
        settings = {**counts, **case.how(of), **chosen, **note}
        taken = []
        for window, points in zip(windows, case.draws(of, LIKELIHOOD), strict=True):
            mean, error = ParzenWindow(best).fit(points).mean_log_likelihood(test)
            curve = {"bandwidths": bandwidths, "validation": window.validation_log_likelihoods_}
            curve["standard_error"] = window.validation_standard_errors_
            taken.append({"value": mean, "standard_error": error, "settings": settings, "curve": curve})
        return over_seeds(taken)

    return [attempt(_LIKELIHOOD, of, partial(under, of)) for of in case.sets]


def _window(case: Case, points: Tensor, validation: Tensor | None) -> ParzenWindow:
    with warnings.catch_warnings():
        # of each draw's bandwidth; the one that is used is warned of
        warnings.filterwarnings("ignore", GRID_END, UserWarning)
        return ParzenWindow(bandwidths=case.bandwidths).fit(points, validation=validation)
