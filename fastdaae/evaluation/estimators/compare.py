"""Which of two sets of samples explains the data better: the paired difference of their log-likelihoods."""

from typing import Any

from numpy.typing import ArrayLike

from fastdaae.evaluation.estimate import Estimate
from fastdaae.evaluation.estimators.parzen import ParzenWindow


def compare(
    a: Any,
    b: Any,
    queries: Any,
    *,
    bandwidth: float | str = "auto",
    bandwidths: ArrayLike | None = None,
    validation: Any = None,
) -> Estimate:
    """By how many nats the queries are likelier under Parzen windows on samples a than on samples b, and its error.

    All sets are as `ParzenWindow` takes them: [N, D], or images. The difference is taken query by query, so that what
    makes a query hard under both sets cancels; its standard error is over queries [Q], NaN for one. Under "auto" each
    set has its own bandwidth, the best of `bandwidths` on the validation set, or by leaving one sample out without one;
    a number is the bandwidth of both. Raises ValueError and warns as `ParzenWindow`.
    """
    windows = (ParzenWindow(bandwidth, bandwidths).fit(samples, validation=validation) for samples in (a, b))
    first, second = (window.score_samples(queries) for window in windows)
    return Estimate.of(first - second)
