"""How a launcher becomes an operator that torch.compile and torch.export know."""

from collections.abc import Callable

import torch
from torch import Tensor

_library = torch.library.Library("fastdaae", "FRAGMENT")


def operator(schema: str, launch: Callable, fake: Callable, dispatch: str = "CPU") -> Callable:
    """Registers fastdaae::<schema>, "name(arguments) -> result", and returns the function that calls it.

    The first argument is a tensor. Where nothing traces the call it goes to the launcher itself, which saves the
    dispatcher's share of a small one. `fake` gives results without values; `dispatch` is "CPU", or
    "CompositeExplicitAutograd" for every device.
    """
    name = schema.partition("(")[0]
    _library.define(schema)
    _library.impl(name, launch, dispatch)
    torch.library.register_fake(f"fastdaae::{name}", fake, lib=_library)
    registered = getattr(torch.ops.fastdaae, name).default

    def call(first: Tensor, *rest):
        return (launch if is_eager(first) else registered)(first, *rest)

    return call


def is_eager(x: Tensor) -> bool:
    """Whether nothing traces or replaces a call on x."""
    return type(x) is Tensor and not torch.compiler.is_compiling()
