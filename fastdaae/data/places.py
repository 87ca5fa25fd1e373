"""Where the files of the named sets are published, and where they are looked for: nothing is ever downloaded."""

import os
from os import PathLike
from pathlib import Path
from typing import NamedTuple


class Source(NamedTuple):
    """Where a set is `published`, the `folders` that its files may lie in, and the MD5 `checksums` of known files."""

    published: str
    folders: tuple[str, ...]
    checksums: dict[str, str]


SOURCES = {
    "mnist": Source(
        "yann.lecun.com/exdb/mnist",
        ("mnist",),
        {
            "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
        },
    ),
    "fashion-mnist": Source(
        "github.com/zalandoresearch/fashion-mnist",
        ("fashion-mnist",),
        {
            "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
        },
    ),
    "omniglot": Source(
        "github.com/brendenlake/omniglot",
        ("omniglot", "omniglot-py"),
        {
            "images_background.zip": "68d2efa1b9178cc56df9314c21c6e718",
            "images_evaluation.zip": "6b91aef0f799c5bb55b94e3f2daec811",
        },
    ),
    "sprites": Source("github.com/YingzhenLi/Sprites", ("sprites", "sprites-lpc", "Sprites"), {}),
    "cifar-10": Source(
        "www.cs.toronto.edu/~kriz/cifar.html",
        ("cifar-10", "cifar-10-batches-bin", "cifar-10-batches-py"),
        {
            "cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530",
            "cifar-10-python.tar.gz": "c58f30108f718f92721af3b95e74349a",
        },
    ),
    "celeba": Source(
        "mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        ("celeba", "CelebA"),
        {
            "img_align_celeba.zip": "00d2c5bc6d35e252742224ab0c1e8fcb",
            "list_attr_celeba.txt": "75e246fa4810816ffd6ee81facbd244c",
            "list_eval_partition.txt": "d32c9cbf5e040fd4025c592c306e6668",
        },
    ),
    "cub-200": Source(
        "www.vision.caltech.edu/datasets/cub_200_2011",
        ("cub-200", "CUB_200_2011"),
        {"CUB_200_2011.tgz": "97eceeb196236b17998738112f37df78"},
    ),
    "patches": Source("www.rctn.org/bruno/sparsenet", ("patches", "olshausen"), {}),
}


def folders(name: str, root: str | PathLike | None) -> list[Path]:
    """The folders that may hold a set's files: those called after it below `root`, and `root` itself.

    Without `root`, the environment variable FASTDAAE_DATA names it; none where that is not set either.
    """
    base = os.environ.get("FASTDAAE_DATA", "") if root is None else root
    if base == "":
        return []
    place = Path(os.path.expanduser(base))
    own = SOURCES[name].folders
    # sets share names of files: a folder called after another set is not searched
    others = {folder.lower() for source in SOURCES.values() for folder in source.folders}
    other = place.resolve().name.lower() in others - {folder.lower() for folder in own}
    return [place / folder for folder in own] + ([] if other else [place])


def find(name: str, choices: tuple[str, ...], places: list[Path]) -> Path:
    """The first of the files or folders called as one of `choices` in `places`; raises as `missing` says."""
    found = look(choices, places)
    if found is None:
        raise missing(name, choices, places)
    return found


def look(choices: tuple[str, ...], places: list[Path]) -> Path | None:
    """The first of the files or folders called as one of `choices` in `places`, or None."""
    return next((place / choice for place in places for choice in choices if (place / choice).exists()), None)


def missing(name: str, choices: tuple[str, ...], places: list[Path]) -> FileNotFoundError:
    """What is wanted, where it was looked for, where it is published, and how to say where it lies."""
    looked = f"not found in {' or '.join(map(str, places))}" if places else "no folder to look in"
    source = SOURCES[name]
    known = [f"md5 {source.checksums[choice]}" for choice in choices if choice in source.checksums]
    checksums = f" ({', '.join(known)})" if known else ""
    return FileNotFoundError(
        f"{name} needs {' or '.join(choices)}: {looked}; download it from {source.published}{checksums} and pass root= "
        "or set FASTDAAE_DATA to its folder"
    )
