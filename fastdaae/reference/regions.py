"""Corruption of an image's regions: rectangles that are filled, and pixels that change places within tiles."""

import torch
from torch import Tensor

from fastdaae import noise as addressed
from fastdaae.corruptions import Patches, Shuffling
from fastdaae.corruptions.regions import planes_of
from fastdaae.noise import Noise


def corrupt_regions(
    x: Tensor, image: tuple[int, ...], corruption: Patches | Shuffling, noise: Noise, copies: int, row_offset: int, site
) -> Tensor:
    """Corrupted copies [copies, N, D] of x [N, D], rows that are samples of the shape `image`."""
    channels, height, width = planes_of(corruption, image)
    where = {"copies": copies, "row_offset": row_offset, "site": site}
    planes = x.reshape(x.shape[0], channels, height, width)
    if isinstance(corruption, Patches):
        drawn = addressed.words(noise, x.shape[0], 2 * corruption.count, **where)
        removed = _removed(corruption, drawn, height, width)
        return torch.where(removed[:, :, None], corruption.fill, planes).flatten(2)
    drawn = addressed.words(noise, x.shape[0], height * width, **where)
    source = _shuffled_places(corruption.size, drawn, height, width)
    pixels = planes.flatten(2).expand(copies, *planes.shape[:2], height * width)
    return pixels.gather(3, source[:, :, None].expand_as(pixels)).flatten(2)


def _removed(patches: Patches, drawn: Tensor, height: int, width: int) -> Tensor:
    """Which pixels lie in one of the rectangles of words [copies, N, 2 count], bool [copies, N, H, W]."""
    rows = _covered(drawn[..., 0::2], patches.height, height)
    columns = _covered(drawn[..., 1::2], patches.width, width)
    # how many rectangles hold a pixel; no precision turns a sum of ones into nothing
    return rows.mT @ columns > 0


def _covered(drawn: Tensor, length: int, size: int) -> Tensor:
    """1 where stretches of `length`, one a word, cover places 0..size-1, else 0: [copies, N, count, size]."""
    start = (drawn * (size - length + 1)) >> 32
    place = torch.arange(size, dtype=torch.int64, device=drawn.device)
    return ((place >= start[..., None]) & (place < start[..., None] + length)).float()


def _shuffled_places(size: int, drawn: Tensor, height: int, width: int) -> Tensor:
    """Which pixel each place takes, int64 [copies, N, H W], for words of the pixels [copies, N, H W]."""
    rows, columns = (torch.arange(length, dtype=torch.int64, device=drawn.device) for length in (height, width))
    tile = (rows[:, None] // size * ((width + size - 1) // size) + columns[None, :] // size).flatten()
    # tiles one after the other: their places as they stand, and their pixels by their words
    places = torch.argsort(tile, stable=True)
    pixels = torch.argsort(tile << 32 | drawn, dim=2, stable=True)
    return torch.empty_like(drawn).index_copy(2, places, pixels)
