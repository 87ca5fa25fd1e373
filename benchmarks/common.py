"""What all benchmarks share: the data, the networks, the arithmetic of a row, and the machine's line."""

import functools
import importlib.metadata
import os
import platform

import torch  # before faiss, which then shares no OpenMP pool that spins against torch's
from checkout import machine_line
from torch import Tensor, nn

import fastdaae as fd

LARGE = os.environ.get("FASTDAAE_BENCH") == "large"
DATA = "mnist" if os.environ.get("FASTDAAE_DATA") else "synthetic"
SIGMA = 0.5  # the paper's corruption of MNIST, in [0, 1] pixels
CODES = 10
PEERS = ("torch", "numpy", "scikit-learn", "faiss-cpu", "pykeops")


@functools.cache
def images() -> Tensor:
    """60,000 training images, uint8 [N, 784]: MNIST where FASTDAAE_DATA is set, else sparse ones of dimension 10."""
    if DATA == "synthetic":
        return _synthetic(60_000, seed=0)
    mnist = fd.data.load("mnist")
    return torch.cat((mnist.train.images, mnist.validation.images)).flatten(1)


@functools.cache
def held_out_images() -> Tensor:
    """10,000 images that are not in `images`, uint8 [N, 784]."""
    return _synthetic(10_000, seed=1) if DATA == "synthetic" else fd.data.load("mnist").test.images.flatten(1)


def _synthetic(count: int, seed: int) -> Tensor:
    basis = torch.nn.functional.normalize(torch.randn(784, CODES, generator=torch.Generator().manual_seed(2)), dim=1)
    codes = torch.randn(count, CODES, generator=torch.Generator().manual_seed(seed))
    brightness = codes @ basis.T - 0.88  # a fifth of the pixels is lit, as in MNIST
    return (brightness * 180).clamp_(0, 255).to(torch.uint8)


def pixels(batch: Tensor) -> Tensor:
    """uint8 images as float32 in [0, 1]."""
    return batch.float() / 255


def make_networks(widths: tuple[int, ...] = (784, 1000, 1000, CODES)) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Encoder, decoder to logits and discriminator, equal at each call: by default the paper's networks for MNIST."""
    torch.manual_seed(0)
    *_, hidden, codes = widths
    return fd.networks.mlp(widths), fd.networks.mlp(widths[::-1]), fd.networks.mlp([codes, hidden, hidden, 1])


def product_flops(rows: int, *sizes: int) -> int:
    """The arithmetic of the products of a fully connected network's forward pass."""
    return sum(2 * rows * a * b for a, b in zip(sizes[:-1], sizes[1:], strict=True))


def add_noise(x: Tensor, noise: Tensor) -> Tensor:
    """x + SIGMA noise, written over the noise: the fewest passes that PyTorch's operators allow."""
    return torch.add(x, noise, alpha=SIGMA, out=noise)


def version_of(package: str) -> str | None:
    """A package's version, or None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


@functools.cache
def machine() -> dict:
    """What runs the rows: processor, cores, threads, instruction set, data, and the versions of everything timed."""
    return {
        **machine_line(),
        "data": DATA,
        "versions": {"python": platform.python_version()} | {p: v for p in PEERS if (v := version_of(p))},
    }
