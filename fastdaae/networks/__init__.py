"""Networks that can be rebuilt from a configuration: plain `nn.Sequential` modules that remember how they were made."""

from fastdaae.networks.dense import mlp

__all__ = ["mlp"]
