"""`parzen_log_density`: a running (nearest, sum) for all bandwidths in one pass, then the pairs that matter."""

from torch import Tensor

from fastdaae.kernels.memory import empty_densities
from fastdaae.kernels.registration import operator
from fastdaae.kernels.triton import corruption


def problem(queries: Tensor, samples: Tensor) -> str | None:
    """Why the Triton kernels cannot take the points, or None."""
    # float64 data are no problem here: the pairs that matter are computed again in float64
    found = corruption.problem(samples[:0].float(), name="samples")
    return found or corruption.problem(queries[:0].float(), name="queries")


def _launch(queries, samples, bandwidths) -> Tensor:
    from fastdaae.kernels.triton.jit import parzen

    return parzen.parzen_log_density(queries, samples, bandwidths)


_parzen_log_density = operator(
    "triton_parzen_log_density(Tensor queries, Tensor samples, Tensor bandwidths) -> Tensor",
    _launch,
    empty_densities,
    "CompositeExplicitAutograd",
)


def parzen_log_density(queries: Tensor, samples: Tensor, bandwidths: Tensor) -> Tensor:
    """The log-densities [B, Q] in nats, float64, of queries [Q, D] under samples [N, D] for every bandwidth [B].

    uint8 means value / 255, exactly; the error is within 1e-3 + 1e-6 |log p| nats. Not differentiable.
    """
    return _parzen_log_density(queries, samples, bandwidths)
