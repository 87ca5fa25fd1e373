"""What `fastdaae` calls otherwise in older checkouts, so that compare.py can put one beside another."""

import contextlib
import importlib
from collections.abc import Callable, Iterator
from types import ModuleType

from torch import Tensor, nn

from fastdaae import backend
from fastdaae.ops import network as networks

_MODULES = ("fastdaae._cpp", "fastdaae._C")


def compiled() -> ModuleType | None:
    """The compiled module, or None where it is missing."""
    for name in _MODULES:
        with contextlib.suppress(ImportError):
            return importlib.import_module(name)
    return None


def plan_of(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """network(x) on the kernels: the network's Plan, or what reads the network anew at each call."""
    if hasattr(networks, "Plan"):
        return networks.Plan.of(network)
    return lambda x: networks.run(network, x)


@contextlib.contextmanager
def default_backend(name: str) -> Iterator[None]:
    """What "auto" means inside: as FASTDAAE_BACKEND sets it for a process."""
    before, backend.DEFAULT = backend.DEFAULT, name
    try:
        yield
    finally:
        backend.DEFAULT = before


def backends_used(call: Callable[[], object]) -> str:
    """Calls, and says which backend each of our operators chose: "corrupt: cpp, encode_mean: cpp"."""
    chosen, choose = {}, backend.choose

    def noted(operator, *rest, **named):
        chosen[operator] = choose(operator, *rest, **named)
        return chosen[operator]

    backend.choose = noted
    try:
        call()
    finally:
        backend.choose = choose
    return ", ".join(f"{operator}: {name}" for operator, name in sorted(chosen.items()))
