"""Triton kernels, their configurations and grids: device tensors in, device tensors out; needs triton."""
