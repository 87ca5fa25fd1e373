"""The scale of images: uint8 means value / 255, floats lie in [0, 1]; what else is seen, and what to do about it."""

# an unbounded decoder's samples leave [0, 1] by less than this; another scale by as much as the interval is wide
_STRAY = 0.5
_FEWER_LEVELS = 64  # images of 256 grey levels reach further


def are_grey_levels(low: float, high: float) -> bool:
    """Whether floats of the range low..high look like grey levels 0..255."""
    return low >= 0 and _FEWER_LEVELS < high <= 255


def advice(low: float, high: float) -> str:
    """How to bring floats of the range low..high to [0, 1]: the range's likely origin, and the way back."""
    if are_grey_levels(low, high):
        return "these look like grey levels 0..255: divide by 255, or save them as uint8"
    if low >= 0 and 2 < high <= _FEWER_LEVELS:
        return f"these look like grey levels: divide by their greatest, {high:g} as it seems"
    if -1 <= low < 0 and high <= 1:
        return "these look like values in [-1, 1]: use (x + 1) / 2"
    return "rescale them to [0, 1], or clip what strays with numpy.clip(x, 0, 1)"


def dtype_advice(array) -> str:
    """How to convert an array or tensor [N, ...] that is neither uint8 nor floating; whole numbers are looked at."""
    kind = str(array.dtype).removeprefix("torch.")
    to_floats = ".astype(numpy.float32)" if hasattr(array, "astype") else ".float()"
    if kind == "bool":
        return f"convert with {to_floats}"
    if "int" not in kind or 0 in array.shape:
        return "convert grey levels 0..255 to uint8, anything else to floats in [0, 1]"
    low, high = int(array.min()), int(array.max())
    if low >= 0 and high <= 1:
        return f"these are integers {low}..{high}: convert with {to_floats}"
    if low >= 0 and high <= 255:
        return f"these are integers {low}..{high}: save them as uint8, or divide by 255"
    return f"these are integers {low}..{high}: map them to floats in [0, 1]"


def require_scale(low: float, high: float, name: str) -> None:
    """Raises ValueError where floats of the range low..high were not meant for [0, 1]; a little beyond it is let by."""
    if not (low >= -_STRAY and high <= 1 + _STRAY):
        raise ValueError(f"{name} must be in [0, 1], got {low:g}..{high:g}; {advice(low, high)}")
