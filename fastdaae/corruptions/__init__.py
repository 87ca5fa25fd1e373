"""The corruptions c(x~ | x): frozen descriptions without operators.

`fastdaae.ops.corrupt` applies those of numbers, `fastdaae.ops.corrupt_tokens` those of `fastdaae.corruptions.tokens`.
"""

from typing import Any

from fastdaae.arguments import is_number
from fastdaae.corruptions import tokens
from fastdaae.corruptions.entries import Gaussian, Masking, SaltAndPepper
from fastdaae.corruptions.regions import Patches, Shuffling
from fastdaae.schema import shortened

Corruption = Gaussian | Masking | SaltAndPepper | Patches | Shuffling

__all__ = ["Corruption", "Gaussian", "Masking", "Patches", "SaltAndPepper", "Shuffling", "require", "tokens"]


def require(corruption: Any) -> None:
    """Raises TypeError, with what to say instead, for what is neither a corruption nor None."""
    if corruption is None or isinstance(corruption, Corruption):
        return
    if isinstance(corruption, tokens.TokenCorruption):
        kind = type(corruption).__name__
        raise TypeError(f"corruption must be one of numbers, got {kind} of token ids; use fastdaae.ops.corrupt_tokens")
    got, remedy = (
        shortened(corruption),
        "say Gaussian(sigma), Masking(drop), SaltAndPepper(p), Patches(size, count) or Shuffling(size)",
    )
    if isinstance(corruption, type):
        got, remedy = f"the class {corruption.__name__}", "make one, such as fastdaae.corruptions.Gaussian(0.5)"
    elif is_number(corruption) and corruption >= 0:
        remedy = f"for noise of that deviation say fastdaae.corruptions.Gaussian({float(corruption):g})"
    elif hasattr(corruption, "shape"):
        got = f"an array {list(corruption.shape)}"
        remedy = f"noise is drawn anew for every batch: {remedy}"
    elif callable(corruption):
        name = getattr(corruption, "__name__", None)
        got = f"the function {name}" if name else f"a {type(corruption).__name__}"
        remedy += (
            "; for noise of your own override `corrupted` in a subclass of the model, draw it there by "
            "fastdaae.ops.normal or uniform, and leave corruption None"
        )
    raise TypeError(f"corruption must be one of fastdaae.corruptions or None, got {got}; {remedy}")
