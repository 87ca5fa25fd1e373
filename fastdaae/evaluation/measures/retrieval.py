"""Whether the neighbours of a test image's code are of its class."""

from functools import partial

from fastdaae.evaluation.attempt import attempt
from fastdaae.evaluation.case import Case
from fastdaae.evaluation.codes.retrieval import retrieval
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.measures.representations import Rows, labels_of, with_pixels

_DEPTH, _AT = 100, 10
_MOST, _QUERIES = 50_000, 10_000
_PRECISION = partial(Measure, f"precision at {_AT}", unit="share", digits=2)
_AVERAGE = partial(Measure, "mean average precision", unit="share", digits=2)


def retrieval_of_classes(case: Case) -> list[Measure]:
    """Precision at 10 and mean average precision of test images among training images: codes, PCA and pixels."""
    found: dict[str, dict[str, dict]] = {}

    def taken(of: str, rows: Rows, which: str) -> dict:
        if of not in found:
            case.report(f"retrieval, {of}")
            found[of] = _retrieved(case, rows)
        return found[of][which]

    sets = with_pixels(case).items()
    kinds = {"precision": _PRECISION, "average": _AVERAGE}
    return [attempt(kind, of, partial(taken, of, rows, which)) for which, kind in kinds.items() for of, rows in sets]


def _retrieved(case: Case, rows: Rows) -> dict[str, dict]:
    labels, query_labels = labels_of(case, "train", "test")
    labels, query_labels = labels[:_MOST], query_labels[:_QUERIES]
    depth = min(_DEPTH, len(labels))
    at = min(_AT, depth)
    among, queries = rows("train", _MOST).to(case.device), rows("test", _QUERIES).to(case.device)
    found = retrieval(among, labels, queries, query_labels, depth=depth)
    counts = {"numbers_an_image": among.shape[1], "training_images": len(labels), "queries": found.queries}
    curve = {"k": list(range(1, depth + 1)), "precision": found.precision, "standard_error": found.precision_error}
    value, error = found.average_precision
    return {
        "precision": {
            "value": float(found.precision[at - 1]),
            "standard_error": float(found.precision_error[at - 1]),
            "settings": {**counts, "by_chance": found.chance},
            "curve": curve,
        },
        "average": {"value": value, "standard_error": error, "settings": {**counts, "neighbours": depth}},
    }
