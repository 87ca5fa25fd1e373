"""Settings: numbers checked and made plain, and the one form of a configuration, which is what JSON gives back."""

import json
import math
import numbers


def whole_number(name: str, value, low: int, high: int | None = None) -> int:
    """The value as a Python int in low..high (NumPy's whole numbers too); raises ValueError for anything else."""
    right = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not right or value < low or (high is not None and value > high):
        expected = f">= {low}" if high is None else f"in {low}..{high}"
        raise ValueError(f"{name} must be a whole number {expected}, got {_shown(value)}")
    return int(value)


def positive_number(name: str, value) -> float:
    """The value as a Python float, finite and > 0 (NumPy's numbers too); raises ValueError for anything else."""
    right = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not (right and math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be a finite number > 0, got {_shown(value)}")
    return float(value)


def _shown(value) -> str:
    """A number as Python writes it, np.float32(nan) as nan; text in quotes."""
    return str(value) if isinstance(value, numbers.Number) else repr(value)


def canonical(name: str, value):
    """The value as JSON gives it back: tuples as lists, NumPy's numbers as Python's, enumerations as their values.

    Raises ValueError, with the key's name, for what is not finite and for what JSON does not know.
    """
    if isinstance(value, dict):
        return {str(key): canonical(f"{name}.{key}", part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(f"{name}[{place}]", part) for place, part in enumerate(value)]
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays, tensors
        return canonical(name, value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value!r}")
    try:
        return json.loads(json.dumps(value))
    except TypeError:
        raise ValueError(f"{name} must be made of numbers, text, lists and dictionaries, got {value!r}") from None


def first_difference(old, new, name: str = "") -> tuple | None:
    """(dotted key, old value, new value) where two canonical configurations first differ, None where they are equal."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return None if old == new else (name, old, new)
    for key in [*new, *(key for key in old if key not in new)]:
        found = first_difference(old.get(key), new.get(key), f"{name}.{key}" if name else key)
        if found is not None:
            return found
    return None
