"""Images as pictures: any layout of pixels to grey or colour in [0, 1], and the grid that all of them are shown in."""

import math
from pathlib import Path

import numpy as np
from PIL import Image

from fastdaae import run_folder
from fastdaae.images import as_set

GUTTER = 4  # device pixels between two pictures
CELL = 88  # device pixels of a picture's longer side, or the nearest that whole factors give
_COLOUR_SIDE = 8  # flat rows of 3 * s * s pixels are taken for colour images from this side s on


def as_pictures(images, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Images [N, ...] (uint8 meaning value / 255, or pixels) as float32 [N, H, W] or [N, H, W, 3], clipped to [0, 1].

    `shape` is that of one image where the images come flat from a network. Grey is [H, W] or [1, H, W], colour
    [3, H, W]; flat images of a square number of pixels become squares, everything else one row [N, 1, W]. Raises
    ValueError, with the remedy, for channels last, uint8 that are 0 and 1 alone, flat rows that look like colour
    images, images that do not fit `shape`, an empty set or fewer than 2 dimensions.
    """
    tensor = as_set(images if hasattr(images, "dtype") else np.asarray(images)).cpu()
    scale = 255.0 if "uint8" in str(tensor.dtype) else 1.0
    shape = tuple(tensor.shape[1:] if shape is None else shape)
    count = tensor[0].numel()
    if math.prod(shape) != count:
        raise ValueError(
            f"shape must be that of one image, of {count} pixels as in images {list(tensor.shape)}, got {list(shape)} "
            f"of {math.prod(shape)}; pass the shape of the data, such as (3, 32, 32)"
        )
    pixels = np.nan_to_num(np.clip(tensor.float().numpy() / scale, 0, 1)).reshape(len(tensor), *shape)
    if len(shape) == 2:
        return pixels
    if len(shape) == 3 and shape[0] in (1, 3):
        return pixels[:, 0] if shape[0] == 1 else np.moveaxis(pixels, 1, -1)
    if len(shape) == 1:
        _require_no_colours(list(tensor.shape), count)
    side = math.isqrt(count)
    return pixels.reshape(-1, side, side) if side * side == count else pixels.reshape(-1, 1, count)


def _require_no_colours(given: list[int], count: int) -> None:
    side = math.isqrt(count // 3)
    if side >= _COLOUR_SIDE and 3 * side * side == count:
        raise ValueError(
            f"images must be [N, C, H, W] or [N, H, W], got flat {given}, which look like {side} x {side} colour "
            f"pictures; use images.reshape({given[0]}, 3, {side}, {side}) or pass shape=(3, {side}, {side})"
        )


def grid(pictures: np.ndarray, columns: int, side: int = CELL) -> np.ndarray:
    """Pictures [N, H, W, ...] in rows of `columns`, as RGBA uint8 [height, width, 4] with nothing in the gutters.

    Each is resized by a whole factor, so that its longer side has about `side` device pixels: repeated or
    block-averaged.
    """
    fitted = np.round(_fit(pictures, side) * 255).astype(np.uint8)
    count, height, width = fitted.shape[:3]
    rows, columns = -(-count // columns), min(columns, count)
    canvas = np.zeros((rows * (height + GUTTER) - GUTTER, columns * (width + GUTTER) - GUTTER, 4), np.uint8)
    for i, picture in enumerate(fitted):
        top, left = i // columns * (height + GUTTER), i % columns * (width + GUTTER)
        place = canvas[top : top + height, left : left + width]
        place[..., :3], place[..., 3] = picture if picture.ndim == 3 else picture[..., None], 255
    return canvas


def _fit(pictures: np.ndarray, side: int) -> np.ndarray:
    height, width = pictures.shape[1:3]
    if max(height, width) <= side:
        factor = round(side / max(height, width))
        fitted = pictures.repeat(factor, axis=1).repeat(factor, axis=2)
    else:
        block = round(max(height, width) / side)
        down, across = min(block, height), min(block, width)
        rows, columns = height // down, width // across
        kept = pictures[:, : rows * down, : columns * across]
        fitted = kept.reshape(len(pictures), rows, down, columns, across, *pictures.shape[3:]).mean(axis=(2, 4))
    # one row of numbers is drawn as a bar code
    return fitted if height > 1 else fitted[:, :1].repeat(max(1, 3 * fitted.shape[2] // 4), axis=1)


def image_grid(images, path: str | Path, columns: int = 10, shape: tuple[int, ...] | None = None) -> Path:
    """Write images [N, ...] (uint8, or [0, 1] pixels) as a PNG grid with `columns` pictures a row; returns its path.

    Layouts, `shape` and errors as in `as_pictures`. Raises ValueError for columns < 1.
    """
    if columns < 1:
        raise ValueError(f"columns must be >= 1, got {columns}")
    pictures = as_pictures(images, shape)
    drawn = Image.fromarray(grid(pictures, columns))
    picture = Image.new("RGB", drawn.size, "white")
    picture.paste(drawn, mask=drawn)
    path = Path(path)
    kept = picture if pictures.ndim == 4 else picture.convert("L")
    run_folder.replace_atomically(path, lambda temporary: kept.save(temporary, format="PNG"))
    return path
