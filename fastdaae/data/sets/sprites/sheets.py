"""The part sheets that characters are laid together from: pictures of 21 x 13 cells, with transparency."""

import io
import zipfile
from pathlib import Path

import numpy as np

from fastdaae.data.formats.pictures import decode_picture
from fastdaae.reading import open_regular

CELL = 64  # pixels to a side
VARIANTS = 6  # of each part that are used
_SHEET = (21 * CELL, 13 * CELL)
_PNG_BYTES = 1 << 22  # what a sheet takes at most
# from below; everyone has the same shoes
_LAYERS = {part: range(VARIANTS) for part in ("body", "bottomwear", "topwear", "hair")} | {"shoes": range(1, 2)}


def read_cells(place: Path, cells: list[tuple[int, int]]) -> list[np.ndarray]:
    """For each layer, from below, the cells (row, column) of its sheets: uint8 [variants, cells, 64, 64, 4], RGBA.

    `place` is the zip archive or the folder that holds body/0.png and so on. Raises ValueError, in one line with the
    file's name, for what is damaged, missing or of another size.
    """
    if place.is_dir():
        return [_layer(lambda name: _file(place / name), place, part, cells) for part in _LAYERS]
    try:
        with open_regular(place) as file, zipfile.ZipFile(file) as archive:
            return [_layer(lambda name: _member(archive, name), place, part, cells) for part in _LAYERS]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, KeyError) as error:
        told = " ".join(f"{type(error).__name__} {error}".split())
        raise ValueError(f"{place} cannot be read as an archive of part sheets: {told}; download it again") from error


def composed(layers: list[np.ndarray]) -> np.ndarray:
    """All characters in one cell, uint8 [6 x 6 x 6 x 6, 64, 64, 3]: on black, each layer [variants, 64, 64, 4] on top.

    A character's number is 216 body + 36 bottomwear + 6 topwear + hair. Alpha blending, rounded as Pillow does.
    """
    image = np.zeros((1, CELL, CELL, 3), np.uint8)
    for layer in layers:
        image = _laid(image, layer)
    return image


def _laid(below: np.ndarray, layer: np.ndarray) -> np.ndarray:
    """Every image below [N, ...] under every variant of the layer [K, ...]: [N x K, ...], variants running fastest."""
    result = np.repeat(below[:, None], len(layer), axis=1)
    rows, columns = np.nonzero(np.any(layer[..., 3], axis=0))
    if len(rows):
        # outside this area all is transparent
        area = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
        over = layer[(slice(None), *area)].astype(np.uint16)
        alpha = over[..., 3:]
        behind = below[(slice(None), None, *area)].astype(np.uint16)
        # at most 255 x 255 + 127, which 16 bits hold
        result[(slice(None), slice(None), *area)] = (over[..., :3] * alpha + behind * (255 - alpha) + 127) // 255
    return result.reshape(-1, *below.shape[1:])


def _layer(read, place: Path, part: str, cells: list[tuple[int, int]]) -> np.ndarray:
    variants = []
    for variant in _LAYERS[part]:
        name = f"{part}/{variant}.png"
        sheet = decode_picture(io.BytesIO(read(name)), place / name, _SHEET[0] * _SHEET[1])
        if sheet.size != _SHEET[::-1]:
            raise ValueError(
                f"{place / name} must be a sheet of {_SHEET[1]} x {_SHEET[0]} pixels, got {sheet.width} x "
                f"{sheet.height}; download it again"
            )
        pixels = np.asarray(sheet.convert("RGBA")).reshape(21, CELL, 13, CELL, 4)
        variants.append(np.stack([pixels[row, :, column] for row, column in cells]))
    return np.stack(variants)


def _file(path: Path) -> bytes:
    with open_regular(path) as file:
        return file.read(_PNG_BYTES)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        return file.read(_PNG_BYTES)
