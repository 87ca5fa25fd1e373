"""Whether the codes of test images fall into clusters that are the classes."""

from functools import partial

from fastdaae.evaluation.attempt import attempt
from fastdaae.evaluation.case import Case
from fastdaae.evaluation.codes.clustering import Clustering, clustering
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.measures.representations import Rows, codes_and_components, labels_of

_MOST = 10_000  # images
_KINDS = {
    "accuracy": partial(Measure, "clustering accuracy", unit="share", digits=2),
    "purity": partial(Measure, "cluster purity", unit="share", digits=2),
    "adjusted_rand": partial(Measure, "adjusted Rand index", digits=3),
    "mutual_information": partial(Measure, "normalised mutual information", digits=3),
}


def clusters(case: Case) -> list[Measure]:
    """K-means with as many clusters as classes on test codes and on as many principal components."""
    found: dict[str, tuple[Clustering, dict]] = {}

    def taken(of: str, rows: Rows, which: str) -> dict:
        if of not in found:
            case.report(f"clustering, k-means on {of}")
            labels = labels_of(case, "test")[0][:_MOST]
            points = rows("test", _MOST)
            counts = {"clusters": len(labels.unique()), "numbers_an_image": points.shape[1], "images": len(points)}
            found[of] = clustering(points, labels, seed=case.seed), counts
        agreement, settings = found[of]
        value, error = getattr(agreement, which)
        return {"value": value, "standard_error": error, "settings": settings}

    sets = codes_and_components(case).items()
    return [
        attempt(kind, f"k-means on {of}", partial(taken, of, rows, which))
        for which, kind in _KINDS.items()
        for of, rows in sets
    ]
