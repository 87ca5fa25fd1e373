"""What a measure of codes is taken of too, to be compared with: principal components, and pixels."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from fastdaae.evaluation.case import Case, rows_of

# a split's first images, or all, as rows of numbers
Rows = Callable[[str, int | None], Tensor]


def codes_and_components(case: Case) -> dict[str, Rows]:
    """By name: codes, and as many principal components of the images."""
    return {"codes": case.codes_of, "PCA": case.components_of}


def with_pixels(case: Case) -> dict[str, Rows]:
    """The same, and the pixels themselves."""

    def pixels(split: str, count: int | None) -> Tensor:
        return rows_of(getattr(case.dataset, split).images[:count])

    return {**codes_and_components(case), "pixels": pixels}


def labels_of(case: Case, *splits: str) -> list[Tensor]:
    """The labels of these splits, on the CPU; raises ValueError where there are none."""
    return [_part_of(case, split, "labels").cpu() for split in splits]


def attributes_of(case: Case, *splits: str) -> list[Tensor]:
    """The attributes [N, A] of these splits, on the CPU; raises ValueError where there are none."""
    return [_part_of(case, split, "attributes").cpu() for split in splits]


def _part_of(case: Case, split: str, part: str) -> Any:
    images = getattr(case.dataset, split, None)
    if images is None:
        raise ValueError(f"the data set has no {split} split")
    found = getattr(images, part, None)
    if found is None:
        raise ValueError(f"the {split} images have no {part}")
    return found
