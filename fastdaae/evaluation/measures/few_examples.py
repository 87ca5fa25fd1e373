"""How well codes tell classes apart that were in no training image, of which there are a few examples each."""

from functools import partial

from fastdaae.evaluation.attempt import attempt
from fastdaae.evaluation.case import Case
from fastdaae.evaluation.codes.few_examples import few_way_accuracy, many_way_accuracy
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.measures.representations import Rows, codes_and_components, labels_of

WAYS, TASKS = 20, 30
_TWENTY_WAY = partial(Measure, f"{WAYS}-way accuracy", unit="share", digits=2)
_ALL = partial(Measure, "accuracy over new classes", unit="share", digits=2)


def twenty_way(case: Case) -> list[Measure]:
    """On the evaluation split, linear SVMs of 20-way tasks that leave one out, and an RBF SVM over all its classes.

    Both on codes and on as many principal components of the training images.
    """

    def few(of: str, rows: Rows) -> dict:
        [labels] = labels_of(case, "evaluation")
        stage = f"{WAYS}-way accuracy, linear SVM on {of}"
        case.report(stage)
        codes = rows("evaluation", None)
        how = {"ways": WAYS, "tasks": TASKS, "seed": case.seed}
        value, error = few_way_accuracy(codes, labels, **how, report=lambda task: case.report(f"{stage}, {task}"))
        return {"value": value, "standard_error": error, "settings": _counts(codes, labels) | {"tasks": TASKS}}

    def all_classes(of: str, rows: Rows) -> dict:
        [labels] = labels_of(case, "evaluation")
        case.report(f"accuracy over new classes, SVM on {of}")
        codes = rows("evaluation", None)
        value, error = many_way_accuracy(codes, labels)
        counts = _counts(codes, labels) | {"test_images": len(labels.unique())}
        return {"value": value, "standard_error": error, "settings": counts}

    sets = codes_and_components(case).items()
    return [attempt(_TWENTY_WAY, f"linear SVM on {of}", partial(few, of, rows)) for of, rows in sets] + [
        attempt(_ALL, f"SVM on {of}", partial(all_classes, of, rows)) for of, rows in sets
    ]


def _counts(codes, labels) -> dict:
    return {"numbers_an_image": codes.shape[1], "classes": len(labels.unique()), "images": len(codes)}
