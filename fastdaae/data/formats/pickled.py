"""Pickles of arrays of bytes, as in CIFAR-10's python version: nothing that they name is ever called."""

import io
import pickle
import pickletools
from pathlib import Path

import numpy as np

# those of the published files, and those that NumPy's arrays are pickled with today
_OPERATIONS = """
PROTO FRAME STOP MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES
BINUNICODE SHORT_BINUNICODE EMPTY_LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_DICT SETITEM SETITEMS
BINPUT LONG_BINPUT MEMOIZE BINGET LONG_BINGET GLOBAL STACK_GLOBAL REDUCE BUILD
"""
_REMEMBERED = 1 << 20  # places in the unpickler's memory, which is as long as the greatest of them
_NEEDED = ("data", "labels")


class _Recorded:
    """Stands for numpy's array, dtype and reconstruction: it keeps what it is given, and makes nothing of it."""

    def __init__(self, *arguments):
        self.arguments, self.state = arguments, None

    def __setstate__(self, state):
        self.state = state


class _Unpickler(pickle.Unpickler):
    """Knows the three names that an array is pickled with, and hands out stand-ins for them."""

    def find_class(self, module: str, name: str):
        if (module.replace("numpy._core", "numpy.core"), name) in {
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
        }:
            return _Recorded
        raise pickle.UnpicklingError(f"{module}.{name} is neither an array nor a number")


def read_batch(content: bytes | bytearray, path: Path, width: int) -> tuple[np.ndarray, np.ndarray]:
    """(data uint8 [N, width], labels int64 [N]) of a pickled dictionary with an array "data" and a list "labels".

    Raises ValueError, in one line with the path, for what is no such pickle: everything but plain numbers, texts, lists
    and arrays of bytes is refused before anything is made of it.
    """
    try:
        batch = _plain(bytes(content))
        data, labels = (batch[key] for key in _NEEDED)
        numbers = np.array(labels, dtype=np.int64)
        pixels = _bytes_of(data, width)
        if numbers.shape != (len(pixels),):
            raise ValueError(f"{len(pixels)} images with labels of shape {list(numbers.shape)}")
    except Exception as error:  # a damaged pickle raises a dozen kinds
        told = " ".join(f"{type(error).__name__} {error}".split())
        raise ValueError(
            f"{path} cannot be read as a batch: {told}; download it again, or the binary version"
        ) from error
    return pixels, numbers


def _plain(content: bytes) -> dict:
    """The dictionary of a pickle in which only the known operations stand, with its keys as texts."""
    allowed = frozenset(_OPERATIONS.split())
    for operation, argument, _ in pickletools.genops(content):
        far = "PUT" in operation.name and int(str(argument)) >= _REMEMBERED
        if operation.name not in allowed or far:
            raise pickle.UnpicklingError(f"{operation.name} is not what arrays are pickled with")
    loaded = _Unpickler(io.BytesIO(content), encoding="bytes").load()
    return {key.decode("ascii") if isinstance(key, bytes) else key: value for key, value in loaded.items()}


def _bytes_of(array, width: int) -> np.ndarray:
    """The array of a recorded state (version, shape, dtype, order, content), where that is one of bytes [N, width]."""
    _, shape, dtype, columns_first, content = array.state
    kind = dtype.arguments[0]
    count, found = shape
    if kind not in (b"u1", "u1") or columns_first or found != width or not isinstance(content, bytes):
        raise ValueError(f"data must be bytes [N, {width}] in C order, got {kind!r} {list(shape)}")
    return np.frombuffer(content, np.uint8).reshape(count, width)
