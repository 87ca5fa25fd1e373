"""Images as pictures: any layout of pixels to grey or colour in [0, 1], tiled with thin gutters, written as PNG."""

import math
from pathlib import Path

import numpy as np
import torch

from fastdaae import run_folder

GUTTER = 4  # device pixels of white between two pictures
_CELL = 88  # device pixels that a picture is wide at least, where whole factors allow


def as_pictures(images, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Images [N, ...] (uint8 meaning value / 255, or pixels) as float32 [N, H, W] or [N, H, W, 3], clipped to [0, 1].

    `shape` is that of one image where the images come flat from a network. Grey is [H, W] or [1, H, W], colour
    [3, H, W]; flat images of a square number of pixels become squares, everything else one row, drawn three
    quarters as high as it is wide.
    Raises ValueError for images that do not fit `shape` or for fewer than 2 dimensions.
    """
    tensor = torch.as_tensor(images, device="cpu").detach()
    if tensor.dim() < 2 or len(tensor) == 0:
        raise ValueError(f"images must be [N, ...] with N >= 1, got {list(tensor.shape)}")
    scale = 255.0 if tensor.dtype == torch.uint8 else 1.0
    shape = tuple(tensor.shape[1:] if shape is None else shape)
    if math.prod(shape) != tensor[0].numel():
        raise ValueError(
            f"images must have {math.prod(shape)} pixels for the shape {list(shape)}, got {tensor[0].numel()}"
        )
    pixels = np.nan_to_num(np.clip(tensor.float().numpy() / scale, 0, 1)).reshape(len(tensor), *shape)
    if len(shape) == 2:
        return pixels
    if len(shape) == 3 and shape[0] in (1, 3):
        return pixels[:, 0] if shape[0] == 1 else np.moveaxis(pixels, 1, -1)
    return _from_flat(pixels.reshape(len(pixels), -1))


def _from_flat(pixels: np.ndarray) -> np.ndarray:
    count = pixels.shape[1]
    side = math.isqrt(count)
    if side * side == count:
        return pixels.reshape(-1, side, side)
    return np.repeat(pixels[:, None, :], max(1, 3 * count // 4), axis=1)


def fit_width(pictures: np.ndarray, width: int = _CELL) -> np.ndarray:
    """Pictures [N, H, W, ...] resized by a whole factor to about `width` device pixels: repeated or block-averaged."""
    height, given = pictures.shape[1:3]
    if given <= width:
        factor = round(width / given)
        return pictures.repeat(factor, axis=1).repeat(factor, axis=2)
    block = min(round(given / width), height)
    rows, columns = height // block, given // block
    kept = pictures[:, : rows * block, : columns * block]
    return kept.reshape(len(pictures), rows, block, columns, block, *pictures.shape[3:]).mean(axis=(2, 4))


def tile(pictures: np.ndarray, columns: int) -> np.ndarray:
    """One picture with picture i at row i // columns, column i % columns, and white gutters between them."""
    count, height, width = pictures.shape[:3]
    rows, columns = math.ceil(count / columns), min(columns, count)
    shape = (rows * (height + GUTTER) - GUTTER, columns * (width + GUTTER) - GUTTER, *pictures.shape[3:])
    canvas = np.ones(shape, dtype=np.float32)
    for i, picture in enumerate(pictures):
        top, left = i // columns * (height + GUTTER), i % columns * (width + GUTTER)
        canvas[top : top + height, left : left + width] = picture
    return canvas


def image_grid(images, path: str | Path, columns: int = 10) -> Path:
    """Write images [N, ...] (uint8, or [0, 1] pixels) as a PNG grid with `columns` pictures a row; returns its path.

    Shapes as in `as_pictures`. Raises ValueError for no images or columns < 1.
    """
    from PIL import Image

    if columns < 1:
        raise ValueError(f"columns must be >= 1, got {columns}")
    grid = tile(fit_width(as_pictures(images)), columns)
    picture = Image.fromarray(np.round(grid * 255).astype(np.uint8))
    path = Path(path)
    run_folder.replace_atomically(path, lambda temporary: picture.save(temporary, format="PNG"))
    return path
