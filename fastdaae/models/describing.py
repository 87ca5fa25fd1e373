"""A model in a dozen lines: its networks with their sizes, and what else makes it."""

from torch import nn
from torch.nn.parameter import is_lazy

from fastdaae.models.config import parameters_of
from fastdaae.schema import shortened


def describe(model: nn.Module) -> str:
    """The class, a line for each network, prior, corruption, hyper-parameters, image shape and number of parameters."""
    networks = dict(model.named_children())
    lines = [f"{name}: {_network(network)}" for name, network in networks.items()]
    if hasattr(model, "prior"):
        lines.append(f"prior: {shortened(model.prior)}")
    own = model.draws_own_noise and model.corruption is None
    lines.append(f"corruption: {'drawn by the class itself' if own else model.corruption}")
    told = {*networks, "prior", "corruption", "image_shape"}
    choices = [name for name in parameters_of(type(model)) if name not in told and hasattr(model, name)]
    lines.append(", ".join(f"{name}={shortened(getattr(model, name))}" for name in choices))
    lines.append(f"image_shape: {model.image_shape or 'None, set by the training images'}")
    lines.append(f"in all: {_count(model)}")
    return "\n".join([f"{type(model).__name__}(", *(f"  {line}" for line in lines), ")"])


def _network(network: nn.Module) -> str:
    config, name = getattr(network, "config", None), type(network).__name__
    if isinstance(config, dict) and config.get("network") == "mlp":
        said = "".join(f", {name}={config[name]!r}" for name in ("output", "activation") if config.get(name))
        name = f"mlp({_sizes(config['sizes'])}{said})"
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
