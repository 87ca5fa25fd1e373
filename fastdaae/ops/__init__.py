"""Public operators: each validates its arguments, chooses a backend and is differentiable where that has a meaning.

Gradients can be differentiated again (create_graph=True, as gradient penalties need it) on every backend; the first
gradients are then PyTorch's own operators. Inside torch.compile PyTorch offers no second derivatives. A traced graph
(torch.compile, torch.export) serves every number of rows.
"""

from fastdaae.ops.chain import linear_sigmoid_corrupt, sample_chain
from fastdaae.ops.corruption import corrupt
from fastdaae.ops.encoding import corrupted_linear, encode_mean, linear_mean
from fastdaae.ops.neighbors import nearest_neighbors
from fastdaae.ops.network import Plan
from fastdaae.ops.parzen import parzen_log_density
from fastdaae.ops.random import normal, uniform
from fastdaae.ops.tokens import corrupt_tokens
from fastdaae.reference import Corrupted, CorruptedTokens, Neighbors

__all__ = [
    "Corrupted",
    "CorruptedTokens",
    "Neighbors",
    "Plan",
    "corrupt",
    "corrupt_tokens",
    "corrupted_linear",
    "encode_mean",
    "linear_mean",
    "linear_sigmoid_corrupt",
    "nearest_neighbors",
    "normal",
    "parzen_log_density",
    "sample_chain",
    "uniform",
]
