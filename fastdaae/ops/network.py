"""`Plan`: what a network is. Everything that runs a network differently from calling it asks its plan."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

from fastdaae import backend
from fastdaae.activation import NONE, SIGMOID, Activation
from fastdaae.kernels import cpp

_ACTIVATIONS: dict[type, str] = {nn.ReLU: "relu", nn.Sigmoid: "sigmoid", nn.Tanh: "tanh"}
# layers whose output for one row depends on the other rows of the batch
_BATCH_DEPENDENT = (nn.modules.batchnorm._BatchNorm,)
# layers that see one row at a time, and of these those without random numbers, state or a wait for the device
_CAPTURABLE = (nn.Flatten, nn.Identity, nn.Linear, nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid)
_ROWWISE = (*_CAPTURABLE, nn.Dropout, nn.LayerNorm, nn.Softplus, nn.ELU, nn.GELU, nn.SiLU)


def are_observed(*modules: object) -> bool:
    """Whether calling one of the modules runs more than the forward of its class: a hook, its own or one of all
    modules, or a forward set on this instance."""
    if _has_any_global_hook():
        return True
    for module in modules:
        if not isinstance(module, nn.Module):
            continue
        own = module._forward_pre_hooks or module._forward_hooks
        if own or module._backward_pre_hooks or module._backward_hooks or "forward" in vars(module):
            return True
    return False


class Dense(NamedTuple):
    """activation(x W^T + b): a plain `nn.Linear`, and the module of its activation where one follows."""

    linear: nn.Linear
    activation: Activation
    modules: tuple[nn.Module, ...]

    def __call__(self, x: Tensor) -> Tensor:
        """The stage on x [N, D], on the kernels unless somebody observes a module."""
        if x.dim() != 2 or are_observed(*self.modules):
            return _call(self.modules, x)
        return cpp.layers.linear(x, self.linear.weight, self.linear.bias, self.activation)


Stage = Dense | Callable


def _call(modules: tuple[Callable, ...], x: Tensor) -> Tensor:
    for module in modules:
        x = module(x)
    return x


class Plan(NamedTuple):
    """A network as stages, one after the other: `Dense`, or something that is called as it is.

    `containers` are the `nn.Sequential` that were opened for it, the network itself first; a part of a network has
    none. A plan holds modules, not tensors: it stays good while parameters change, and for hooks that come later.
    """

    stages: tuple[Stage, ...]
    containers: tuple[nn.Sequential, ...] = ()

    @staticmethod
    def of(network: "Callable | Plan") -> "Plan":
        """The plan of a network: an `nn.Sequential` is opened, and those in it; anything else is one stage."""
        if isinstance(network, Plan):
            return network
        containers: list[nn.Sequential] = []
        modules = list(_opened(network, containers))
        return Plan(tuple(_stages(modules)), tuple(containers))

    def __call__(self, x: Tensor) -> Tensor:
        """What the network makes of x [N, ...], its dense stages on the kernels; to rounding the same, differentiable.

        On the CPU float32 and bf16 layers run in C++ (autocast included), where that is the faster.
        """
        if not x.is_cpu or backend.DEFAULT == "reference" or are_observed(*self.containers):
            return self.on_reference(x)
        for stage in self.stages:
            x = stage(x)
        return x

    def on_reference(self, x: Tensor) -> Tensor:
        """What the network makes of x by its modules' own forwards."""
        return (self.containers[0] if self.containers else self.sequence)(x)

    def sequence(self, x: Tensor) -> Tensor:
        """The modules called one after the other."""
        return _call(self.modules, x)

    @property
    def modules(self) -> tuple[Callable, ...]:
        """The modules in their order."""
        return tuple(m for stage in self.stages for m in (stage.modules if isinstance(stage, Dense) else (stage,)))

    @property
    def observed(self) -> bool:
        """Whether calling the network runs more than its modules' forwards."""
        return are_observed(*self.containers, *self.modules)

    @property
    def layers(self) -> tuple[Dense, ...]:
        """The dense stages."""
        return tuple(stage for stage in self.stages if isinstance(stage, Dense))

    @property
    def dense(self) -> bool:
        """Whether rows pass through nothing but dense stages, which nobody observes."""
        first = 1 if self.stages and flattens(self.stages[0]) else 0
        return len(self.layers) == len(self.stages) - first > 0 and not self.observed

    @property
    def rowwise(self) -> bool:
        """Whether every row is known to be treated alone, so that two batches may go through as one."""
        known = (
            type(module) in _ROWWISE and (type(module) is not nn.Flatten or flattens(module)) for module in self.modules
        )
        return not self.observed and all(known)

    @property
    def depends_on_batch(self) -> bool:
        """Whether a layer mixes the rows of a batch, as batch norm in training does."""
        within = (module for stage in self.modules if isinstance(stage, nn.Module) for module in stage.modules())
        return any(isinstance(module, _BATCH_DEPENDENT) and module.training for module in within)

    @property
    def capturable(self) -> bool:
        """Whether a CUDA graph of it can be captured: no state, no random numbers, no wait for the device."""
        return not self.observed and all(type(module) in _CAPTURABLE for module in self.modules)

    def logits(self) -> "Plan | None":
        """The plan without its trailing sigmoid; None where it does not end in one that can be left out."""
        last = self.stages[-1] if self.stages else None
        modules = self.modules
        if len(modules) < 2 or are_observed(*self.containers, modules[-1]):
            return None
        if isinstance(last, Dense) and last.activation == SIGMOID:
            return Plan((*self.stages[:-1], Dense(last.linear, NONE, last.modules[:1])))
        return Plan(self.stages[:-1]) if type(last) is nn.Sigmoid else None

    def split_last(self) -> "tuple[Plan, Dense] | None":
        """The plan up to a last layer without an activation, and that layer; None where it does not end in one."""
        last = self.stages[-1] if self.stages else None
        if not isinstance(last, Dense) or last.activation != NONE:
            return None
        observed = are_observed(*self.containers, last.linear)
        return None if observed else (Plan(self.stages[:-1]), last)

    def split_first(self, x: Tensor) -> "tuple[Dense, Plan] | None":
        """The first layer, if x [N, ...] enters one as rows, and the plan of the others."""
        first = 1 if self.stages and flattens(self.stages[0]) else 0
        stage = self.stages[first] if len(self.stages) > first else None
        if not isinstance(stage, Dense) or not (first or x.dim() == 2):
            return None
        observed = are_observed(*self.containers, *self.stages[:first], *stage.modules)
        return None if observed else (stage, Plan(self.stages[first + 1 :]))


def flattens(stage: object) -> bool:
    """Whether a stage makes rows of whatever comes."""
    return type(stage) is nn.Flatten and (stage.start_dim, stage.end_dim) == (1, -1)


def _opened(network: Callable, containers: list[nn.Sequential]) -> Iterator[Callable]:
    plain = type(network).forward is nn.Sequential.forward if isinstance(network, nn.Sequential) else False
    if not isinstance(network, nn.Sequential) or not plain or are_observed(network):
        yield network
        return
    containers.append(network)
    for module in network:
        yield from _opened(module, containers)


def _stages(modules: list[Callable]) -> Iterator[Stage]:
    place = 0
    while place < len(modules):
        module, follower = modules[place], modules[place + 1] if place + 1 < len(modules) else None
        place += 1
        if type(module) is nn.Identity and not are_observed(module):
            continue
        if type(module) is not nn.Linear or are_observed(module):
            yield module
            continue
        activation = activation_of(follower)
        place += activation is not None
        followers = (follower,) if activation is not None and isinstance(follower, nn.Module) else ()
        yield Dense(module, activation or NONE, (module, *followers))


def activation_of(module: Callable | None) -> Activation | None:
    """The activation that a plain module is, or None."""
    if type(module) is nn.LeakyReLU and module.negative_slope >= 0 and not are_observed(module):
        return Activation("leaky_relu", module.negative_slope)
    name = _ACTIVATIONS.get(type(module))
    return None if name is None or are_observed(module) else Activation(name)
