"""What `fit` leaves on an estimator: all of the new fit, or all of the one before."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def fitting(estimator) -> Iterator[None]:
    """Takes away what an earlier `fit` left (scikit-learn's names with a last underscore), and puts it back on errors.

    So a refit keeps no number of the fit before, and a failed one changes nothing.
    """
    before = dict(vars(estimator))
    for name in before:
        if name.endswith("_"):
            delattr(estimator, name)
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
