"""Optimisers by name, one for each update of a model, and learning-rate schedules."""

import math
from collections.abc import Callable
from functools import partial

from torch import nn, optim
from torch.optim import Optimizer

from fastdaae.arguments import positive

OPTIMIZERS = {"adam": optim.Adam, "adamw": optim.AdamW, "rmsprop": optim.RMSprop, "sgd": optim.SGD}
_CHOICES = f"one of {', '.join(map(repr, OPTIMIZERS))}"
SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: 0.5 * (1.0 + math.cos(math.pi * done)),
}


def by_name(optimizer):
    """A choice of optimisers as `make_optimizers` takes it and a configuration keeps it: torch.optim's classes by name.

    Raises TypeError, with the remedy, for optimisers that are made already and functools.partial, and ValueError for
    other classes.
    """
    if isinstance(optimizer, dict):
        # beside a name stand its options, elsewhere one choice for each update
        of_one = "name" in optimizer
        return {key: part if of_one and key != "name" else by_name(part) for key, part in optimizer.items()}
    if isinstance(optimizer, type):
        return _name_of(optimizer)
    if isinstance(optimizer, partial):
        options = {name: value for name, value in optimizer.keywords.items() if name != "lr"}
        choice = {"name": _name_of(optimizer.func), **options}
        raise TypeError(f"optimizer must be {_CHOICES}, got functools.partial; pass optimizer={choice!r} and lr=")
    if isinstance(optimizer, Optimizer):
        raise TypeError(
            f"optimizer must be {_CHOICES}, got one {type(optimizer).__name__}, and each update needs its own; pass "
            f"optimizer={_name_of(type(optimizer))!r} and lr="
        )
    return optimizer


def _name_of(kind) -> str:
    for name, known in OPTIMIZERS.items():
        if known is kind:
            return name
    raise ValueError(
        f"optimizer must be {_CHOICES}, got {getattr(kind, '__name__', kind)}; make optimizers of your own for "
        "fd.compile_step instead"
    )


def make_optimizers(groups: dict[str, list[nn.Parameter]], optimizer, lr) -> dict[str, Optimizer]:
    """One optimiser for each update: {update name: optimizer}.

    `optimizer` is a name ("adam", "adamw", "rmsprop", "sgd"), a dictionary with a name and options ({"name": "rmsprop",
    "momentum": 0.1}), or {update name: either}; `lr` is a number or {update name: number}. Raises ValueError for
    others.
    """
    made = {}
    for update, parameters in groups.items():
        made[update] = _make(parameters, _choice(optimizer, update, groups), _rate(lr, update, groups))
    return made


def _choice(optimizer, update: str, groups: dict) -> dict:
    if isinstance(optimizer, dict) and "name" not in optimizer:
        _require_updates("optimizer", optimizer, groups)
        optimizer = optimizer[update]
    return dict(optimizer) if isinstance(optimizer, dict) else {"name": optimizer}


def _rate(lr, update: str, groups: dict) -> float:
    if isinstance(lr, dict):
        _require_updates("lr", lr, groups)
        lr = lr[update]
    return positive("lr", lr)


def _require_updates(name: str, given: dict, groups: dict) -> None:
    if set(given) != set(groups):
        raise ValueError(f"{name} must have one entry for each update {list(groups)}, got {list(given)}")


def _make(parameters: list[nn.Parameter], choice: dict, lr: float) -> Optimizer:
    name = choice.pop("name", None)
    if not isinstance(name, str) or name not in OPTIMIZERS:
        raise ValueError(f"optimizer must be {_CHOICES}, got {name!r}")
    if name in ("adam", "adamw"):
        choice.setdefault("fused", True)
    try:
        return OPTIMIZERS[name](parameters, lr=lr, **choice)
    except (TypeError, ValueError) as error:
        raise ValueError(f"optimizer {name!r} does not take these options: {error}") from None


def schedule_by_name(schedule: str) -> Callable[[float], float]:
    """The factor on the learning rate as a function of the share of the training that is done."""
    if not isinstance(schedule, str) or schedule not in SCHEDULES:
        raise ValueError(f"schedule must be one of {', '.join(map(repr, SCHEDULES))}, got {schedule!r}")
    return SCHEDULES[schedule]
