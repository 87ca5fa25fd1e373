"""The one form of a configuration, which is what JSON gives back, and where two of them differ."""

import json
import math


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
