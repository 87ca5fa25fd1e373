"""The compiled module's functions called as they stand, on the addresses of tensors that the caller keeps alive."""

import math

import torch

from fastdaae.draw import Draw
from fastdaae.kernels.compiled import load as compiled

STATE = torch.tensor([0xDEADBEEF, 0xFEEDF00D, 41])


def numbers(tensor):
    return (0, "float32") if tensor is None else (tensor.data_ptr(), str(tensor.dtype).removeprefix("torch."))


def source(x, state=None):
    return (*numbers(x), len(x), 0, 0 if state is None else state.data_ptr())


def layer(weight, bias, activation, slope=0.0):
    outputs, inputs = weight.shape
    return numbers(weight), 0 if bias is None else bias.data_ptr(), inputs, outputs, activation, slope


def linear(x, weight, bias, activation, slope=0.0, *, half=False):
    out = torch.full((len(x), len(weight)), math.nan)
    compiled().linear(source(x), len(x), Draw(), layer(weight, bias, activation, slope), half, numbers(out), 2)
    return out


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def bits(tensor):
    return tensor.view(torch.int64 if tensor.dtype == torch.float64 else torch.int32)
