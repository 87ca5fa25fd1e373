"""`compile_step`: one call that corrupts, forwards, backpropagates and updates, and then advances the noise."""

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from fastdaae import images
from fastdaae.arrays import laid_out_like
from fastdaae.noise import Noise
from fastdaae.training import batches


class TrainingStep:
    """A model's `step` bound to its optimisers and its noise: `losses = step(x)`; made by `compile_step`.

    `inputs_checked` is whether a batch was looked at: the first one is, unless who calls has looked at all of them;
    `takes_labels` whether the model's step has labels, as a Classifier's: then `losses = step(x, labels=y)`.
    """

    def __init__(self, model: nn.Module, optimizers: Mapping[str, Optimizer], noise: Noise, row_offset: int):
        self.model, self.optimizers, self.noise, self.row_offset = model, optimizers, noise, row_offset
        self.inputs_checked = False
        # what has these methods, which nn.Module does not name
        trained: Any = model
        self._groups, self._step = trained.parameter_groups(), trained.step
        # a model of one's own, or a step of one's own in a subclass, may know no plans
        takes_plans = "plans" in inspect.signature(trained.step).parameters
        self._plans = {"plans": trained.plans()} if takes_plans else {}
        self.takes_labels = takes_labels(model)

    def __call__(self, x: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        """One training step on a batch x [N, ...], with int64 labels [N] where the model's step takes them.

        Returns {loss name: 0-d tensor}, without waiting for the device. The first batch is looked at, which waits once:
        raises ValueError or TypeError, with the remedy, for another layout, dtype or scale than the model's loss takes,
        for NaN, and for labels that are missing, too many or none of the model's classes.
        """
        # what is traced or captured has no values to look at
        if not (torch.compiler.is_compiling() or self.inputs_checked or _is_captured(x)):
            self._check(x, labels)
        more = {**self._plans, **({"labels": labels} if self.takes_labels else {})}
        losses = self._step(x, self.noise, self._update, row_offset=self.row_offset, **more)
        self.noise.advance()
        return {name: loss.detach() for name, loss in losses.items()}

    def _check(self, x: Tensor, labels: Tensor | None) -> None:
        if isinstance(x, list | tuple):
            raise TypeError(f"x must be a tensor [N, ...], got {type(x).__name__}; take the images out of it, x[0]")
        if not isinstance(x, Tensor):
            raise TypeError(f"x must be a tensor [N, ...], got {type(x).__name__}; convert with torch.as_tensor")
        seen = batches.require_pixels(images.as_set(x, "x"), getattr(self.model, "loss", None), "x")
        batches.warn_of_other_units(*seen, getattr(self.model, "corruption", None), "x")
        self._check_labels(x, labels)
        self.inputs_checked = True

    def _check_labels(self, x: Tensor, labels: Tensor | None) -> None:
        if self.takes_labels != (labels is not None):
            told = "takes them; use step(x, labels=y)" if self.takes_labels else "takes none; use step(x)"
            missing = "must be given" if self.takes_labels else "must be left out"
            raise TypeError(f"labels {missing}, since {type(self.model).__name__}.step {told}")
        if labels is not None:
            require_labels(self.model, x, batches.as_labels(labels, len(x)))

    def _update(self, name: str, loss: Tensor) -> None:
        parameters = self._groups[name]
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = None if gradient is None else laid_out_like(parameter, gradient)
        self.optimizers[name].step()


def _is_captured(x) -> bool:
    return isinstance(x, Tensor) and x.is_cuda and torch.cuda.is_current_stream_capturing()


def compile_step(
    model: nn.Module,
    optimizers: Mapping[str, Optimizer],
    *,
    noise: Noise | None = None,
    seed: int = 0,
    row_offset: int = 0,
) -> TrainingStep:
    """The training step of a model as one callable: `losses = step(x)` with x [N, ...] uint8 or [0, 1] pixels.

    Of a model that is trained on labels it is `losses = step(x, labels=y)` with int64 y [N]. `optimizers` is {update
    name: optimizer} with the names of `model.parameter_groups()`; `noise` (or a new one of `seed`) is advanced after
    every step; `row_offset` is the batch's position in the global batch. The networks are read once, here: what
    replaces a layer of theirs comes before. Runs eagerly in this version. Raises TypeError for what is no model or no
    dictionary of optimisers, and ValueError where the names differ. Source: Creswell and Bharath 2018, Algorithm 1.
    """
    _require_optimizers(list(groups_of(model)), optimizers)
    if noise is None:
        noise = Noise(seed, device=next(model.parameters()).device)
    return TrainingStep(model, optimizers, noise, row_offset)


def takes_labels(model) -> bool:
    """Whether a model's step has the keyword `labels`, so that it is trained on labelled images."""
    return "labels" in inspect.signature(model.step).parameters


def require_labels(model: Any, x: Tensor, labels: Tensor, name: str = "labels") -> None:
    """Raises ValueError for labels [N] of images x [N, ...] that a model knows to be none of its classes."""
    if hasattr(model, "require_labels"):
        model.require_labels(x, labels, name)


def groups_of(model) -> dict[str, list[nn.Parameter]]:
    """A model's parameters by update; raises TypeError for what has no `parameter_groups`, and for a class."""
    if isinstance(model, type):
        raise TypeError(f"model must be a model, got the class {model.__name__}; make one of it, {model.__name__}(...)")
    if not hasattr(model, "parameter_groups"):
        raise TypeError(f"model must be one of fastdaae.models, or like one, got {type(model).__name__}")
    return model.parameter_groups()


def _require_optimizers(names: list[str], optimizers) -> None:
    how = "make them with {name: torch.optim.Adam(group) for name, group in model.parameter_groups().items()}"
    expected = f"optimizers must have one optimizer for each of {names}"
    if not isinstance(optimizers, Mapping):
        raise TypeError(f"{expected}, got {_kind(optimizers)}; {how}")
    if set(names) != set(optimizers):
        raise ValueError(f"{expected}, got {list(optimizers)}; {how}")
    for name, one in optimizers.items():
        if isinstance(one, type) or not hasattr(one, "step"):
            raise TypeError(f"{expected}, got {_kind(one)} for {name!r}; {how}")


def _kind(value) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"one {type(value).__name__}"
