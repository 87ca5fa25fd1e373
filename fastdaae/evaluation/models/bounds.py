"""Lower bounds of log p(x) under a model with a posterior: the ELBO and the importance-weighted bound."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from fastdaae import ops
from fastdaae.arguments import whole_in
from fastdaae.evaluation.estimate import Estimate
from fastdaae.noise import Noise, Site

_CHUNK = 4096  # pairs of an image and a code that are decoded together


def elbo(model: Any, images: Tensor, noise: Noise, *, k: int = 1, chunk: int = _CHUNK) -> Estimate:
    """The evidence lower bound E_q[log p(x, z) - log q(z | x)], the mean over images [N, ...] with its error, in nats.

    The expectation is the mean over k codes z ~ q(z | x) of the clean x, also of a denoising model, and whatever its
    beta. The standard error is over images. Arguments, addresses and errors as `importance_weighted_bound`. Source:
    Kingma and Welling 2013, equation 2; Im et al. 2015.
    """
    means = [weights.mean(1) for weights in _log_weights(model, images, k, noise, chunk)]
    return Estimate.of(torch.cat(means).cpu().numpy())


def importance_weighted_bound(model: Any, images: Tensor, k: int, noise: Noise, *, chunk: int = _CHUNK) -> Estimate:
    """E[log 1/k sum_i p(x, z_i) / q(z_i | x)] for z_1 .. z_k ~ q(z | x), the mean over images [N, ...], in nats.

    It is the ELBO for k = 1, rises with k in expectation, and reaches log p(x). The proposal is the posterior of the
    clean x, also of a denoising model: any proposal gives a bound. For pixels of [0, 1] and loss="bce" it bounds the
    log of a probability of (binary) images, for "mse" that of a density. images are uint8 or [0, 1] pixels; `chunk`
    bounds how many pairs of an image and a code are decoded together, and changes nothing but rounding: code i of image
    n reads columns i Z .. (i + 1) Z of row n at Site.BOUND, so that the codes of a smaller k are the first of a larger.
    Sums over codes are log-sum-exp in float64. Raises TypeError for a model without a posterior, ValueError for an
    empty set and k or chunk < 1. Source: Burda et al. 2016, equation 8.
    """
    bounds = [weights.logsumexp(1) - math.log(k) for weights in _log_weights(model, images, k, noise, chunk)]
    return Estimate.of(torch.cat(bounds).cpu().numpy())


@torch.no_grad()
def _log_weights(model: Any, images: Tensor, k: int, noise: Noise, chunk: int) -> Iterator[Tensor]:
    """log p(x, z) - log q(z | x) for k codes of each image, float64 [n, k], so many images at a time."""
    if not (hasattr(model, "posterior") and hasattr(model, "log_likelihood")):
        raise TypeError(
            f"model must have a posterior and a log_likelihood, as fastdaae.models.VAE has, got {type(model).__name__}"
        )
    k, chunk = whole_in("k", k, 1), whole_in("chunk", chunk, 1)
    if len(images) == 0:
        raise ValueError("images must not be empty, got 0 rows")
    device, rows = next(model.parameters()).device, max(1, chunk // k)
    for start in range(0, len(images), rows):
        x = images[start : start + rows].to(device)
        mean, log_variance = model.posterior(x)
        n, size = mean.shape
        drawn = ops.normal(n, k * size, noise.to(device), row_offset=start, site=Site.BOUND)[0]
        epsilon = drawn.unflatten(1, (k, size)).to(mean.dtype)
        z = mean[:, None] + (0.5 * log_variance).exp()[:, None] * epsilon
        # log N(z; 0, I) - log N(z; mean, sigma^2), of which the constants cancel
        log_ratio = 0.5 * (epsilon.double().square() + log_variance.double()[:, None] - z.double().square()).sum(2)
        # all codes of some images, or some codes of one
        parts = [_log_likelihood(model, x, part) for part in z.split(chunk, dim=1)]
        yield torch.cat(parts, dim=1) + log_ratio


def _log_likelihood(model: Any, x: Tensor, z: Tensor) -> Tensor:
    """log p(x | z) of images [n, ...] and codes [n, k, Z], float64 [n, k]."""
    found = model.log_likelihood(x.repeat_interleave(z.shape[1], 0), z.flatten(0, 1))
    return found.double().unflatten(0, z.shape[:2])
