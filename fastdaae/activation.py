"""`Activation`: what a layer's sums go through, the record that kernels and networks share."""

from typing import NamedTuple

ACTIVATIONS = ("none", "relu", "sigmoid", "leaky_relu", "tanh")
# the fields as a registered operator takes them, one after the other
SCHEMA = "str activation, float slope"


class Activation(NamedTuple):
    """An activation by name, with the slope (>= 0) of "leaky_relu" for negative inputs.

    A gradient is made from the output alone, which has the sign of the input.
    """

    name: str = "none"
    slope: float = 0.0


NONE, SIGMOID = Activation("none"), Activation("sigmoid")
