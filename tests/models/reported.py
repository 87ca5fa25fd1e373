"""A small model, its data and measures of all kinds, for tests of the report."""

import numpy as np

import fastdaae as fd
from fastdaae.data import Dataset, Split
from fastdaae.evaluation import Measure
from fastdaae.evaluation.measure import REAL


def networks(pixels: int, code: int):
    return (
        fd.networks.mlp([pixels, 16, code]),
        fd.networks.mlp([code, 16, pixels], output="sigmoid"),
        fd.networks.mlp([code, 16, 1]),
    )


def idaae(pixels: int = 64, code: int = 3, **choices):
    prior = fd.priors.Normal(code)
    return fd.IDAAE(*networks(pixels, code), prior=prior, corruption=fd.corruptions.Gaussian(0.3), copies=2, **choices)


def digits(name: str = "digits", labels: bool = True) -> Dataset:
    whole = fd.data.load("digits")
    parts = (Split(part.images[:60], part.labels[:60] if labels else None) for part in whole[:3])
    return Dataset(*parts, name)


WINDOW = {"samples": 1000, "bandwidth": 0.2, "test_images": 250}
NEIGHBORS = {"n": 1000, "k": 20}


def likelihood(of: str, best: float) -> Measure:
    curve = {
        "bandwidths": np.logspace(-1, 0, 10).tolist(),
        "validation": [best - 40 * (i - 3) ** 2 for i in range(10)],
    }
    settings = {**WINDOW, "bandwidth": curve["bandwidths"][3]}
    return Measure("log-likelihood", of, best - 1, 1.25, "nats", digits=1, settings=settings, curve=curve)


def dimension(of: str, value: float, **left_out) -> Measure:
    k = list(range(2, 21))
    curve = {"k": k, "per_k": [value + 500 / i**4 for i in k]}
    return Measure("intrinsic dimension", of, value, 0.125, settings={**NEIGHBORS, **left_out}, curve=curve)


def error(of: str, value: float, standard_error: float) -> Measure:
    images = {"test_images": 1250}
    return Measure("reconstruction MSE", of, value, standard_error, "pixel²", digits=4, settings=images)


def accuracy(of: str, value: float) -> Measure:
    settings = {"numbers_an_image": 8, "training_images": 1297, "test_images": 250}
    return Measure("test accuracy", of, value, unit="share", settings=settings)


def made_up(*names: str) -> list[Measure]:
    """Measures of all kinds, or those of some names."""
    measures = [
        *(error("corrupted input", 0.02345, 0.00061), error("clean input", 0.01234, 0.00052)),
        *(likelihood("x(0)", -1200.0), likelihood("x(5)", 30.0), likelihood(REAL, 20.0)),
        *(accuracy("SVM on codes", 0.9512), accuracy("SVM on PCA", 0.9473)),
        *(dimension("x(0)", 6.5), dimension("x(5)", 4.25), dimension(REAL, 8.0)),
    ]
    return [measure for measure in measures if not names or measure.name in names]
