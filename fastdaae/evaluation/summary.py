"""`evaluate`: the numbers of a trained model and, beside each, those of the real data."""

from collections.abc import Callable

import torch
from torch import Tensor

from fastdaae.evaluation.classification import pca_svm_accuracy, svm_accuracy
from fastdaae.evaluation.dimension import IntrinsicDimension
from fastdaae.evaluation.parzen import ParzenWindow
from fastdaae.evaluation.reconstruction import reconstruction_error
from fastdaae.noise import Noise
from fastdaae.reference import as_float

REAL = "real training images"


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
    labelled data. Dimension: of the real images and of both sample sets. `report` is told each stage. Raises ValueError
    for a Dataset without the splits. Source: Creswell and Bharath 2018, Tables I and III-VI.
    """
    for name in ("train", "validation", "test"):
        if getattr(dataset, name, None) is None:
            raise ValueError(f"dataset must have the splits train, validation and test, got none named {name!r}")
    report("sampling")
    count = min(samples, len(dataset.train.images))
    drawn = model.sample(count, steps=steps, keep=(0, steps) if steps else (0,), seed=seed)
    sets = {f"x({t})": x.flatten(1).cpu() for t, x in zip((0, steps), drawn, strict=False)}
    sets[REAL] = _rows(dataset.train.images[:count])
    report("reconstruction")
    result = {
        "model": type(model).__name__,
        "data": getattr(dataset, "name", "data"),
        "seed": seed,
        "reconstruction": _reconstruction(model, dataset.test.images, seed),
    }
    report("log-likelihood")
    result["likelihood"] = _likelihood(sets, dataset)
    if dataset.train.labels is not None:
        report("classification")
        result["classification"] = _classification(model, dataset, svm_images)
    report("intrinsic dimension")
    result["dimension"] = _dimension(sets, k)
    return result


def _rows(images: Tensor) -> Tensor:
    return as_float(images).flatten(1)


def _reconstruction(model, images: Tensor, seed: int) -> dict:
    noise = Noise(seed, device=next(model.parameters()).device)
    return {
        "images": len(images),
        "corrupted_mse": reconstruction_error(model, images, noise)._asdict(),
        "clean_mse": reconstruction_error(model, images)._asdict(),
    }


def _likelihood(sets: dict[str, Tensor], dataset) -> dict:
    validation, test = _rows(dataset.validation.images), _rows(dataset.test.images)
    rows = []
    for name, points in sets.items():
        window = ParzenWindow().fit(points, validation=validation)
        rows.append(
            {
                "name": name,
                **window.mean_log_likelihood(test)._asdict(),
                "bandwidth": window.bandwidth_,
                "bandwidths": window.bandwidths_.tolist(),
                "validation": window.validation_log_likelihoods_.tolist(),
            }
        )
    return {"samples": len(sets[REAL]), "queries": len(test), "rows": rows}


@torch.no_grad()
def _codes(model, images: Tensor) -> Tensor:
    device = next(model.parameters()).device
    return torch.cat([model.encode(batch.to(device)).cpu() for batch in images.split(1000)])


def _classification(model, dataset, svm_images: int) -> dict:
    images, labels = dataset.train.images[:svm_images], dataset.train.labels[:svm_images]
    codes, test_codes = _codes(model, images), _codes(model, dataset.test.images)
    dimension = min(codes.shape[1], images[0].numel(), len(images))
    on_codes = svm_accuracy(codes, labels, test_codes, dataset.test.labels)
    on_pca = pca_svm_accuracy(
        _rows(images), labels, _rows(dataset.test.images), dataset.test.labels, dimension=dimension
    )
    rows = [
        {"name": "SVM on codes", "dimension": codes.shape[1], "accuracy": on_codes},
        {"name": "SVM on PCA", "dimension": dimension, "accuracy": on_pca},
    ]
    return {"training_images": len(images), "test_images": len(dataset.test.images), "rows": rows}


def _dimension(sets: dict[str, Tensor], k: int) -> dict:
    rows = []
    for name, points in sets.items():
        fitted = IntrinsicDimension(k=min(k, len(points) - 1)).fit(points)
        rows.append(
            {
                "name": name,
                "dimension": fitted.dimension_,
                "standard_error": float(fitted.standard_error_),
                "k": fitted.ks_.tolist(),
                "per_k": fitted.dimension_per_k_.tolist(),
            }
        )
    return {"k": min(k, len(sets[REAL]) - 1), "images": len(sets[REAL]), "rows": rows}
