"""`evaluate`: the numbers of a trained model and, beside each, those of the real data."""

import math
import warnings
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from fastdaae.evaluation.attempt import IMPOSSIBLE, attempt, diverged, require_finite
from fastdaae.evaluation.classification import pca_svm_accuracy, svm_accuracy
from fastdaae.evaluation.dimension import IntrinsicDimension
from fastdaae.evaluation.parzen import ParzenWindow
from fastdaae.evaluation.reconstruction import reconstruction_error
from fastdaae.noise import Noise
from fastdaae.reference import as_float

REAL = "real training images"
_ESTIMATE = ("mean", "standard_error")
_LIKELIHOOD = (*_ESTIMATE, "bandwidth", "bandwidths", "validation")
_DIMENSION = ("dimension", "standard_error", "k", "per_k", "duplicates", "ties")


def evaluate(
    model,
    dataset,
    *,
    samples: int = 10_000,
    steps: int = 5,
    k: int = 100,
    svm_images: int = 20_000,
    seed: int = 0,
    report: Callable[[str], None] = lambda stage: None,
) -> dict:
    """Reconstruction, likelihood, classification and dimension of a model on a Dataset, as a dictionary ready for JSON.

    Likelihood (nats): Parzen windows on x(0), on x(steps) and on as many real training images, the bandwidth chosen on
    the validation split, scored on the test split. Classification: an RBF SVM on codes and on principal components, for
    labelled data. Dimension: of the real images and of both sample sets. A measure that cannot be taken, as of a model
    that collapsed or diverged, has None for its numbers and says why as "reason"; the others stay. `report` is told
    each stage. Raises ValueError for a Dataset without the splits, samples < 1, steps < 0 or k < 2. Source: Creswell
    and Bharath 2018, Tables I and III-VI.
    """
    for name in ("train", "validation", "test"):
        if getattr(dataset, name, None) is None:
            raise ValueError(f"dataset must have the splits train, validation and test, got none named {name!r}")
    for name, given, least in (
        ("samples", samples, 1),
        ("steps", steps, 0),
        ("k", k, 2),
        ("svm_images", svm_images, 1),
    ):
        if given < least:
            raise ValueError(f"{name} must be >= {least}, got {given}")
    report("sampling")
    count = min(samples, len(dataset.train.images))
    sets = _sampled(model, count, steps, seed) | {REAL: _rows(dataset.train.images[:count])}
    report("reconstruction")
    result = {
        "model": type(model).__name__,
        "data": getattr(dataset, "name", "data"),
        "seed": seed,
        "reconstruction": _reconstruction(model, dataset.test.images, seed),
    }
    report("log-likelihood")
    result["likelihood"] = _likelihood(sets, dataset, count)
    if dataset.train.labels is not None:
        report("classification")
        result["classification"] = _classification(model, dataset, svm_images)
    report("intrinsic dimension")
    result["dimension"] = _dimension(sets, k, count)
    return result


def _rows(images: Tensor) -> Tensor:
    return as_float(images).flatten(1)


PointSets = dict[str, Tensor | Exception]


def _sampled(model, count: int, steps: int, seed: int) -> PointSets:
    """The model's sample sets [N, D] by name, or in their places why there are none."""
    kept = (0, steps) if steps else (0,)
    names = [f"x({t})" for t in kept]
    try:
        drawn = model.sample(count, steps=steps, keep=kept, seed=seed)
    except IMPOSSIBLE as error:
        return dict.fromkeys(names, error)
    return {name: _finite_or_why(x.flatten(1).cpu()) for name, x in zip(names, drawn, strict=True)}


def _finite_or_why(samples: Tensor) -> Tensor | Exception:
    try:
        require_finite("samples", samples)
    except ValueError as error:
        return error
    return samples


def _of_each(sets: PointSets, measure: Callable[[Tensor], dict], numbers: tuple[str, ...]) -> list[dict]:
    """The rows of a table: `measure` of each set."""

    def taken(points: Tensor | Exception) -> dict:
        if isinstance(points, Exception):
            raise points
        return measure(points)

    return [{"name": name} | attempt(partial(taken, points), numbers) for name, points in sets.items()]


def _reconstruction(model, images: Tensor, seed: int) -> dict:
    noise = Noise(seed, device=next(model.parameters()).device)

    def error_of(how: Noise | None) -> dict:
        found = reconstruction_error(model, images, how)
        if not math.isfinite(found.mean):
            raise diverged("the reconstructions")
        return found._asdict()

    return {
        "images": len(images),
        "corrupted_mse": attempt(lambda: error_of(noise), _ESTIMATE),
        "clean_mse": attempt(lambda: error_of(None), _ESTIMATE),
    }


def _likelihood(sets: PointSets, dataset, count: int) -> dict:
    validation, test = _rows(dataset.validation.images), _rows(dataset.test.images)

    def likelihood_of(points: Tensor) -> dict:
        window = ParzenWindow().fit(points, validation=validation)
        return {
            **window.mean_log_likelihood(test)._asdict(),
            "bandwidth": window.bandwidth_,
            "bandwidths": window.bandwidths_.tolist(),
            "validation": window.validation_log_likelihoods_.tolist(),
        }

    return {"samples": count, "queries": len(test), "rows": _of_each(sets, likelihood_of, _LIKELIHOOD)}


@torch.no_grad()
def _encoded(model, images: Tensor) -> Tensor:
    device = next(model.parameters()).device
    return torch.cat([model.encode(batch.to(device)).float().cpu() for batch in images.split(1000)])


def _codes(model, images: Tensor) -> Tensor:
    codes = _encoded(model, images)
    require_finite("codes", codes)
    return codes


def _require_classes(labels: Tensor, test_labels: Tensor | None) -> None:
    if test_labels is None:
        raise ValueError("the test images have no labels, and accuracy needs them")
    if len(labels.unique()) < 2:
        raise ValueError(f"all {len(labels):,} training images have one label, and an SVM needs two classes")


def _classification(model, dataset, svm_images: int) -> dict:
    images, labels = dataset.train.images[:svm_images], dataset.train.labels[:svm_images]
    test = dataset.test

    def on_codes() -> dict:
        _require_classes(labels, test.labels)
        codes = _codes(model, images)
        accuracy = svm_accuracy(codes, labels, _codes(model, test.images), test.labels)
        return {"dimension": codes.shape[1], "accuracy": accuracy}

    def on_components() -> dict:
        _require_classes(labels, test.labels)
        dimension = min(_encoded(model, images[:1]).shape[1], images[0].numel(), len(images))
        accuracy = pca_svm_accuracy(_rows(images), labels, _rows(test.images), test.labels, dimension=dimension)
        return {"dimension": dimension, "accuracy": accuracy}

    rows = [
        {"name": "SVM on codes"} | attempt(on_codes, ("dimension", "accuracy")),
        {"name": "SVM on PCA"} | attempt(on_components, ("dimension", "accuracy")),
    ]
    return {"training_images": len(images), "test_images": len(test.images), "rows": rows}


def _dimension(sets: PointSets, k: int, count: int) -> dict:
    def dimension_of(points: Tensor) -> dict:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # k, duplicates and ties are among the numbers
            fitted = IntrinsicDimension(k=k).fit(points)
        return {
            "dimension": fitted.dimension_,
            "standard_error": float(fitted.standard_error_),
            "k": fitted.ks_.tolist(),
            "per_k": fitted.dimension_per_k_.tolist(),
            "duplicates": fitted.duplicates_,
            "ties": fitted.ties_,
        }

    return {"k": max(2, min(k, count - 1)), "images": count, "rows": _of_each(sets, dimension_of, _DIMENSION)}
