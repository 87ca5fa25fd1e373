"""Corruptions of images of one case, of their regions or entry by entry, beside float64: values and gradients."""

import math

import torch

import fastdaae as fd
from fastdaae import reference
from fastdaae.corruptions import Patches, Shuffling
from tests.differential.draw import HALVES, Draw
from tests.differential.layers import ROUNDING, exact, require_close


def corruption_of(draw: Draw, height: int, width: int):
    size = draw.count(height), draw.count(width)
    patches = Patches(size, draw.count(6, 0), fill=draw.one_of(0.0, 0.5, -3.0))
    return draw.one_of(patches, patches, patches, Shuffling(draw.count(6)))


def corrupt(draw: Draw) -> None:
    rows, image = draw.count(30, 0), draw.one_of((), (1,), (3,), (2, 2)) + (draw.count(20), draw.count(20))
    dtype = draw.one_of(torch.uint8, torch.float32, torch.float64, *HALVES)
    x, noise = draw.pixels((rows, math.prod(image)), dtype).reshape(rows, *image), draw.noise()
    corruption = corruption_of(draw, *image[-2:])
    address = {"copies": draw.count(4), "index": draw.index(rows), **draw.address()}
    kernels = ["cpp"] * 3 if isinstance(corruption, Patches) and dtype != torch.float64 else []
    backend = draw.one_of("auto", "reference", *kernels)
    leaf = x if dtype == torch.uint8 else x.detach().requires_grad_()
    with draw.surroundings():
        ours = fd.ops.corrupt(leaf, corruption, noise, backend=backend, **address)
    wide = exact(x).requires_grad_()
    expected = reference.corrupt(wide, corruption, noise, **address)
    require_close(ours, expected, 1e-7 * expected.detach().abs(), "x~")
    if dtype == torch.uint8 or not ours.requires_grad:
        return
    grad = draw.normal(*ours.shape, dtype=ours.dtype)
    with draw.surroundings():
        (dx,) = torch.autograd.grad(ours, leaf, grad)
    (wanted,) = torch.autograd.grad(expected, wide, grad.double())
    (magnitude,) = torch.autograd.grad(reference.corrupt(wide, corruption, noise, **address), wide, grad.double().abs())
    require_close(dx, wanted, ROUNDING[dtype] * magnitude, "dx")
