"""`evaluate`: the measures of a trained model and, beside each, those of the real data."""

from collections.abc import Callable, Sequence
from typing import Any

from fastdaae.evaluation.case import Case
from fastdaae.evaluation.estimators.parzen import as_grid
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.measures import MEASURES, names_for
from fastdaae.noise import Noise
from fastdaae.ops.chain import PRECISIONS


def evaluate(
    model: Any,
    dataset: Any,
    *,
    measures: Sequence[str] | None = None,
    samples: int = 10_000,
    steps: int | Sequence[int] = 5,
    k: int = 100,
    svm_images: int = 20_000,
    seed: int = 0,
    seeds: int = 1,
    bandwidths: Sequence[float] | None = None,
    precision: str = "fp32",
    initial: Any = None,
    report: Callable[[str], None] = lambda stage: None,
) -> list[Measure]:
    """What is measured of a model on a Dataset, as a list of Measures; `measures` names those that are wanted.

    None means the usual ones: reconstruction, log-likelihood, classification and dimension; of a classifier accuracy.

    - "reconstruction": mean squared errors of test images; "pca reconstruction": those of principal components.
    - "log-likelihood" (nats): Parzen windows on x(0), on x(steps) and on as many real training images, the bandwidth
      chosen from `bandwidths` (by default those of `ParzenWindow`) on the validation split, or without one by leaving
      one sample out, scored on the test split; a best one at an end of the grid is warned of and noted.
    - "classification": an RBF SVM; "linear svm": a linear one; "twenty-way": classes of the evaluation split;
      "attributes"; "retrieval"; "clustering": of codes, and beside them of principal components.
    - "dimension": the intrinsic one, of the real images and of both sample sets; "prior fit": how far codes are from
      draws of the prior.
    - "robustness": reconstructions and classes as test images are corrupted, over strengths; "filters": of the first
      layer; "accuracy": of a classifier, with the counts of its confusions.

    With several `seeds` (seed, seed + 1, ...) there are as many draws of the samples: the measures of samples are means
    over them, and have the standard deviation over them beside the standard error. A measure that cannot be taken, as
    of a model that collapsed or diverged, of samples where a model has no prior, or of classes where images have no
    labels, has no value and says why as `reason`; the others stay. Samples are drawn in `precision` "fp32" or "bf16"
    and stay, like all that is measured, on the model's device; only codes and images for scikit-learn come to the CPU.
    `steps` may list those of the chain that are measured, ascending, instead of its last one beside 0; `initial` is
    what the chain starts from, as `model.sample` takes it (None: the prior). The model is measured in evaluation mode,
    and left in the mode it was in. `report` is told each stage, one line.

    Raises ValueError for another name among `measures`, a Dataset without the splits train and test, samples, seeds or
    svm_images < 1, steps < 0, k < 2, bandwidths that are not positive, another precision or a seed that is none.
    Source: Creswell and Bharath 2018, Tables I-VI.
    """
    names = names_for(model, measures)
    for name in ("train", "test"):
        if getattr(dataset, name, None) is None:
            raise ValueError(f"dataset must have the splits train and test, got none named {name!r}")
    least = {"samples": (samples, 1), "k": (k, 2), "svm_images": (svm_images, 1)}
    for name, (given, bound) in {**least, "seeds": (seeds, 1)}.items():
        if given < bound:
            raise ValueError(f"{name} must be >= {bound}, got {given}")
    kept = _kept(steps)
    Noise(seed)  # raises for what is none
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(map(repr, PRECISIONS))}, got {precision!r}")
    grid = None if bandwidths is None else as_grid(bandwidths)
    case = Case(model, dataset, samples, kept, k, svm_images, seed, seeds, grid, precision, initial, report)
    was_training = model.training
    model.eval()
    try:
        return [measure for name in names for measure in MEASURES[name](case)]
    finally:
        model.train(was_training)


def _kept(steps: int | Sequence[int]) -> tuple[int, ...]:
    """The steps of the chain that are measured: 0 and the last one, or those that are listed, ascending."""
    if not isinstance(steps, Sequence):
        if steps < 0:
            raise ValueError(f"steps must be >= 0, got {steps}")
        return (0, steps) if steps else (0,)
    if not steps or min(steps) < 0 or list(steps) != sorted(set(steps)):
        raise ValueError(f"steps must be numbers >= 0 in ascending order, got {steps}")
    return tuple(steps)
