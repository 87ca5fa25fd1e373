"""Sets and numbers in each other's place: refused in one line that shows the order."""

import numpy as np
import pytest
import torch

from fastdaae.ops import nearest_neighbors, parzen_log_density

Q, P = torch.rand(10, 4), torch.rand(50, 4)
NEIGHBORS = "the order is nearest_neighbors(points, k, queries=None)"
PARZEN = "the order is parzen_log_density(queries, samples, bandwidths)"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: nearest_neighbors(Q, P),
            ["k must be a whole number, got a tensor [50, 4]", NEIGHBORS, "queries=queries"],
        ),
        (lambda: nearest_neighbors(Q, P, 3), ["k must be a whole number, got a tensor [50, 4]", NEIGHBORS]),
        (lambda: nearest_neighbors(Q.numpy(), P.numpy()), ["got an array [50, 4]", NEIGHBORS]),
        (lambda: nearest_neighbors(3, P), ["k must be a whole number, got a tensor", NEIGHBORS]),
        (lambda: nearest_neighbors(3, 3, P), ["points must be [N, D], got 3", NEIGHBORS]),
        (lambda: nearest_neighbors(P, 3.0), ["k must be a whole number, got 3.0"]),
        (lambda: nearest_neighbors(P, 3, [[0.0] * 4]), ["queries must be a torch.Tensor [N, ...], got list"]),
        (lambda: parzen_log_density(Q, 0.3, P), ["got a tensor [50, 4]", PARZEN]),
        (lambda: parzen_log_density(Q, [0.3], P.numpy()), ["got an array [50, 4]", PARZEN]),
        (lambda: parzen_log_density(Q, [0.1, 0.3], 0.2), ["samples must be [N, D], got [0.1, 0.3]", PARZEN]),
        (lambda: parzen_log_density(Q, P, 0.3), ["bandwidths must be a list of numbers, got 0.3; use [0.3]"]),
        (lambda: parzen_log_density([[0.0] * 4], P, [0.3]), ["queries must be a torch.Tensor [N, ...], got list"]),
    ],
)
def test_arguments_in_another_order(call, words):
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message and all(word in message for word in words), message


def test_numbers_of_numpy_are_numbers_of_neighbours():
    expected = nearest_neighbors(P, 3, queries=Q)
    assert torch.equal(nearest_neighbors(P, np.int64(3), queries=Q).indices, expected.indices)
