"""Every operator in plain PyTorch: these functions define what is correct, on any device and in float64.

They take the same arguments as the public operators of `fastdaae.ops`, which document them, and check nothing but the
index of a gather: a row outside x is an IndexError on the CPU, and NaN on a device, which is not waited for, and in
traced code. Work is cut into blocks of rows, so that no intermediate grows with the product of two data sizes.
"""

from fastdaae.reference.distances import Neighbors, lift, nearest_neighbors, parzen_log_density
from fastdaae.reference.layers import (
    CHAIN_ROWS,
    Corrupted,
    activate,
    corrupt,
    corrupted_linear,
    encode_mean,
    in_shape,
    linear_mean,
    linear_sigmoid_corrupt,
    run_chains,
    sample_chain,
)
from fastdaae.reference.moments import LogRatioMoments, Moments, log_ratio_moments
from fastdaae.reference.numbers import alike, as_double, as_float, distance_dtype
from fastdaae.reference.random import normal, uniform
from fastdaae.reference.tokens import CorruptedTokens, corrupt_tokens

__all__ = [
    "CHAIN_ROWS",
    "Corrupted",
    "CorruptedTokens",
    "LogRatioMoments",
    "Moments",
    "Neighbors",
    "activate",
    "alike",
    "as_double",
    "as_float",
    "corrupt",
    "corrupt_tokens",
    "corrupted_linear",
    "distance_dtype",
    "encode_mean",
    "in_shape",
    "lift",
    "linear_mean",
    "linear_sigmoid_corrupt",
    "log_ratio_moments",
    "nearest_neighbors",
    "normal",
    "parzen_log_density",
    "run_chains",
    "sample_chain",
    "uniform",
]
