"""Sets that are made from others are kept with a checksum, in a folder of the user's: after any doubt, made again."""

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fastdaae.reading import open_regular
from fastdaae.run_folder.atomic import replace_atomically
from fastdaae.run_folder.errors import NotWritten

_DIGEST = hashlib.sha256().digest_size


def folder() -> Path | None:
    """FASTDAAE_CACHE, or fastdaae in XDG_CACHE_HOME or in ~/.cache; None where there is no home to have it in."""
    own, shared = os.environ.get("FASTDAAE_CACHE"), os.environ.get("XDG_CACHE_HOME", "")
    if own:
        return Path(os.path.expanduser(own))
    # by the standard, a relative path there counts for nothing
    base = Path(shared if os.path.isabs(shared) else os.path.expanduser("~/.cache"))
    return base / "fastdaae" if base.is_absolute() else None


def kept(name: str, originals: tuple[np.ndarray, ...], make: Callable[[], np.ndarray]) -> np.ndarray:
    """What `make` makes of `originals`, uint8 in the shape of all of them: from the cache, or made and kept there.

    A file of the cache is called after the set and its originals, and begins with its SHA-256. One that is damaged is
    made again; where none can be written, what was made is only returned.
    """
    place = folder()
    if place is None:
        return make()
    shape = (sum(map(len, originals)), *originals[0].shape[1:])
    path = place / f"{name}-{_digest(*originals).hex()[:16]}.sha256"
    images = _read(path, shape)
    if images is None:
        images = make()
        content = _digest(images) + images.tobytes()
        with contextlib.suppress(NotWritten, ValueError):  # the second where a folder stands there
            replace_atomically(path, lambda new: new.write_bytes(content))
    return images


def _read(path: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """The images of a file that is whole, else None."""
    expected = int(np.prod(shape))
    try:
        with open_regular(path) as file:
            digest, content = file.read(_DIGEST), bytearray(file.read(expected + 1))
    except (OSError, ValueError):
        return None
    if len(content) != expected:
        return None
    images = np.frombuffer(content, np.uint8).reshape(shape)
    return images if _digest(images) == digest else None


def _digest(*arrays: np.ndarray) -> bytes:
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).data)
    return found.digest()
