"""`--corruption` and `--sigma`: the corruption that a text names."""

from collections.abc import Callable

from fastdaae.corruptions import Corruption, Gaussian
from fastdaae.models.names import find

NONE = "none"
_FORMS = "gaussian:0.5, clipped:0.5, masking:0.3, salt-and-pepper:0.25, patches:8x8,2, shuffling:4 or none"


def corruption_of(text: str | None, sigma: float | None, default: Corruption | None) -> Corruption | None:
    """The corruption of `--corruption` or of `--sigma`; `default` where neither is given.

    Raises ValueError for both, for another text, and for numbers that the corruption refuses.
    """
    if text is not None and sigma is not None:
        raise ValueError("--sigma is short for --corruption gaussian:SIGMA; leave one of them out")
    if sigma is not None:
        return Gaussian(sigma)
    return default if text is None else read_corruption(text)


def read_corruption(text: str) -> Corruption | None:
    """The corruption of a text such as "masking:0.3"."""
    name, colon, numbers = text.partition(":")
    if name == NONE and not colon:
        return None
    unreadable = ValueError(f"--corruption must be one as in {_FORMS}, got {text!r}")
    if name not in _READ:
        raise unreadable
    kind, read = _READ[name]
    try:
        arguments = read(numbers)
    except ValueError:
        raise unreadable from None
    return find("corruption", kind)(**arguments)


def _rectangles(text: str) -> dict:
    """Of "8x8,2", rows and columns of pixels and their number; of "8,2" squares."""
    size, count = text.split(",")
    height, cross, width = size.partition("x")
    return {"size": (int(height), int(width if cross else height)), "count": int(count)}


# the class, and its arguments as the text has them
_READ: dict[str, tuple[str, Callable[[str], dict]]] = {
    "gaussian": ("Gaussian", lambda text: {"sigma": float(text)}),
    "clipped": ("Gaussian", lambda text: {"sigma": float(text), "clip": (0.0, 1.0)}),
    "masking": ("Masking", lambda text: {"drop": float(text)}),
    "salt-and-pepper": ("SaltAndPepper", lambda text: {"p": float(text)}),
    "patches": ("Patches", _rectangles),
    "shuffling": ("Shuffling", lambda text: {"size": int(text)}),
}
