"""Taking the last layer off a network, where that cannot change what the network computes."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook


def is_observed(module: nn.Module) -> bool:
    """Whether calling a module runs more than the forward of its class: a hook, its own or one of all modules, or a
    forward set on this instance."""
    own = module._forward_pre_hooks or module._forward_hooks or module._backward_pre_hooks or module._backward_hooks
    return bool(own) or "forward" in vars(module) or _has_any_global_hook()


def split_last(network: Callable, kind: type[nn.Module]) -> tuple[Callable[[Tensor], Tensor], nn.Module] | None:
    """A network as (all but its last layer, its last layer), sharing its layers; None where it is not such a network.

    The network must be an `nn.Sequential` of at least two layers with the forward of `nn.Sequential`, its last layer
    exactly of `kind`, and neither observed.
    """
    if not isinstance(network, nn.Sequential) or type(network).forward is not nn.Sequential.forward:
        return None
    layers = list(network)
    if len(layers) < 2 or type(layers[-1]) is not kind or is_observed(network) or is_observed(layers[-1]):
        return None

    def body(x: Tensor) -> Tensor:
        for layer in layers[:-1]:
            x = layer(x)
        return x

    return body, layers[-1]
