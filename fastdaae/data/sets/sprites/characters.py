"""The Liberated Pixel Cup's characters, put together from their parts, split by character."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from fastdaae.arrays import to_tensor
from fastdaae.data import places
from fastdaae.data.class_names import ACTIONS, DIRECTIONS, POSES, SPRITE_ATTRIBUTES
from fastdaae.data.dataset import Dataset, Split
from fastdaae.data.sets.sprites import reed
from fastdaae.data.sets.sprites.sheets import CELL, VARIANTS, composed, read_cells
from fastdaae.reading import require_memory

_ARCHIVE = "lpc_parts.zip"
_ROWS = {"spellcard": 0, "walk": 8, "slash": 12}  # of the sheets, where each action begins
_DIRECTIONS = {"left": 1, "front": 2, "right": 3}  # rows below that
# of the sheets, where an action's frames are; the last of spellcard and the last two of slash come twice in their eight
_COLUMNS = {"walk": (8, 1, 2, 3, 4, 5, 6, 7), "spellcard": (0, 1, 2, 3, 4, 5, 4, 6), "slash": (0, 1, 2, 3, 4, 5, 4, 0)}
_CHARACTERS, _TRAINING, _VALIDATION = 1296, 1000, 100
_FRAMES = 8


class _View(NamedTuple):
    """One picture that there is of every character: its pose's place in POSES, and its cell of the sheets."""

    pose: int
    row: int
    column: int


def load_sprites(
    root: str | PathLike | None = None,
    *,
    actions: Sequence[str] = ACTIONS,
    directions: Sequence[str] = DIRECTIONS,
    frames: Sequence[int] | None = (0, 2, 4),
) -> Dataset:
    """Sprites: images uint8 [N, 3, 64, 64], labels int64 [N] the pose, attributes bool [N, 24] the clothes.

    1,296 characters, each of which has one of six bodies, bottoms, tops and hair ("body 0" ... "hair 5", a column
    each), in the nine poses of walk, spellcard and slash, seen from the front, left and right, eight frames to a pose.
    By default every pose in the `frames` 0, 2 and 4 (34,992 images, 0.4 GB); None takes all that differ (81,648, 1.0
    GB: frame 6 of spellcard repeats its frame 4, and 6 and 7 of slash its 4 and 0). Split by character as Li and Mandt
    do: 1,000 train, of which the last 100 validate here, and 296 test. The characters are laid together from the
    published part sheets (body/0.png and so on, in a folder or in lpc_parts.zip) below `root`.

    Where `root` has the sprites of Reed et al. (sprites_splits.mat), those are read instead: images uint8 [N, 3, 60,
    60] with the DAAE paper's split of 500, 72 and 100 characters; see `reed.load_reed`, which takes no other argument.
    Raises FileNotFoundError for missing files, ValueError for damaged ones, other actions, directions and frames.
    Source: Li and Mandt, Disentangled Sequential Autoencoder, 2018.
    """
    views = _views(actions, directions, frames)
    folders = places.folders("sprites", root)
    splits = places.look((reed.SPLITS,), folders)
    if splits is not None:
        return reed.load_reed(splits)
    place = places.find("sprites", (_ARCHIVE, "body/0.png"), folders)
    require_memory(2 * _CHARACTERS * len(views) * 3 * CELL * CELL, "laying the sprites together")
    order = np.random.RandomState(423).permutation(_CHARACTERS)  # Li and Mandt's
    cut = _TRAINING - _VALIDATION
    parts = (order[:cut], order[cut:_TRAINING], order[_TRAINING:])
    images = _images(place if place.name == _ARCHIVE else place.parents[1], views, parts)
    train, validation, test = (_split(*pair, views) for pair in zip(images, parts, strict=True))
    return Dataset(train, validation, test, "sprites", POSES, SPRITE_ATTRIBUTES)


def _views(actions, directions, frames) -> list[_View]:
    if frames is not None:
        _require_some("frames", frames, range(_FRAMES))
    _require_some("actions", actions, ACTIONS)
    _require_some("directions", directions, DIRECTIONS)
    views = []
    for pose, (action, direction) in enumerate(pose.split() for pose in POSES):
        if action in actions and direction in directions:
            columns = _COLUMNS[action] if frames is None else [_COLUMNS[action][frame] for frame in frames]
            row = _ROWS[action] + _DIRECTIONS[direction]
            views += [_View(pose, row, column) for column in dict.fromkeys(columns)]
    return views


def _require_some(name: str, given, known: Sequence) -> None:
    if isinstance(given, str) or not isinstance(given, Sequence) or not given or not all(one in known for one in given):
        expected = f"{known[0]}..{known[-1]}" if isinstance(known, range) else ", ".join(map(repr, known))
        raise ValueError(f"{name} must be a list of some of {expected}, got {given!r}")


def _images(place: Path, views: list[_View], parts: tuple[np.ndarray, ...]) -> list[np.ndarray]:
    """Every part's characters in every view: uint8 [characters, views, 3, 64, 64] each."""
    cells = read_cells(place, [(view.row, view.column) for view in views])
    images = [np.empty((len(part), len(views), 3, CELL, CELL), np.uint8) for part in parts]
    for number in range(len(views)):
        characters = composed([layer[:, number] for layer in cells])
        for array, part in zip(images, parts, strict=True):
            array[:, number] = np.moveaxis(characters[part], -1, 1)
    return images


def _split(images: np.ndarray, characters: np.ndarray, views: list[_View]) -> Split:
    poses = np.tile([view.pose for view in views], len(characters))
    worn = np.stack(np.unravel_index(characters, (VARIANTS,) * 4), axis=1)
    attributes = (worn[:, :, None] == np.arange(VARIANTS)).reshape(len(characters), -1).repeat(len(views), axis=0)
    flat: torch.Tensor = to_tensor(images.reshape(-1, *images.shape[2:]))
    return Split(flat, to_tensor(poses.astype(np.int64)), to_tensor(attributes))
