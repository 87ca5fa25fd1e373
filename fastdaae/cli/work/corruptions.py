"""`--corruption` and `--sigma`: the corruption that a text names."""

from collections.abc import Callable

from fastdaae.corruptions import Corruption, Gaussian, Masking, Patches, SaltAndPepper, Shuffling

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
    if name not in _READ:
        raise _unreadable(text)
    try:
        arguments = _READ[name][1](numbers)
    except ValueError:
        raise _unreadable(text) from None
    return _READ[name][0](*arguments)


def _unreadable(text: str) -> ValueError:
    return ValueError(f"--corruption must be one as in {_FORMS}, got {text!r}")


def _number(text: str) -> tuple[float]:
    return (float(text),)


def _rectangles(text: str) -> tuple[tuple[int, int], int]:
    size, comma, count = text.partition(",")
    height, cross, width = size.partition("x")
    if not comma:
        raise ValueError(text)
    return (int(height), int(width) if cross else int(height)), int(count)


_READ: dict[str, tuple[Callable[..., Corruption], Callable[[str], tuple]]] = {
    "gaussian": (Gaussian, _number),
    "clipped": (lambda sigma: Gaussian(sigma, clip=(0.0, 1.0)), _number),
    "masking": (Masking, _number),
    "salt-and-pepper": (SaltAndPepper, _number),
    "patches": (Patches, _rectangles),
    "shuffling": (Shuffling, lambda text: (int(text),)),
}
