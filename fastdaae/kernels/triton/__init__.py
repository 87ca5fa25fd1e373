"""The Triton backend: each file is importable without triton, and loads the kernels in `jit` when they are called."""
