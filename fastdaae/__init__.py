"""fastdaae: train, sample and measure denoising adversarial autoencoders."""

import importlib

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


def __getattr__(name: str):
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
