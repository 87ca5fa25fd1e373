"""Corruptions of regions of an image, for samples [..., H, W]: whatever stands before H and W is channels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from fastdaae.arguments import is_number, whole_in

_MOST = 65535  # sizes and counts that 16 bits hold


@dataclass(frozen=True)
class Patches:
    """`count` rectangles of `size` = side or (height, width) in pixels, each set to `fill` in all channels.

    Each lies wholly inside the image, everywhere with the same probability (to 2^-32 (H - height + 1)); they may
    overlap. Rectangle r reads columns 2r and 2r + 1 of its row's words: top = word (H - height + 1) / 2^32 rounded
    down, and left likewise. `fill` is in units of x. Raises TypeError or ValueError for a size outside 1..65535, a
    count outside 0..65535 or a fill that is not finite. Source: patch corruption of the
    textbooks' denoising autoencoders; Pathak et al. 2016, section 3.3 (random blocks).
    """

    size: int | tuple[int, int]
    count: int
    fill: float = 0.0

    def __post_init__(self):
        given = self.size if isinstance(self.size, Sequence) and not isinstance(self.size, str) else (self.size,) * 2
        if len(given) != 2:
            raise ValueError(f"size must be a side or (height, width) in pixels, got {self.size!r}")
        if not (is_number(self.fill) and math.isfinite(self.fill)):
            raise ValueError(f"fill must be a finite number, got {self.fill!r}")
        object.__setattr__(self, "size", tuple(whole_in("size", side, 1, _MOST) for side in given))
        object.__setattr__(self, "count", whole_in("count", self.count, 0, _MOST))
        object.__setattr__(self, "fill", float(self.fill))

    @property
    def height(self) -> int:
        """The rows of pixels of each rectangle."""
        return self.size[0]  # type: ignore[index]  # a pair since the construction

    @property
    def width(self) -> int:
        """The columns of pixels of each rectangle."""
        return self.size[1]  # type: ignore[index]


@dataclass(frozen=True)
class Shuffling:
    """Pixels change places within tiles of `size` x `size` pixels, all channels of a pixel together.

    Every order of a tile's pixels has the same probability; tiles are cut from the top left, and those that the right
    and the lower edge cut off are shuffled among themselves. The pixel (y, x) reads column W y + x of its row's words:
    a tile's places, in their order, take its pixels in the order of their words. Raises TypeError or ValueError for a
    size outside 1..65535. Source: Kang et al. 2017 (PatchShuffle regularization), section 3.
    """

    size: int

    def __post_init__(self):
        object.__setattr__(self, "size", whole_in("size", self.size, 1, _MOST))


def planes_of(corruption: Patches | Shuffling, image: Sequence[int]) -> tuple[int, int, int]:
    """(channels, H, W) of samples of the shape `image`; raises ValueError where the corruption does not fit them."""
    kind = type(corruption).__name__
    if len(image) < 2:
        raise ValueError(
            f"x must be images [N, ..., H, W] for {kind}, got samples of the shape {list(image)}; use "
            "x.reshape(len(x), channels, H, W), and where an operator takes it say the image_shape"
        )
    height, width = image[-2], image[-1]
    if isinstance(corruption, Patches) and not (corruption.height <= height and corruption.width <= width):
        raise ValueError(
            f"size must be at most that of the images, {height} x {width}, got {corruption.height} x "
            f"{corruption.width}; use smaller {kind}"
        )
    return math.prod(image[:-2]), height, width


def has_regions(corruption) -> TypeGuard[Patches | Shuffling]:
    """Whether a corruption needs to know the shape of its images."""
    return isinstance(corruption, Patches | Shuffling)


def require_numbers(image_shape: Sequence[int], numbers: int) -> None:
    """Raises ValueError where images of a shape have another number of numbers than samples have."""
    if math.prod(image_shape) != numbers:
        raise ValueError(
            f"image_shape must be a shape of {numbers} numbers, as each sample has, got {list(image_shape)}; leave it "
            "out for samples that are images already"
        )
