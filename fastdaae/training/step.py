"""`compile_step`: one call that corrupts, forwards, backpropagates and updates, and then advances the noise."""

import inspect

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from fastdaae.noise import Noise


class TrainingStep:
    """A model's `step` bound to its optimisers and its noise: `losses = step(x)`; made by `compile_step`."""

    def __init__(self, model: nn.Module, optimizers: dict[str, Optimizer], noise: Noise, row_offset: int):
        self.model, self.optimizers, self.noise, self.row_offset = model, optimizers, noise, row_offset
        self._groups = model.parameter_groups()
        # a model of one's own, or a step of one's own in a subclass, may know no plans
        takes_plans = "plans" in inspect.signature(model.step).parameters
        self._plans = {"plans": model.plans()} if takes_plans else {}

    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        """One training step on a batch x [N, ...]: {loss name: 0-d tensor}, without waiting for the device."""
        losses = self.model.step(x, self.noise, self._update, row_offset=self.row_offset, **self._plans)
        self.noise.advance()
        return {name: loss.detach() for name, loss in losses.items()}

    def _update(self, name: str, loss: Tensor) -> None:
        parameters = self._groups[name]
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        self.optimizers[name].step()


def compile_step(
    model: nn.Module,
    optimizers: dict[str, Optimizer],
    *,
    noise: Noise | None = None,
    seed: int = 0,
    row_offset: int = 0,
) -> TrainingStep:
    """The training step of a model as one callable: `losses = step(x)` with x [N, ...] uint8 or [0, 1] pixels.

    `optimizers` is {update name: optimizer} with the names of `model.parameter_groups()`; `noise` (or a new one of
    `seed`) is advanced after every step; `row_offset` is the batch's position in the global batch. The networks are
    read once, here: what replaces a layer of theirs comes before. Runs eagerly in this version. Raises ValueError where
    the names differ. Source: Creswell and Bharath 2018, Algorithm 1.
    """
    names, given = list(model.parameter_groups()), list(optimizers)
    if set(names) != set(given):
        raise ValueError(f"optimizers must have one optimizer for each of {names}, got {given}")
    if noise is None:
        noise = Noise(seed, device=next(model.parameters()).device)
    return TrainingStep(model, optimizers, noise, row_offset)
