"""Activations of a tile of sums, and the gradient through them."""

import triton
import triton.language as tl

from fastdaae.activation import Activation

_NUMBERS = {"none": 0, "relu": 1, "sigmoid": 2, "leaky_relu": 3, "tanh": 4}


def encoded(activation: Activation) -> tuple[int, float]:
    """The constant ACT and the argument `slope` of the kernels."""
    return _NUMBERS[activation.name], float(activation.slope)


@triton.jit
def _tanh(x):
    """Within 4e-7 of its size: near 0, where 1 - exp(-2 |x|) cancels, an odd polynomial that is within 5e-9."""
    size, square = tl.abs(x), x * x
    series = 0.1333138135436038 + square * (
        -0.05373531884945889 + square * (0.020626291823297973 - square * 0.005691985663217686)
    )
    near = x + x * square * (-0.33333279208370725 + square * series)
    faded = tl.exp(-2.0 * size)
    far = (1.0 - faded) / (1.0 + faded)
    return tl.where(size < 0.625, near, tl.where(x < 0.0, -far, far))


@triton.jit
def activate(y, slope, ACT: tl.constexpr):
    """y through the activation; comparisons, not min and max: a NaN must stay one."""
    if ACT == 1:
        return tl.where(y < 0.0, 0.0, y)
    elif ACT == 2:
        return tl.sigmoid(y)
    elif ACT == 3:
        return tl.where(y < 0.0, y * slope, y)
    elif ACT == 4:
        return _tanh(y)
    else:
        return y


@triton.jit
def activation_gradient(grad, y, slope, ACT: tl.constexpr):
    """The gradient by what enters the activation, from the gradient by its result and the result y."""
    if ACT == 1:
        return tl.where(y > 0.0, grad, 0.0)
    elif ACT == 2:
        return grad * y * (1.0 - y)
    elif ACT == 3:
        return tl.where(y > 0.0, grad, grad * slope)
    elif ACT == 4:
        return grad * (1.0 - y * y)
    else:
        return grad
