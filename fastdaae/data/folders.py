"""Users' own images in a folder of image files, whose subfolders are parts, classes or both."""

import os
from pathlib import Path

import torch

from fastdaae.arrays import to_tensor
from fastdaae.data.dataset import Dataset, Split
from fastdaae.data.formats.pictures import IMAGE_SUFFIXES, read_pictures
from fastdaae.data.splitting import require_enough, split_80_10_10
from fastdaae.schema import printable

_HELD_OUT = {"validation": "validation", "valid": "validation", "val": "validation", "test": "test"}

# labels int64 [N] and their classes' names, or neither
Labels = tuple[torch.Tensor, tuple[str, ...]] | tuple[None, None]


def load_folder(path: str | os.PathLike) -> Dataset:
    """All png, jpg, jpeg, bmp and webp images below a folder, sorted by relative path: uint8 [N, H, W] or [N, 3, H, W].

    All must have one size and be all grey or all RGB. When every image is in a subfolder, label i (int64) is the
    i-th of the sorted subfolder names, which are the classes. Hidden files and linked folders are left out. Split
    80/10/10 by a fixed permutation (`numpy.random.default_rng(0)`): n // 10 images test, the next n // 10 validate, the
    others train. But where the subfolders are train and test, or train and validation (also valid or val), or all
    three, these are the parts as they are, and train's own subfolders the classes of all. Raises ValueError for an
    unreadable image, mixed sizes or colours, more than the free memory holds, fewer than 10 images to split, and for
    parts beside other images or with classes that train lacks; OSError for a folder that cannot be read.
    """
    folder = Path(path)
    paths = _image_paths(folder)
    tops = {path.relative_to(folder).parts[0] for path in paths}
    if "train" in tops and tops & _HELD_OUT.keys():
        return _in_parts(_by_part(paths, tops, folder), folder)
    require_enough(len(paths), folder)
    labels, classes = _labels(paths, folder)
    return split_80_10_10(to_tensor(read_pictures(paths)), labels, folder)._replace(classes=classes)


def _image_paths(folder: Path) -> list[Path]:
    def unreadable(error: OSError) -> None:
        raise error  # os.walk would leave the folder out

    paths = []
    for parent, subfolders, files in os.walk(folder, onerror=unreadable):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        names = (name for name in files if not name.startswith(".") and name.lower().endswith(IMAGE_SUFFIXES))
        paths += [Path(parent, name) for name in names]
    return sorted(paths, key=lambda path: path.relative_to(folder).as_posix())


def _by_part(paths: list[Path], tops: set[str], folder: Path) -> dict[str, list[Path]]:
    """{part: its images} of a folder whose subfolders are parts, and nothing else."""
    held_out = [_HELD_OUT.get(top, "another") for top in tops - {"train"}]
    if "another" in held_out or len(set(held_out)) < len(held_out):
        raise ValueError(
            f"{folder} must hold train, test and perhaps one of validation, valid and val, and no images beside them, "
            f"got {', '.join(map(printable, sorted(tops)))}; move the others, or save an .npz with train_images"
        )
    parts: dict[str, list[Path]] = {"train": []}
    for path in paths:
        top = path.relative_to(folder).parts[0]
        parts.setdefault(_HELD_OUT.get(top, top), []).append(path)
    return parts


def _in_parts(parts: dict[str, list[Path]], folder: Path) -> Dataset:
    # all at once, so that what differs between two parts is told as within one
    images = to_tensor(read_pictures([path for paths in parts.values() for path in paths]))
    _, classes = _labels(parts["train"], folder / "train")
    splits: dict[str, Split] = {}
    for (part, paths), pixels in zip(parts.items(), images.split([*map(len, parts.values())]), strict=True):
        place = folder / paths[0].relative_to(folder).parts[0]
        splits[part] = Split(pixels, None if classes is None else _labels(paths, place, classes)[0])
    return Dataset(splits["train"], splits.get("validation"), splits.get("test"), folder.name, classes)


def _labels(paths: list[Path], folder: Path, classes: tuple[str, ...] | None = None) -> Labels:
    """The labels of images by the subfolders that they are in, which must be among `classes`, if given."""
    if any(path.parent == folder for path in paths):
        return None, None
    tops = [printable(path.relative_to(folder).parts[0]) for path in paths]
    names = tuple(sorted(set(tops))) if classes is None else classes
    strange = sorted(set(tops) - set(names))
    if strange:
        raise ValueError(
            f"{folder} must have the classes of train as subfolders, got {', '.join(strange)}; move or remove them, or "
            "add images of them to train"
        )
    return torch.tensor([names.index(top) for top in tops], dtype=torch.int64, device="cpu"), names
