"""Finds a data set by its name or its path."""

import difflib
import inspect
import os
from collections.abc import Callable
from functools import partial
from typing import Any

from fastdaae.data.dataset import Dataset
from fastdaae.data.files import load_arrays
from fastdaae.data.folders import load_folder
from fastdaae.data.sets.celeba import load_celeba
from fastdaae.data.sets.cifar import load_cifar
from fastdaae.data.sets.cub import load_cub
from fastdaae.data.sets.digits import load_digits
from fastdaae.data.sets.flower import load_flower
from fastdaae.data.sets.mnist import load_mnist
from fastdaae.data.sets.omniglot import load_omniglot
from fastdaae.data.sets.patches import load_patches
from fastdaae.data.sets.sprites import load_sprites
from fastdaae.data.sets.variants import VARIANTS, load_variant

Root = str | os.PathLike | None

_LOADERS: dict[str, Callable[..., Dataset]] = {
    "digits": lambda root: load_digits(),
    "mnist": partial(load_mnist, "mnist"),
    "fashion-mnist": partial(load_mnist, "fashion-mnist"),
    **{name: partial(load_variant, name) for name in VARIANTS},
    "omniglot": load_omniglot,
    "sprites": load_sprites,
    "cifar-10": load_cifar,
    "celeba": load_celeba,
    "cub-200": load_cub,
    "patches": load_patches,
    "flower": lambda root: load_flower(),
}


def names() -> list[str]:
    """The names that `load` knows, the one that needs no files first."""
    return list(_LOADERS)


def load(name_or_path: str | os.PathLike, root: Root = None, **options: Any) -> Dataset:
    """The data set of a name (see `names`) or path (.npy file, .npz file or folder of images).

    Images are uint8 [N, ...], meaning value / 255, or float32 in [0, 1] from files of floats ("patches" alone has
    others); labels int64 [N] or None, with the names of their classes where these are known. `root` is the folder of
    the downloaded files of the named sets ("digits", "patches" and "flower" need none); by default the environment
    variable FASTDAAE_DATA names it. docs/data.md lists the sets, their files and splits; `options` are those of the
    loaders that have some: `load_omniglot`, `load_sprites`, `load_celeba` and `load_patches`. A string that is a known
    name means that data set even where a folder is called so: write "./mnist", or pass a Path, for the folder. Raises
    ValueError for an unknown name and for options that its loader has not, FileNotFoundError for missing files of a
    known one, and what the loaders raise.
    """
    if not isinstance(name_or_path, str | os.PathLike):
        raise TypeError(f"name_or_path must be a name or a path (str or Path), got {type(name_or_path).__name__}")
    if not isinstance(root, str | os.PathLike | None):
        raise TypeError(f"root must be the path of a folder (str or Path) or None, got {type(root).__name__}")
    path = os.path.expanduser(name_or_path)
    if str(name_or_path) in _LOADERS and (isinstance(name_or_path, str) or not os.path.exists(path)):
        loader = _LOADERS[str(name_or_path)]
        _require_options(str(name_or_path), options, loader)
        return loader(root, **options)
    _require_options(path, options, None)
    if os.path.isdir(path):
        return load_folder(path)
    if os.path.isfile(path) and str(path).lower().endswith((".npy", ".npz")):
        return load_arrays(path)
    raise _unknown(str(name_or_path), os.path.exists(path))


def _require_options(name: str, options: dict[str, Any], loader: Callable | None) -> None:
    own = inspect.signature(loader).parameters.values() if loader else ()
    known = [one.name for one in own if one.kind is one.KEYWORD_ONLY]
    other = [option for option in options if option not in known]
    if other:
        has = f"one of {', '.join(known)}" if known else "left out, as it has none"
        raise ValueError(f"options of {name} must be {has}, got {other[0]!r}")


def _unknown(given: str, exists: bool) -> ValueError:
    close = difflib.get_close_matches(given.lower().replace("_", "-"), _LOADERS, n=1)
    fate = "which is of another kind" if exists else "which does not exist"
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return ValueError(
        f"name_or_path must be one of {', '.join(map(repr, _LOADERS))}, or the path of an .npy file, an .npz file or a "
        f"folder of images, got {given!r}, {fate}{hint}"
    )
