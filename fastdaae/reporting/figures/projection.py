"""Codes of any dimension as points of a plane."""

from typing import NamedTuple

import numpy as np

_NEIGHBORS = 30  # t-SNE's perplexity
_LEAST = 5  # distinct codes below which they are looked at as they are


class Plane(NamedTuple):
    """Points [N, 2], the names of their axes (None where coordinates mean nothing), what they are and how made."""

    points: np.ndarray
    axis_names: tuple[str, str] | None
    title: str
    method: str = ""


def codes_in_a_plane(codes: np.ndarray, seed: int) -> Plane:
    """Finite codes [N, Z] as points of a plane: themselves for Z = 2, t-SNE for more.

    Equal codes are one point, and fewer than five distinct ones are shown by their two most varied coordinates. Raises
    ValueError where Z > 2 and all codes are equal.
    """
    count, dimension = codes.shape
    if dimension == 2:
        return Plane(codes, ("code 1", "code 2"), "Codes")
    if dimension == 1:
        jitter = np.random.default_rng(seed).uniform(-1, 1, count)
        return Plane(np.column_stack((codes[:, 0], jitter)), ("code 1", "random, for the eye only"), "Codes")
    scaled = _standardized(codes)
    first, group_of_row = _groups_of_equals(scaled)
    if len(first) == 1:
        raise ValueError(f"all {count:,} codes are equal: the encoder has collapsed")
    if len(first) < _LEAST:
        shown = np.sort(scaled.std(0).argsort()[-2:])
        names = tuple(f"code {i + 1}" for i in shown)
        return Plane(codes[:, shown], names, f"Two of {dimension} coordinates of {len(first)} distinct codes")
    points, method = _t_sne(scaled[first], seed)
    return Plane(points[group_of_row], None, f"t-SNE of the {dimension}-D codes", method)


def _standardized(codes: np.ndarray) -> np.ndarray:
    """Centred, with one deviation over all coordinates, so that no square overflows or vanishes in float32."""
    centered = codes.astype(np.float64) - codes.mean(0, dtype=np.float64)
    return (centered / (centered.std() or 1.0)).astype(np.float32)


def _groups_of_equals(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(the first row of every group of equal rows, in their order; the group of each row)."""
    _, first, group_of_row = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return np.sort(first), first.argsort().argsort()[group_of_row.reshape(-1)]


def _t_sne(codes: np.ndarray, seed: int) -> tuple[np.ndarray, str]:
    """(points, a sentence on how they were made); distinct codes only: among equal ones its initial coordinates are
    0 / 0, and NaN crashes it.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    projection = TSNE(2, perplexity=min(_NEIGHBORS, (len(codes) - 1) / 3), init="pca", random_state=seed)
    # its threads wait for each other 1000 times: on a busy machine two were up to 50 times slower than one
    with threadpool_limits(limits=1, user_api="openmp"):
        points = projection.fit_transform(codes)
    settings = f"perplexity {projection.perplexity:.3g}, initialised by PCA, seed {seed}"
    return points, f"t-SNE of {len(codes):,} distinct codes: {settings}, {projection.n_iter_ + 1:,} iterations."
