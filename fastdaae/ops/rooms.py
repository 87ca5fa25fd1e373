"""The rooms of kernels, and which of them runs a call."""

from collections.abc import Callable
from types import ModuleType

from fastdaae import backend as backends
from fastdaae.kernels import cpp, cuda, triton

_ROOMS = {"cuda": cuda, "cpp": cpp, "triton": triton}
# what each room says of its families, in order of preference
_PROBLEMS: dict[str, dict[str, Callable[..., str | None]]] = {
    "corruption": {"cpp": cpp.corruption.problem, "triton": triton.corruption.problem},
    "random": {"cpp": cpp.random.problem, "triton": triton.random.problem},
    "layers": {"cpp": cpp.layers.problem, "triton": triton.layers.problem},
    "chain": {"cpp": cpp.chain.problem, "triton": triton.chain.problem},
    "parzen": {"cpp": cpp.parzen.problem, "triton": triton.parzen.problem},
    "neighbors": {"cuda": cuda.neighbors.problem, "cpp": cpp.neighbors.problem},
    "dimension": {"cuda": cuda.dimension.problem},
}


def choose(operator: str, requested: str, family: str, *arguments) -> ModuleType | None:
    """The room that runs this call of an operator, whose family of kernels takes the arguments; None: the reference.

    Raises as `backend.choose`.
    """
    if requested == backends.DEFAULT == "auto":
        for name, problem in _PROBLEMS[family].items():
            if problem(*arguments) is None:
                return _ROOMS[name]
        return None
    problems = {name: problem(*arguments) for name, problem in _PROBLEMS[family].items()}
    return _ROOMS.get(backends.choose(operator, requested, {**problems, "reference": None}))
