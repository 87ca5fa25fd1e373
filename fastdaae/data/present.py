"""Whether the files of the named sets are where they are looked for, asked without reading them."""

import itertools
from os import PathLike

from fastdaae.data import places

_IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
_DIGITS = tuple((name, f"{name}.gz") for name in _IDX)
_BITS = "omniglot_105_bits.npz"
_BATCHES = ("cifar-10-batches-bin/", "cifar-10-batches-py/", "")
_ENDINGS = (".bin", ".bin.gz", ".bin.xz", "")
_ARCHIVES = ("cifar-10-binary.tar.gz", "cifar-10-python.tar.gz")


def _batch(*names: str) -> tuple[str, ...]:
    """A batch of CIFAR-10 in each of its forms, or the archives that hold it."""
    return (*map("".join, itertools.product(_BATCHES, names, _ENDINGS)), *_ARCHIVES)


# of each set the files that it needs, each as the choices of which one does; the variants are made from MNIST
_NEEDED: dict[str, tuple[tuple[str, ...], ...]] = {
    "mnist": _DIGITS,
    "fashion-mnist": _DIGITS,
    "omniglot": tuple((_BITS, f"images_{part}.zip", f"images_{part}") for part in ("background", "evaluation")),
    "sprites": (("sprites_splits.mat", "lpc_parts.zip", "body/0.png"),),
    "cifar-10": (_batch("data_batch_1"), _batch("test_batch", "test_batch_first1000")),
    "celeba": (
        ("list_eval_partition.txt",),
        ("list_attr_celeba.txt",),
        ("img_align_celeba", "img_align_celeba.zip"),
    ),
    "cub-200": tuple(
        (name,)
        for name in (
            "images.txt",
            "image_class_labels.txt",
            "train_test_split.txt",
            "bounding_boxes.txt",
            "classes.txt",
            "images",
        )
    ),
}


def is_here(name: str, root: str | PathLike | None = None) -> bool:
    """Whether files of a named set lie where `load` looks for them, whatever is in them; True where it needs none."""
    source = "mnist" if name.startswith("mnist-") else name
    if source not in _NEEDED:
        return True
    folders = places.folders(source, root)
    return all(places.look(choices, folders) is not None for choices in _NEEDED[source])
