"""How far codes are from the prior that they were trained to have: a number beside the histograms."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from fastdaae import noise as addressed
from fastdaae.evaluation.attempt import attempt, require_finite
from fastdaae.evaluation.case import Case
from fastdaae.evaluation.codes.energy import energy_distance
from fastdaae.evaluation.measure import Measure
from fastdaae.noise import Site
from fastdaae.reference import as_float

_MOST = 2000  # codes: all pairs of twice as many take 128 MB
_DISTANCE = partial(Measure, "energy distance to the prior", digits=4)


def prior_fit(case: Case) -> list[Measure]:
    """The energy distance between codes of test images and as many draws of the prior, beside what it is by chance.

    Of clean codes, of codes of images corrupted as in training where a model corrupts (which a DAAE matches to its
    prior), and of draws of the posterior where it has one (a VAE's codes are its means, narrower than the prior).
    """
    images = case.dataset.test.images[:_MOST].to(case.device)

    def of(name: str, codes: Callable[[Tensor], Tensor]) -> dict:
        case.report(f"prior fit, {name}")
        prior = getattr(case.model, "prior", None)
        if prior is None:
            raise ValueError(f"this {type(case.model).__name__} has no prior")
        with torch.no_grad():
            found = codes(images).float().flatten(1).cpu()
        require_finite("codes", found)
        value, by_chance, p = energy_distance(found, prior.sample(len(found), case.noise()).cpu(), seed=case.seed)
        curve = {"dimension": range(found.shape[1]), "mean": found.mean(0).tolist(), "std": found.std(0).tolist()}
        return {"value": value, "settings": {"by_chance": by_chance, "p": p, "codes": len(found)}, "curve": curve}

    sets: dict[str, Callable[[Tensor], Tensor]] = {"codes": case.encoded}
    if getattr(case.model, "corruption", None) is not None or getattr(case.model, "draws_own_noise", False):
        sets["codes of corrupted images"] = partial(_of_corrupted, case)
    if hasattr(case.model, "posterior"):
        sets["draws of the posterior"] = partial(_of_posterior, case)
    return [attempt(_DISTANCE, name, partial(of, name, codes)) for name, codes in sets.items()]


def _of_corrupted(case: Case, images: Tensor) -> Tensor:
    return case.model.encode(case.model.corrupted(as_float(images), case.noise(), site=Site.EVALUATION))


def _of_posterior(case: Case, images: Tensor) -> Tensor:
    mean, log_variance = case.model.posterior(images)
    drawn = addressed.normal(case.noise(), *mean.shape, site=Site.POSTERIOR)[0]
    return mean + (0.5 * log_variance).exp() * drawn.to(mean)
