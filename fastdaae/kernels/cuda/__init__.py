"""The CUDA backend: kernels of the compiled module on device tensors."""
