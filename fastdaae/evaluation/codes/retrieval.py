"""Whether the neighbours of a code are of its class: precision and average precision of retrieval."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from fastdaae import ops
from fastdaae.arrays import to_tensor
from fastdaae.evaluation.codes.representation import as_array
from fastdaae.evaluation.estimate import Estimate


class Retrieval(NamedTuple):
    """How many of the nearest neighbours have the label of the query, in the mean over queries: shares in [0, 1].

    `precision` [depth] has that of the first 1, 2, ..., depth neighbours, and `precision_error` its standard error over
    queries; `average_precision` is the mean average precision at the depth, `chance` what neighbours at random would
    have for precision; `queries` is how many had a neighbour to find.
    """

    precision: np.ndarray
    precision_error: np.ndarray
    average_precision: Estimate
    chance: float
    queries: int


def retrieval(codes: Any, labels: Any, queries: Any, query_labels: Any, *, depth: int = 100) -> Retrieval:
    """The precision of retrieval among codes [N, Z] with labels [N] by the nearest neighbours of queries [Q, Z].

    Neighbours are exact Euclidean ones (`fastdaae.ops.nearest_neighbors`, on the device of the codes). The average
    precision of a query is the sum of the precisions at its neighbours of the same label over min(depth, R), R of which
    there are among the codes. Queries whose label no code has are left out. uint8 means value / 255. Raises ValueError
    for a depth outside of 1..N, labels that do not fit, and where no query has a label to find.
    Source: Manning, Raghavan and Schuetze 2008, Introduction to Information Retrieval, section 8.4.
    """
    given, wanted = to_tensor(as_array(labels)), to_tensor(as_array(query_labels))
    for name, each, rows in (("labels", given, codes), ("query_labels", wanted, queries)):
        if each.shape != (len(rows),):
            raise ValueError(f"{name} must be one for each of {len(rows)} codes, got shape {list(each.shape)}")
    there = (given[None, :] == wanted.unique()[:, None]).sum(1)
    relevant = there[torch.searchsorted(wanted.unique(), wanted)]
    kept = relevant > 0
    if not bool(kept.any()):
        raise ValueError("query_labels must share a label with labels, got none that is in both")
    near = ops.nearest_neighbors(codes, depth, queries).indices.cpu()[kept]
    return _retrieval(given[near] == wanted[kept][:, None], relevant[kept], len(given))


def _retrieval(same: Tensor, relevant: Tensor, count: int) -> Retrieval:
    depth = same.shape[1]
    precision = same.double().cumsum(1) / torch.arange(1, depth + 1, dtype=torch.float64, device=same.device)
    average = (precision * same).sum(1) / relevant.clamp(max=depth)
    errors = precision.std(0) / len(same) ** 0.5 if len(same) > 1 else torch.full_like(precision[0], torch.nan)
    chance = float(relevant.double().mean()) / count
    return Retrieval(precision.mean(0).numpy(), errors.numpy(), Estimate.of(average.numpy()), chance, len(same))
