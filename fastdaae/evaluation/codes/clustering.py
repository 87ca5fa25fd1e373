"""Whether codes fall into clusters that are the classes: k-means beside the labels."""

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix

from fastdaae.evaluation.codes.representation import as_array, as_floats
from fastdaae.evaluation.estimate import Estimate

_RESAMPLES = 100
_RESTARTS = 10


class Clustering(NamedTuple):
    """How far clusters are the classes; each with its standard error over images, by the bootstrap.

    `adjusted_rand` is 0 for clusters by chance and 1 for the classes themselves; `mutual_information` is normalised by
    the mean of both entropies, in [0, 1]; `accuracy` is the share of images in the cluster that is matched to their
    class, each class to one cluster at most (the best matching, by the Hungarian method); `purity` the share of images
    in a cluster in which their class is the most frequent.
    """

    adjusted_rand: Estimate
    mutual_information: Estimate
    accuracy: Estimate
    purity: Estimate


def clustering(codes: Any, labels: Any, *, clusters: int | None = None, seed: int = 0) -> Clustering:
    """How far k-means of codes [N, Z] (scikit-learn's, best of 10 starts) finds the classes of labels [N].

    There are as many clusters as classes, or `clusters`. `seed` (of which 32 bits are used) is that of the starts and
    of the bootstrap, which draws images and leaves the clusters as they are. Raises ValueError for labels that do not
    fit, clusters outside 1..N, and codes that are not all finite numbers. Sources: Hubert and Arabie 1985 (adjusted
    Rand index); Xie et al. 2016, section 4.2 (accuracy by matching).
    """
    rows, truth = as_floats(codes), as_array(labels)
    if truth.shape != (len(rows),):
        raise ValueError(f"labels must be one for each of {len(rows)} codes, got shape {list(truth.shape)}")
    clusters = len(np.unique(truth)) if clusters is None else clusters
    if not 1 <= clusters <= len(rows):
        raise ValueError(f"clusters must be in 1..{len(rows)}, the number of codes, got {clusters}")
    found = KMeans(clusters, n_init=_RESTARTS, random_state=seed & 0xFFFFFFFF).fit_predict(rows)
    draws = np.random.default_rng(seed).integers(len(rows), size=(_RESAMPLES, len(rows)))
    resampled = np.array([_agreement(truth[drawn], found[drawn]) for drawn in draws])
    errors = resampled.std(0, ddof=1)
    return Clustering(*(Estimate(*pair) for pair in zip(_agreement(truth, found), errors.tolist(), strict=True)))


def _agreement(truth: np.ndarray, found: np.ndarray) -> tuple[float, float, float, float]:
    table = contingency_matrix(truth, found)
    matched = table[linear_sum_assignment(table, maximize=True)].sum() / len(truth)
    rand, information = adjusted_rand_score(truth, found), normalized_mutual_info_score(truth, found)
    return float(rand), float(information), float(matched), float(table.max(0).sum() / len(truth))
