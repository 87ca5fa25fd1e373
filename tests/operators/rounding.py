"""Networks in float64 that know how far float32 may be off: values, and the variances of their rounding errors.

Every float32 rounding is taken as an independent error of at most one unit, UNIT times its size; errors pass through
products by the squares of their factors (Higham and Mary 2019 call this the probabilistic model). A bound of
`DEVIATIONS` standard deviations then holds for every number of a step.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

UNIT = 2.0**-24  # half a unit in the last place of 1 in float32
DEVIATIONS = 8.0


class Rounded(NamedTuple):
    """Numbers in float64, and the variances of what float32 makes of them."""

    value: Tensor
    variance: Tensor

    @property
    def T(self) -> "Rounded":
        return Rounded(self.value.T, self.variance.T)

    def bound(self) -> Tensor:
        """What float32 may be off."""
        return DEVIATIONS * self.variance.sqrt()

    def plus(self, other: "Rounded") -> "Rounded":
        """The sum, rounded once."""
        value = self.value + other.value
        return Rounded(value, self.variance + other.variance + (UNIT * value) ** 2)

    def times(self, factor: Tensor | float) -> "Rounded":
        """The multiple by exact numbers, rounded once."""
        value = self.value * factor
        return Rounded(value, self.variance * factor**2 + (UNIT * value) ** 2)


def exact(x: Tensor) -> Rounded:
    """Numbers that float32 holds."""
    return Rounded(x.detach().double(), torch.zeros_like(x, dtype=torch.float64))


def product(left: Rounded, right: Rounded) -> Rounded:
    """The matrix product; each of its partial sums is rounded, and has about the size of the sum and of its terms."""
    value = left.value @ right.value
    terms = left.value**2 @ right.value**2
    passed = left.value**2 @ right.variance + left.variance @ right.value**2 + left.variance @ right.variance
    return Rounded(value, passed + left.value.shape[1] * UNIT**2 * (value**2 + terms))


class Layer(NamedTuple):
    """activation(x W^T + b), the activation "relu" or "none"."""

    weight: Rounded
    bias: Rounded
    rectified: bool

    def sums(self, x: Rounded) -> Rounded:
        return product(x, self.weight.T).plus(Rounded(self.bias.value[None], self.bias.variance[None]))


def layers_of(network: nn.Sequential) -> list[Layer]:
    """The layers of a network of linear layers and rectifiers; a trailing sigmoid is left out."""
    modules = [module for module in network if isinstance(module, nn.Linear)]
    return [
        Layer(exact(module.weight), exact(module.bias), place < len(modules) - 1)
        for place, module in enumerate(modules)
    ]


def forward(layers: list[Layer], x: Rounded) -> tuple[Rounded, list[tuple[Rounded, Rounded]]]:
    """The last sums, and the input and the sums of every layer."""
    kept = []
    for layer in layers:
        sums = layer.sums(x)
        kept.append((x, sums))
        x = Rounded(sums.value.clamp_min(0.0), sums.variance) if layer.rectified else sums
    return x, kept


def backward(layers: list[Layer], kept: list, grad: Rounded) -> tuple[Rounded, list[Rounded]]:
    """The gradients by the input, and by every weight and bias, from the one by the last sums."""
    found: list[Rounded] = []
    for layer, (x, sums) in zip(reversed(layers), reversed(kept), strict=True):
        if layer.rectified:
            grad = _through_rectifier(grad, sums)
        ones = exact(torch.ones(1, len(grad.value)))
        bias = product(ones, grad)
        found = [product(grad.T, x), Rounded(bias.value[0], bias.variance[0]), *found]
        grad = product(grad, layer.weight)
    return grad, found


def _through_rectifier(grad: Rounded, sums: Rounded) -> Rounded:
    """Where rounding decides the side of the kink, the whole gradient is in doubt."""
    passes, unsure = sums.value > 0, sums.value.abs() <= sums.bound()
    variance = torch.where(passes, grad.variance, 0.0)
    variance = torch.where(unsure, grad.variance + grad.value**2, variance)
    return Rounded(torch.where(passes, grad.value, 0.0), variance)


def through(logits: Rounded, slope: Tensor, steepest: float) -> Rounded:
    """A loss's gradient by logits: `slope` of them, which changes by at most `steepest` times their change."""
    size = steepest + slope.abs()
    return Rounded(slope, (steepest**2) * logits.variance + (4 * UNIT * size) ** 2)


def descended(layers: list[Layer], gradients: list[Rounded], rate: float) -> list[Layer]:
    """The layers after a step of plain gradient descent."""
    moved = [gradient.times(-rate) for gradient in gradients]
    weights, biases = moved[::2], moved[1::2]
    return [
        Layer(layer.weight.plus(weight), layer.bias.plus(bias), layer.rectified)
        for layer, weight, bias in zip(layers, weights, biases, strict=True)
    ]
