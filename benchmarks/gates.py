"""What a row's results are held to before it is timed: the same gate for ours and for every peer beside it."""

from typing import NamedTuple

from torch import Tensor


class Gate(NamedTuple):
    """How far a row is from the reference, and how far it may be, both in `unit`."""

    name: str
    error: float
    limit: float
    unit: str

    @property
    def passed(self) -> bool:
        """Whether the row is near enough; an error that is not a number is not."""
        return self.error <= self.limit

    def __str__(self) -> str:
        return f"wrong by {self.error:,.4g} {self.unit}"


def wrong(gates: tuple[Gate, ...]) -> str:
    """ "wrong by 1,230 nats" of the first gate that is not passed, or nothing."""
    return next((str(gate) for gate in gates if not gate.passed), "")


def require(row: str, gates: tuple[Gate, ...]) -> None:
    """Refuse a row of ours that does not pass; raises AssertionError."""
    for gate in gates:
        assert gate.passed, f"{row}: {gate.name} must be at most {gate.limit:.3g} {gate.unit}, got {gate.error:.3g}"


def moments(noise: Tensor, deviation: float) -> Gate:
    """How far noise is from mean 0 and a standard deviation, in standard errors: the larger of the two."""
    mean, spread, root = float(noise.mean()) / deviation, float(noise.std()) / deviation - 1, noise.numel() ** 0.5
    error = max(abs(mean) * root, abs(spread) * (2**0.5) * root)
    return Gate("moment_error", error, 5, "standard errors")


def normals(drawn: Tensor, expected: Tensor, deviation: float) -> tuple[Gate, Gate]:
    """Normal numbers against the reference's, in standard deviations: the 99.9th percentile, and the largest."""
    error = (drawn - expected).abs().flatten() / deviation
    most = float(error.kthvalue(int(0.999 * len(error))).values)
    unit = "standard deviations"
    return Gate("normal_error", most, 5e-6, unit), Gate("largest_normal_error", float(error.max()), 1e-3, unit)


def log_densities(given: Tensor, exact: Tensor) -> Gate:
    """Log-densities within 1e-3 + 1e-6 |log p| nats of the exact ones: the largest error, or the worst excess."""
    error, allowed = (given.double() - exact).abs(), 1e-3 + 1e-6 * exact.abs()
    worst = error.argmax() if (error <= allowed).all() else (error - allowed).argmax()
    return Gate("max_error_nats", float(error.flatten()[worst]), float(allowed.flatten()[worst]), "nats")


def distances(given: Tensor, exact: Tensor) -> Gate:
    """Distances within 1e-5 of the exact ones, relatively."""
    error = (given.double() - exact).abs() / exact.clamp_min(1e-12)
    return Gate("relative_distance_error", float(error.max()), 1e-5, "of a distance")
