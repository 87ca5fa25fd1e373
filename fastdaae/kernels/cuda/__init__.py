"""The CUDA kernels of the compiled module, on device tensors."""

from fastdaae.kernels.cuda import dimension, neighbors

__all__ = ["dimension", "neighbors"]
