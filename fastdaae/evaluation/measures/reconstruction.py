"""How well images are reconstructed."""

import math
from functools import partial

from fastdaae.evaluation.attempt import attempt, diverged
from fastdaae.evaluation.case import Case
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.models.components import pca_reconstruction_error
from fastdaae.evaluation.models.reconstruction import reconstruction_error

_RECONSTRUCTION = partial(Measure, "reconstruction MSE", unit="pixel²", digits=4)


def reconstruction(case: Case) -> list[Measure]:
    """The mean squared error of reconstructed test images, from corrupted and from clean inputs."""
    images = case.dataset.test.images

    def error(of: str, noise) -> dict:
        case.report(f"reconstruction, {of}")
        case.require("reconstruct", "reconstructions need it")
        mean, standard_error = reconstruction_error(case.model, images, noise)
        if not math.isfinite(mean):
            raise diverged("the reconstructions")
        return {"value": mean, "standard_error": standard_error, "settings": {"test_images": len(images)}}

    inputs = {"corrupted input": case.noise(), "clean input": None}
    return [attempt(_RECONSTRUCTION, of, partial(error, of, noise)) for of, noise in inputs.items()]


def pca_reconstruction(case: Case) -> list[Measure]:
    """The same of principal components, as many as a code has numbers: what a linear code reaches."""
    images = case.dataset.test.images

    def error(of: str, noise) -> dict:
        case.report(f"reconstruction, {of}")
        if noise is not None and getattr(case.model, "draws_own_noise", False):
            raise ValueError("the model draws noise of its own, which principal components cannot be given")
        corruption = getattr(case.model, "corruption", None)
        value, standard_error = pca_reconstruction_error(case.components, images, noise, corruption)
        counts = {"numbers_an_image": case.components.n_components_, "test_images": len(images)}
        return {"value": value, "standard_error": standard_error, "settings": counts}

    inputs = {"PCA, corrupted input": case.noise(), "PCA, clean input": None}
    return [attempt(_RECONSTRUCTION, of, partial(error, of, noise)) for of, noise in inputs.items()]
