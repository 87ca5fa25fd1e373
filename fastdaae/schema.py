"""What a JSON value must be: small checks that are put together, and name the key where a value is something else."""

import math
from collections.abc import Callable, Mapping

# a check takes a value and the key where it stands, and raises ValueError
Check = Callable[[object, str], None]


def refuse(value, key: str, expected: str) -> None:
    """Raises the ValueError that all checks raise: the key, what was expected, and the value, shortened."""
    raise ValueError(f"{key} must be {expected}, got {shortened(value)}")


def shortened(value) -> str:
    """A value as Python writes it, in one line of at most about 60 characters."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**40:
        return "a whole number of more than 40 digits"
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    text = repr(value)
    if "\n" in text:  # as arrays write themselves
        text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def printable(message: str) -> str:
    """A message on one line that a terminal only shows: what it quotes may be line breaks and escape sequences."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in message)


def text(value, key: str) -> None:
    if not isinstance(value, str):
        refuse(value, key, "a text")


def anything(value, key: str) -> None:
    """Any value does."""


def real(value, key: str) -> None:
    """A number, or one of JSON's NaN and Infinity, which stand where a measure has no value."""
    # whole numbers have no end in JSON, and floats do
    if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(value, int) and abs(value) > 1e300):
        refuse(value, key, "a number")


def number(low: float = -math.inf, high: float = math.inf) -> Check:
    """A finite number in low..high."""

    def check(value, key: str) -> None:
        real(value, key)
        if not (math.isfinite(value) and low <= value <= high):
            refuse(value, key, f"a finite number in {low:g}..{high:g}" if math.isfinite(low) else "a finite number")

    return check


def whole(low: int, high: int = 2**62) -> Check:
    """A whole number in low..high."""

    def check(value, key: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            refuse(value, key, f"a whole number >= {low}" if high == 2**62 else f"a whole number in {low}..{high}")

    return check


def one_of(*choices) -> Check:
    def check(value, key: str) -> None:
        if not isinstance(value, str | None) or value not in choices:
            refuse(value, key, f"one of {', '.join(map(repr, choices))}")

    return check


def optional(inner: Check) -> Check:
    """null, or what `inner` asks for."""
    return lambda value, key: None if value is None else inner(value, key)


def list_of(inner: Check, least: int = 1) -> Check:
    def check(value, key: str) -> None:
        if not isinstance(value, list) or len(value) < least:
            refuse(value, key, f"a list of at least {least} items")
        for place, item in enumerate(value):
            inner(item, f"{key}[{place}]")

    return check


def mapping(value, key: str) -> None:
    if not isinstance(value, dict):
        refuse(value, key, "an object")


def mapping_of(inner: Check) -> Check:
    def check(value, key: str) -> None:
        mapping(value, key)
        for name, item in value.items():
            inner(item, join(key, name))

    return check


def record(required: Mapping[str, Check], extra: Mapping[str, Check] | None = None, *, closed: bool = False) -> Check:
    """An object with the keys of `required`, perhaps those of `extra`, and none besides where it is `closed`."""

    def check(value, key: str) -> None:
        mapping(value, key)
        for name, inner in required.items():
            if name not in value:
                raise ValueError(f"{join(key, name)} is missing")
            inner(value[name], join(key, name))
        for name, inner in (extra or {}).items():
            if name in value:
                inner(value[name], join(key, name))
        unknown = [name for name in value if name not in {*required, *(extra or {})}]
        if closed and unknown:
            raise ValueError(f"{join(key, unknown[0])} is unknown; known are {', '.join([*required, *(extra or {})])}")

    return check


def join(key: str, name: str) -> str:
    return f"{key}.{shortened(name)[1:-1]}" if key else shortened(name)[1:-1]
