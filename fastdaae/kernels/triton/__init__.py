"""The Triton kernels: written in `jit`, which the first call of a launcher loads; all else imports without triton."""

from fastdaae.kernels.triton import chain, corruption, layers, parzen, random

__all__ = ["chain", "corruption", "layers", "parzen", "random"]
