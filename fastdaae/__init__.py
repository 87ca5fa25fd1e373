"""fastdaae: train, sample and measure denoising adversarial autoencoders."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for type checkers and editors; what runs imports a name when it is asked for
    from fastdaae import corruptions as corruptions
    from fastdaae import data as data
    from fastdaae import evaluation as evaluation
    from fastdaae import models as models
    from fastdaae import networks as networks
    from fastdaae import ops as ops
    from fastdaae import priors as priors
    from fastdaae import training as training
    from fastdaae.backend import backends as backends
    from fastdaae.evaluation import IntrinsicDimension as IntrinsicDimension
    from fastdaae.evaluation import ParzenWindow as ParzenWindow
    from fastdaae.models import AAE as AAE
    from fastdaae.models import DAAE as DAAE
    from fastdaae.models import IDAAE as IDAAE
    from fastdaae.models import load as load
    from fastdaae.noise import Noise as Noise
    from fastdaae.reporting import report as report
    from fastdaae.training import Trainer as Trainer
    from fastdaae.training import compile_step as compile_step

_HOMES = {
    "backends": "fastdaae.backend",
    "Noise": "fastdaae.noise",
    "AAE": "fastdaae.models",
    "DAAE": "fastdaae.models",
    "IDAAE": "fastdaae.models",
    "Trainer": "fastdaae.training",
    "compile_step": "fastdaae.training",
    "load": "fastdaae.models",
    "ParzenWindow": "fastdaae.evaluation",
    "IntrinsicDimension": "fastdaae.evaluation",
    "report": "fastdaae.reporting",
}
_MODULES = ("corruptions", "data", "evaluation", "models", "networks", "ops", "priors", "training")

__version__ = "0.1.0"
__all__ = sorted([*_HOMES, *_MODULES])


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"fastdaae.{name}")
    else:
        raise AttributeError(f"module 'fastdaae' has no attribute {name!r}; it has: {', '.join(__all__)}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
