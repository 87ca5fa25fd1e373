"""A model in a dozen lines: its networks with their sizes, and what else makes it."""

from torch import nn
from torch.nn.parameter import is_lazy

from fastdaae.models.config import parameters_of
from fastdaae.schema import shortened


def describe(model: nn.Module) -> str:
    """The class, a line for each network, prior, corruption, hyper-parameters, image shape and number of parameters."""
    networks = dict(model.named_children())
    lines = [line for name, network in networks.items() for line in _part(name, network)]
    if hasattr(model, "prior"):
        lines.append(f"prior: {shortened(model.prior)}")
    own = getattr(model, "draws_own_noise", False) and model.corruption is None
    lines.append(f"corruption: {'drawn by the class itself' if own else model.corruption}")
    told = {*networks, "prior", "corruption", "image_shape"}
    choices = [name for name in parameters_of(type(model)) if name not in told and hasattr(model, name)]
    if choices:
        lines.append(", ".join(f"{name}={shortened(getattr(model, name))}" for name in choices))
    lines.append(f"image_shape: {model.image_shape or 'None, set by the training images'}")
    lines.append(f"in all: {_count(model)}")
    return "\n".join([f"{type(model).__name__}(", *(f"  {line}" for line in lines), ")"])


def _part(name: str, part: nn.Module) -> list[str]:
    """The lines of a network, of a model, or of several."""
    if isinstance(part, nn.ModuleList):
        return [line for place, one in enumerate(part) for line in _part(f"{name}[{place}]", one)]
    config = getattr(part, "config", None)
    if isinstance(config, dict) and "model" in config:
        own = [f"{name}.{line}" for inner, one in part.named_children() for line in _part(inner, one)]
        corruption = getattr(part, "corruption", None)
        return [f"{name}: {type(part).__name__}, {_count(part)}", *own, f"{name}.corruption: {corruption}"]
    return [f"{name}: {_network(part)}"]


def _network(network: nn.Module) -> str:
    config, name = getattr(network, "config", None), type(network).__name__
    if isinstance(config, dict) and config.get("network") == "mlp":
        said = "".join(f", {name}={config[name]!r}" for name in ("output", "activation") if config.get(name))
        name = f"mlp({_sizes(config['sizes'])}{said})"
    elif isinstance(config, dict) and "network" in config:
        said = ", ".join(f"{key}={value!r}" for key, value in config.items() if key != "network" and value is not None)
        name = f"{config['network']}({said})"
    elif isinstance(network, nn.Sequential):
        name = f"{name} of {len(network)} modules"
    return f"{name}, {_count(network)}"


def _sizes(sizes: list[int]) -> str:
    shown = sizes if len(sizes) <= 8 else [*sizes[:4], "...", *sizes[-3:]]
    return f"[{', '.join(map(str, shown))}]"


def _count(module: nn.Module) -> str:
    parameters = list(module.parameters())
    if any(is_lazy(parameter) for parameter in parameters):
        return "parameters made at the first batch"
    return f"{sum(parameter.numel() for parameter in parameters):,} parameters"
