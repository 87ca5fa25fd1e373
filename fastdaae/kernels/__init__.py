"""Compiled and Triton kernels; thin launchers that may import only noise, corruptions and backend."""
