"""`evaluate`: the measures of a trained model and, beside each, those of the real data."""

from collections.abc import Callable, Sequence
from typing import Any

from fastdaae.evaluation.case import Case
from fastdaae.evaluation.estimators.parzen import as_grid
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.measures import MEASURES, names_for, splits_for
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

    None means reconstruction, log-likelihood, classification and dimension, and of a model that classifies its
    accuracy. Likelihood (nats): Parzen windows on x(0), on x(steps) and on as many real training images, the bandwidth
    chosen on the validation split from `bandwidths` (by default those of `ParzenWindow`), scored on the test split; a
    best one at an end of the grid is warned of and noted. Classification: an RBF SVM on codes and on principal
    components, for labelled data. Dimension: of the real images and of both sample sets. With several `seeds` (seed,
    seed + 1, ...) there are as many draws of the samples: the measures of samples are means over them, and have the
    standard deviation over them beside the standard error. A measure that cannot be taken, as of a model that collapsed
    or diverged, or of samples where a model has no prior, has no value and says why as `reason`; the others stay.
    The model is measured in evaluation mode, and left in the mode it was in.

    Samples are drawn in `precision` "fp32" or "bf16" and stay, like all that is measured, on the model's device; only
    codes and images for scikit-learn come to the CPU. `steps` may list those of the chain that are measured, ascending,
    instead of its last one beside 0, and `initial` is what the chain starts from, as `model.sample` takes it (None: the
    prior). `report` is told each stage, one line. Raises ValueError for
    another name among `measures`, a Dataset without the splits that they need, samples, seeds or svm_images < 1,
    steps < 0, k < 2, bandwidths that are not positive, another precision or a seed that is none. Source: Creswell and
    Bharath 2018, Tables I and III-VI.
    """
    names = names_for(model, measures)
    for name in splits_for(names):
        if getattr(dataset, name, None) is None:
            raise ValueError(f"dataset must have the splits {_listed(splits_for(names))}, got none named {name!r}")
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
    kept = tuple(steps) if isinstance(steps, Sequence) else (0, steps) if steps else (0,)
    if not kept or min(kept) < 0 or list(kept) != sorted(set(kept)):
        raise ValueError(f"steps must be >= 0, or steps >= 0 in ascending order, got {steps}")
    return kept


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}"
