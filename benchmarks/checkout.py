"""What `fastdaae` calls otherwise in older checkouts, so that compare.py can put one beside another."""

import contextlib
import importlib
import platform
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


def machine_line() -> dict:
    """The machine's line of results and benchmarks; of a checkout that has none, the processor's architecture."""
    with contextlib.suppress(ImportError):
        return importlib.import_module("fastdaae.machine").machine_line()
    return {"machine": platform.machine()}


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
    # a version with rooms of kernels chooses a room, the one before the backend's name
    place = importlib.import_module("fastdaae.ops.rooms") if hasattr(networks, "Plan") else backend
    chosen, choose = {}, place.choose

    def noted(operator, *rest, **named):
        found = choose(operator, *rest, **named)
        name = "reference" if found is None else found if isinstance(found, str) else found.__name__.rpartition(".")[2]
        chosen[operator] = name
        return found

    place.choose = noted
    try:
        call()
    finally:
        place.choose = choose
    return ", ".join(f"{operator}: {name}" for operator, name in sorted(chosen.items()))
