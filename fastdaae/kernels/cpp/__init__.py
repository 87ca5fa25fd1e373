"""The C++ kernels: on the CPU, compiled once for every instruction set, the best of which is chosen at import."""

from fastdaae.kernels.cpp import chain, corruption, layers, neighbors, parzen, products, random

__all__ = ["chain", "corruption", "layers", "neighbors", "parzen", "products", "random"]
