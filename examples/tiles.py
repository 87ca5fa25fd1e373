"""A folder of colour images, for who has none at hand: 2,080 tiles of two photographs that scikit-learn ships.

python examples/tiles.py tiles            # tiles/china/*.png and tiles/flower/*.png, 16 x 16 pixels
"""

import argparse
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_sample_images

SIDE = 16


def write_tiles(folder: Path) -> int:
    """Cuts the photographs into tiles, a sub-folder each, and returns how many there are."""
    photographs = load_sample_images()
    count = 0
    for name, pixels in zip(photographs.filenames, photographs.images, strict=True):
        target = folder / Path(name).stem
        target.mkdir(parents=True, exist_ok=True)
        height, width = (size // SIDE * SIDE for size in pixels.shape[:2])
        for top in range(0, height, SIDE):
            for left in range(0, width, SIDE):
                tile = pixels[top : top + SIDE, left : left + SIDE]
                Image.fromarray(tile).save(target / f"{top:03d}-{left:03d}.png")
                count += 1
    return count


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    print(f"{write_tiles(folder):,} tiles of {SIDE} x {SIDE} pixels in {folder}")
