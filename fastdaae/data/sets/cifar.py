"""CIFAR-10, from the binary or the python version, unpacked or not; a part of it where there is no more."""

from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path

import numpy as np

from fastdaae.arrays import to_tensor
from fastdaae.data import places
from fastdaae.data.class_names import CIFAR
from fastdaae.data.dataset import Dataset, Split, require_named
from fastdaae.data.formats.packed import read_members, read_packed
from fastdaae.data.formats.pickled import read_batch
from fastdaae.reading import require_memory

_SHAPE = (3, 32, 32)
_PIXELS, _BATCH = 3 * 32 * 32, 10_000
_FILE = _BATCH * (_PIXELS + 1)  # bytes of a batch, a label and then the pixels of each image
_PICKLE = _FILE + (1 << 20)  # bytes of a batch in the python version, with names and labels, at most
_TRAINING, _TEST = tuple(f"data_batch_{number}" for number in range(1, 6)), "test_batch"
_FIRST = "test_batch_first1000"  # the part of the test images that goes with a part of the training images
_ARCHIVES = ("cifar-10-binary.tar.gz", "cifar-10-python.tar.gz")
_FOLDERS = ("cifar-10-batches-bin", "cifar-10-batches-py")

Batch = tuple[np.ndarray, np.ndarray]


def load_cifar(root: str | PathLike | None = None) -> Dataset:
    """CIFAR-10: images uint8 [N, 3, 32, 32], labels int64 [N] in 0..9 with their published names.

    The five training batches and the test batch of the binary version (.bin, also under gzip or xz) or of the python
    version, in a folder below `root` or left in their archive. The last tenth of the training images validates (45,000
    / 5,000 / 10,000; the split of He et al., 2016). Where some batches are missing, what is there is loaded, and the
    set is called "cifar-10 (a part)": figures made with it are not comparable with published ones. The pickles of the
    python version are read without calling anything that they name. Raises FileNotFoundError where there is no
    training or no test batch, ValueError for a damaged file. Source: A. Krizhevsky, Learning Multiple Layers of
    Features from Tiny Images, 2009.
    """
    folders = places.folders("cifar-10", root)
    read = _reader([place / below for place in folders for below in (*_FOLDERS, ".")], folders)
    require_memory(2 * 6 * _FILE, "reading cifar-10")
    batches = [batch for batch in map(read, _TRAINING) if batch is not None]
    test = read(_TEST) or read(_FIRST)
    if not batches or test is None:
        wanted = _TEST if batches else _TRAINING[0]
        raise places.missing("cifar-10", (f"{wanted}.bin", f"{wanted}.bin.xz", wanted, *_ARCHIVES), folders)
    whole = len(batches) == len(_TRAINING) and all(len(labels) == _BATCH for _, labels in (*batches, test))
    images, labels = (np.concatenate(kind) for kind in zip(*batches, strict=True))
    cut = len(images) - max(1, len(images) // 10)
    train, validation, test_split = (
        _split(images[:cut], labels[:cut]),
        _split(images[cut:], labels[cut:]),
        _split(*test),
    )
    return Dataset(train, validation, test_split, "cifar-10" if whole else "cifar-10 (a part)", CIFAR)


def _split(images: np.ndarray, labels: np.ndarray) -> Split:
    return Split(to_tensor(images.reshape(-1, *_SHAPE)), to_tensor(labels))


def _reader(folders: list[Path], for_archives: list[Path]) -> Callable[[str], Batch | None]:
    """What reads a batch by its name: from the folder with the first training batch, or from an archive."""
    for folder in folders:
        if any(_files(folder, _TRAINING[0])):
            return lambda name: next((_from_file(path) for path in _files(folder, name)), None)
    archive = places.look(_ARCHIVES, for_archives)
    if archive is None:
        return lambda name: None
    python = "python" in archive.name
    sizes = {f"{name}{'' if python else '.bin'}": _PICKLE if python else _FILE for name in (*_TRAINING, _TEST)}
    members = {Path(name).stem: content for name, content in read_members(archive, sizes).items()}
    decode = _from_pickle if python else _from_records
    return lambda name: decode(members.pop(name), archive / name) if name in members else None


def _files(folder: Path, name: str) -> Iterator[Path]:
    endings = (".bin", ".bin.gz", ".bin.xz", "")
    return (path for path in (folder / f"{name}{ending}" for ending in endings) if path.is_file())


def _from_file(path: Path) -> Batch:
    pickled = ".bin" not in path.name
    content = read_packed(path, _PICKLE if pickled else _FILE)
    return (_from_pickle if pickled else _from_records)(content, path)


def _from_records(content: bytearray, path: Path) -> Batch:
    if not content or len(content) % (_PIXELS + 1):
        raise ValueError(
            f"{path} must hold records of {_PIXELS + 1:,} bytes, a label and {_PIXELS:,} pixels each, got "
            f"{len(content):,} bytes; download it again"
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, _PIXELS + 1)
    return _checked(records[:, 1:], records[:, 0].astype(np.int64), path)


def _from_pickle(content: bytearray, path: Path) -> Batch:
    return _checked(*read_batch(content, path, _PIXELS), path)


def _checked(images: np.ndarray, labels: np.ndarray, path: Path) -> Batch:
    if not len(images):
        raise ValueError(f"{path} must hold images, got none; download it again")
    require_named(to_tensor(labels), CIFAR, f"labels in {path}")
    return images, labels
