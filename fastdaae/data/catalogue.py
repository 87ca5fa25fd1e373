"""Finds a data set by its name or its path."""

import difflib
import os

from fastdaae.data.dataset import Dataset
from fastdaae.data.digits import load_digits
from fastdaae.data.files import load_arrays, load_folder
from fastdaae.data.mnist import load_mnist

_NAMES = ("digits", "mnist", "fashion-mnist")


def names() -> list[str]:
    """The names that `load` knows, the one that needs no files first."""
    return list(_NAMES)


def load(name_or_path: str | os.PathLike, root: str | os.PathLike | None = None) -> Dataset:
    """The data set of a name ("digits", "mnist", "fashion-mnist") or path (.npy file, .npz file or folder of images).

    Images are uint8 [N, ...], meaning value / 255, or float32 in [0, 1] from files of floats; labels int64 [N] or
    None, with the names of their classes where these are known. `root` is the folder of the downloaded files of "mnist"
    and "fashion-mnist"; by default the environment variable FASTDAAE_DATA names it. A string that is a known name means
    that data set even where a folder is called so: write "./mnist", or pass a Path, for the folder. Raises ValueError
    for an unknown name, FileNotFoundError for missing files of a known one, and what the loaders in `mnist`, `files`
    and `idx` raise.
    """
    if not isinstance(name_or_path, str | os.PathLike):
        raise TypeError(f"name_or_path must be a name or a path (str or Path), got {type(name_or_path).__name__}")
    if not isinstance(root, str | os.PathLike | None):
        raise TypeError(f"root must be the path of a folder (str or Path) or None, got {type(root).__name__}")
    path = os.path.expanduser(name_or_path)
    if str(name_or_path) in _NAMES and (isinstance(name_or_path, str) or not os.path.exists(path)):
        return _load_named(str(name_or_path), root)
    if os.path.isdir(path):
        return load_folder(path)
    if os.path.isfile(path) and str(path).lower().endswith((".npy", ".npz")):
        return load_arrays(path)
    raise _unknown(str(name_or_path), os.path.exists(path))


def _load_named(name: str, root: str | os.PathLike | None) -> Dataset:
    return load_digits() if name == "digits" else load_mnist(name, root)


def _unknown(given: str, exists: bool) -> ValueError:
    close = difflib.get_close_matches(given.lower().replace("_", "-"), _NAMES, n=1)
    fate = "which is of another kind" if exists else "which does not exist"
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return ValueError(
        f"name_or_path must be one of {', '.join(map(repr, _NAMES))}, or the path of an .npy file, an .npz file or a "
        f"folder of images, got {given!r}, {fate}{hint}"
    )
