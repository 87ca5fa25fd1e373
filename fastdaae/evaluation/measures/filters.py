"""Whether the first layer's filters are localised, oriented and bandpass, or noise."""

from functools import partial

import numpy as np

from fastdaae.evaluation.attempt import attempt
from fastdaae.evaluation.case import Case
from fastdaae.evaluation.estimate import Estimate
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.models.filters import Filters, filter_statistics, first_filters, shuffled
from fastdaae.evaluation.proportion import proportion
from fastdaae.noise import Noise

_SHUFFLES = 19  # of which a filter of noise beats all once in 20 times
_OF, _SHUFFLED = "first layer", "the same, pixels shuffled"
_KINDS = {
    "concentration": partial(Measure, "filter concentration", digits=3),
    "orientation": partial(Measure, "filter orientation", digits=3),
    "extent": partial(Measure, "filter extent", digits=3),
}
# which statistics of a filter are beyond those of its shuffles, each with the sign that makes more of it the greater
_SHARES = {
    "oriented filters": {"orientation": 1},
    "localised filters": {"extent": -1},
    "localised, oriented, bandpass filters": {"orientation": 1, "extent": -1, "concentration": 1},
}


def filters(case: Case) -> list[Measure]:
    """Means over the first layer's filters of what `filter_statistics` tells, beside those with their pixels shuffled.

    And the shares of filters that are more oriented than all of 19 shuffles of their own pixels, or less extended: 5 %
    of independent noise, whatever its distribution; and of those that are both and more concentrated in frequency too,
    at most 5 % of noise. The first layer is that of the encoder, of a stack's first block or of a classifier's
    autoencoder.
    """
    found: list[Filters] = []

    def both() -> list[Filters]:
        if not found:
            case.report("filters")
            found.extend(_with_shuffles(case))
        return found

    def mean(which: str, part: int) -> dict:
        values = getattr(both()[part], which)
        value, error = Estimate.of(values[np.isfinite(values)])
        curve = {"filter": range(len(values)), **found[0]._asdict()} if part == 0 else None
        return {"value": value, "standard_error": error, "settings": _counts(found[0]), "curve": curve}

    def share(signs: dict[str, int]) -> dict:
        beyond = np.all([_beyond_shuffles(both(), which, sign) for which, sign in signs.items()], axis=0)
        value, error = proportion(int(beyond.sum()), int(np.isfinite(found[0].extent).sum()))
        chance = 1 / (_SHUFFLES + 1)
        by_chance = {"by_chance": chance} if len(signs) == 1 else {"by_chance": f"by chance at most {chance:g}"}
        settings = {**_counts(found[0]), "shuffles": _SHUFFLES, **by_chance}
        return {"value": value, "standard_error": error, "settings": settings}

    means = [
        attempt(kind, of, partial(mean, which, part))
        for which, kind in _KINDS.items()
        for part, of in enumerate((_OF, _SHUFFLED))
    ]
    kinds = {name: partial(Measure, name, unit="share", digits=1) for name in _SHARES}
    return [*means, *(attempt(kind, _OF, partial(share, _SHARES[name])) for name, kind in kinds.items())]


def _beyond_shuffles(found: list[Filters], which: str, sign: int) -> np.ndarray:
    own, *others = (sign * getattr(one, which) for one in found)
    return own > np.max(others, axis=0)


def _with_shuffles(case: Case) -> list[Filters]:
    model = getattr(case.model, "autoencoder", case.model)
    blocks = getattr(model, "blocks", None)
    encoder = (blocks[0] if blocks else model).encoder
    shape = getattr(case.model, "image_shape", None) or tuple(case.dataset.train.images.shape[1:])
    weights = first_filters(encoder, tuple(shape)).cpu()
    own = filter_statistics(weights)
    if not np.isfinite(own.concentration).any():
        raise ValueError(f"all {len(weights)} filters of the first layer are constant")
    noise = Noise(case.seed)
    return [own, *(filter_statistics(shuffled(weights, noise.ahead(copy))) for copy in range(_SHUFFLES))]


def _counts(own: Filters) -> dict:
    constant = int(np.isnan(own.concentration).sum())
    return {"filters": len(own.concentration), "constant_filters_left_out": constant}
